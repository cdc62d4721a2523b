import type { EffectOf } from '../../../src/domain/promotion.ts';
import type { Turn } from './effect-turn.ts';
import { least, sum } from './exact-money.ts';

/** Currencies of the tests whose digits after the point are not two. */
const DIGITS: ReadonlyMap<string, number> = new Map([
  ['JPY', 0],
  ['KRW', 0],
  ['KWD', 3],
  ['BHD', 3],
]);

/** What an answer can hold. */
const MOST_POINTS = BigInt(Number.MAX_SAFE_INTEGER);

/** Points on top: one point for each whole unit of money that is to be paid, times what the multiplier adds. */
export function applyMultiplier(
  effect: EffectOf<'points_multiplier'>,
  { cart, left, shippingLeft }: Turn,
): bigint {
  const minorPerUnit = 10n ** BigInt(DIGITS.get(cart.cart.currency) ?? 2);
  const base = (sum(left) + shippingLeft) / minorPerUnit;
  const bonus = least((base * BigInt(effect.multiplierBasisPoints - 10_000)) / 10_000n, MOST_POINTS);
  return effect.maxBonusPoints === undefined ? bonus : least(bonus, BigInt(effect.maxBonusPoints));
}
