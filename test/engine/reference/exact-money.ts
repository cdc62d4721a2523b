/** The money contract in whole numbers without limit: every amount is a bigint of minor units. */
import type { UnitRun } from '../../../src/domain/decision.ts';

const WHOLE = 10_000n;

/** The sum of amounts. */
export function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}

/** The smaller of two amounts. */
export function least(one: bigint, other: bigint): bigint {
  return one < other ? one : other;
}

/** The larger of two amounts. */
export function most(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

/** A share in basis points of an amount, a half rounded up. */
export function shareOf(amount: bigint, basisPoints: number): bigint {
  return (amount * BigInt(basisPoints) + WHOLE / 2n) / WHOLE;
}

/** Splits a total by weights with the largest remainder; ties go to the one listed first, a weight of zero gets nothing. */
export function spread(total: bigint, weights: readonly bigint[]): bigint[] {
  const whole = sum(weights);
  if (whole === 0n) return weights.map(() => 0n);
  const shares = weights.map((weight) => (total * weight) / whole);
  const remainders = weights.map((weight) => (total * weight) % whole);
  const missing = Number(total - sum(shares));
  const lucky = weights
    .map((_, at) => at)
    .filter((at) => weights[at] !== 0n)
    .sort((one, other) => descending(remainders[one], remainders[other]) || one - other)
    .slice(0, missing);
  return shares.map((share, at) => (lucky.includes(at) ? share + 1n : share));
}

function descending(one = 0n, other = 0n): number {
  if (one === other) return 0;
  return one > other ? -1 : 1;
}

/** What each of a line's units is worth: the units that come first are worth one more when it does not divide evenly. */
export function unitValues(left: bigint, units: number): bigint[] {
  const count = BigInt(units);
  return Array.from({ length: units }, (_, at) => left / count + (BigInt(at) < left % count ? 1n : 0n));
}

/** What the first `taken` units of a line are worth together, when `left` is spread over all its units. */
export function firstUnits(left: bigint, units: number, taken: number): bigint {
  return sum(unitValues(left, units).slice(0, taken));
}

/** A share by unit: the units that get one more come first, units that get nothing are left out. */
export function runsOf(share: bigint, units: number): UnitRun[] {
  const each = share / BigInt(units);
  const dearer = Number(share % BigInt(units));
  return [
    { units: dearer, amountMinor: Number(each + 1n) },
    { units: units - dearer, amountMinor: Number(each) },
  ].filter((run) => run.units > 0 && run.amountMinor > 0);
}
