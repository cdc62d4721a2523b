import { roundHalfUpShare } from '../../domain/money.ts';
import type { EffectCompiler } from '../effect-parts.ts';
import { PerCart } from './per-cart.ts';
import { pickUnits } from './pick-units.ts';
import { takePercent, takePercentOfUnits } from './take-percent.ts';

/** A share of each eligible line off, or of the units the cap takes of it, up to a ceiling over all lines. */
export const percentOff: EffectCompiler<'percent_off'> = {
  kind: 'percent_off',
  compile: ({ kind, basisPoints, maxOffMinor = Number.POSITIVE_INFINITY, base, unitCap }) => {
    const terms = { basisPoints, maxOffMinor, base };
    const taken = new PerCart((cart, eligible) => pickUnits(cart, eligible, unitCap));
    return {
      kind,
      target: 'items',
      isSpread: maxOffMinor !== Number.POSITIVE_INFINITY,
      check: () => undefined,
      apply:
        unitCap === undefined
          ? (input, outcome) => takePercent(terms, input, outcome)
          : (input, outcome) => takePercentOfUnits(terms, taken.of(input), input, outcome),
      offAtSpend: (spendMinor) =>
        unitCap === undefined ? Math.min(maxOffMinor, roundHalfUpShare(spendMinor, basisPoints)) : undefined,
    };
  },
};
