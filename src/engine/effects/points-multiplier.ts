import { floorMultiple, minorDigits } from '../../domain/money.ts';
import type { EffectCompiler, EffectInput } from '../effect-parts.ts';

const ONCE_BASIS_POINTS = 10_000;

/** More points for what is paid: one per major unit is earned anyway, this gives what the factor adds to them. */
export const pointsMultiplier: EffectCompiler<'points_multiplier'> = {
  kind: 'points_multiplier',
  compile: ({ kind, multiplierBasisPoints, maxBonusPoints = Number.POSITIVE_INFINITY }) => ({
    kind,
    target: 'benefit',
    isSpread: false,
    check: () => undefined,
    apply: (input, outcome) => {
      const bonus = floorMultiple(pointsEarned(input), multiplierBasisPoints - ONCE_BASIS_POINTS);
      outcome.bonusPoints = Math.min(bonus, maxBonusPoints);
    },
    offAtSpend: () => 0,
  }),
};

/** One point per full major unit that is still to be paid, shipping included. */
function pointsEarned({ cart, left, shippingLeftMinor }: EffectInput): number {
  let payableMinor = shippingLeftMinor;
  for (let place = 0; place < cart.lines.length; place += 1) payableMinor += left[place] ?? 0;
  return Math.floor(payableMinor / 10 ** minorDigits(cart.cart.currency));
}
