import type { EffectCompiler } from '../effect-parts.ts';
import { compileSelection } from '../selection.ts';
import { planGroups } from './buy-groups.ts';
import { groupNotComplete } from './group-not-complete.ts';
import { PerCart } from './per-cart.ts';
import { type PercentTerms, takePercentOfUnits } from './take-percent.ts';

/** Units off when others are bought; whole groups only, up to a stated number. */
export const buyXGetY: EffectCompiler<'buy_x_get_y'> = {
  kind: 'buy_x_get_y',
  compile: (effect, vocabulary) => {
    const { kind, buyQuantity, getQuantity, basisPoints, buy, get } = effect;
    const lines = {
      buy: buy === undefined ? undefined : compileSelection(buy, vocabulary),
      get: get === undefined ? undefined : compileSelection(get, vocabulary),
    };
    const plans = new PerCart((cart, eligible) => planGroups(effect, lines, cart, eligible));
    const terms: PercentTerms = { basisPoints, maxOffMinor: Number.POSITIVE_INFINITY, base: 'remaining' };
    return {
      kind,
      target: 'items',
      isSpread: false,
      check: (input) => {
        const { groups, unitsSeen, isOnePool } = plans.of(input);
        if (groups > 0) return undefined;
        return groupNotComplete(buyQuantity + getQuantity, unitsSeen, isOnePool);
      },
      apply: (input, outcome) => takePercentOfUnits(terms, plans.of(input).rewarded, input, outcome),
      offAtSpend: () => undefined,
    };
  },
};
