/**
 * Exact arithmetic on whole amounts of minor units. All amounts are integers from 0 to 2^53 − 1, and so is every sum a
 * caller builds from them; results are exact over that whole range. `docs/money.md` is the contract.
 */
import type { UnitRun } from './decision.ts';

const BASIS_POINTS = 10_000;
const MAX_SAFE = Number.MAX_SAFE_INTEGER;

/** Whether a value is an amount: a whole number of minor units from 0 to 2^53 − 1. */
export function isAmount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Whether amounts and their sum all are amounts; what fails this is refused before anything is computed. */
export function isSafeSum(amounts: Iterable<number>): boolean {
  let sum = 0;
  for (const amount of amounts) {
    sum += amount;
    if (!isAmount(amount) || !isAmount(sum)) return false;
  }
  return true;
}

/**
 * A share of an amount, exact halves upwards: floor((base × basisPoints + 5000) / 10000). At most 10000 basis points, so
 * never more than the base.
 */
export function roundHalfUpShare(baseMinor: number, basisPoints: number): number {
  const numerator = baseMinor * basisPoints + BASIS_POINTS / 2;
  if (numerator <= MAX_SAFE) return Math.floor(numerator / BASIS_POINTS);
  // Whole ten-thousands are multiplied without a division, so that nothing leaves the safe range.
  const tenThousands = Math.floor(baseMinor / BASIS_POINTS);
  const rest = baseMinor - tenThousands * BASIS_POINTS;
  return tenThousands * basisPoints + Math.floor((rest * basisPoints + BASIS_POINTS / 2) / BASIS_POINTS);
}

/** A multiple in basis points of a count, rounded down; 2^53 − 1 when it would be more. */
export function floorMultiple(count: number, basisPoints: number): number {
  const tenThousands = Math.floor(count / BASIS_POINTS);
  const rest = count - tenThousands * BASIS_POINTS;
  return Math.min(MAX_SAFE, tenThousands * basisPoints + Math.floor((rest * basisPoints) / BASIS_POINTS));
}

/**
 * Splits an amount in proportion to weights by largest remainder: everybody gets his share rounded down, then those with
 * the largest remainders one unit more, the first of equal ones first. The shares sum to the amount; a zero weight gets
 * nothing. Without any weight all shares are zero.
 */
export function spread(totalMinor: number, weights: readonly number[]): number[] {
  const weightSum = weights.reduce((sum, weight) => sum + weight, 0);
  if (weightSum === 0) return weights.map(() => 0);
  const shares = Float64Array.from(weights);
  const places = weights.map((_, place) => place);
  spreadOver(totalMinor, weightSum, places, shares, shares);
  return [...shares];
}

/**
 * {@link spread} over some places of an array of weights, without allocating: `weightSum` is the sum of the weights at
 * these places, the shares are written at the same places. `shares` may be `weights` itself.
 */
export function spreadOver(
  totalMinor: number,
  weightSum: number,
  places: readonly number[],
  weights: Float64Array,
  shares: Float64Array,
): void {
  if (totalMinor === weightSum) {
    for (const place of places) shares[place] = weights[place] ?? 0;
    return;
  }
  makeRoom(places.length);
  let missing = totalMinor;
  for (let at = 0; at < places.length; at += 1) {
    const place = places[at] ?? 0;
    const weight = weights[place] ?? 0;
    const product = totalMinor * weight;
    const share =
      product <= MAX_SAFE ? Math.floor(product / weightSum) : bigShare(totalMinor, weight, weightSum);
    remainders[at] =
      product <= MAX_SAFE ? product - share * weightSum : bigRemainder(totalMinor, weight, weightSum);
    shares[place] = share;
    missing -= share;
  }
  if (missing > 0) handOut(missing, places, shares);
}

function bigShare(totalMinor: number, weight: number, weightSum: number): number {
  return Number((BigInt(totalMinor) * BigInt(weight)) / BigInt(weightSum));
}

function bigRemainder(totalMinor: number, weight: number, weightSum: number): number {
  return Number((BigInt(totalMinor) * BigInt(weight)) % BigInt(weightSum));
}

/** Scratch of one spread; nothing of it outlives the call. */
let remainders = new Float64Array(128);
let ranking = new Float64Array(128);

function makeRoom(places: number): void {
  if (places <= remainders.length) return;
  remainders = new Float64Array(places * 2);
  ranking = new Float64Array(places * 2);
}

/** One unit more for each of the `missing` largest remainders. There are always more remainders above zero than that. */
function handOut(missing: number, places: readonly number[], shares: Float64Array): void {
  const least = largestRemainder(missing, places.length);
  let tiesServed = missing;
  for (let at = 0; at < places.length; at += 1) if ((remainders[at] ?? 0) > least) tiesServed -= 1;
  for (let at = 0; at < places.length; at += 1) {
    const remainder = remainders[at] ?? 0;
    if (remainder < least || (remainder === least && tiesServed === 0)) continue;
    if (remainder === least) tiesServed -= 1;
    const place = places[at] ?? 0;
    shares[place] = (shares[place] ?? 0) + 1;
  }
}

/** From this many places on, sorting beats partitioning, whose worst case is quadratic. */
const SORT_FROM = 100;

/** The remainder that `rank` − 1 others are not below. */
function largestRemainder(rank: number, count: number): number {
  for (let at = 0; at < count; at += 1) ranking[at] = remainders[at] ?? 0;
  if (count >= SORT_FROM) return ranking.subarray(0, count).sort()[count - rank] ?? 0;
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const pivot = ranking[(low + high) >> 1] ?? 0;
    let left = low;
    let right = high;
    while (left <= right) {
      while ((ranking[left] ?? 0) > pivot) left += 1;
      while ((ranking[right] ?? 0) < pivot) right -= 1;
      if (left > right) break;
      const swapped = ranking[left] ?? 0;
      ranking[left] = ranking[right] ?? 0;
      ranking[right] = swapped;
      left += 1;
      right -= 1;
    }
    if (rank - 1 <= right) high = right;
    else if (rank - 1 >= left) low = left;
    else break;
  }
  return ranking[rank - 1] ?? 0;
}

/**
 * What the first units of a line are worth when an amount is left of it. The amount is thought of as split evenly over
 * the units, the odd minor units on the first ones.
 */
export function firstUnitsValue(leftMinor: number, quantity: number, units: number): number {
  if (units === quantity) return leftMinor;
  const each = Math.floor(leftMinor / quantity);
  return units * each + Math.min(units, leftMinor - quantity * each);
}

/** The share of a line by unit, the larger amounts first. Units that get nothing are left out; no share, no runs. */
export function unitRuns(amountMinor: number, units: number): UnitRun[] {
  if (amountMinor === 0 || units === 0) return [];
  const each = Math.floor(amountMinor / units);
  const odd = amountMinor - units * each;
  const runs: UnitRun[] = [];
  if (odd > 0) runs.push({ units: odd, amountMinor: each + 1 });
  if (each > 0) runs.push({ units: units - odd, amountMinor: each });
  return runs;
}

/**
 * ISO 4217 currencies whose minor unit is not a hundredth. Not asked of `Intl`: its digits are those of display, which say
 * 0 for HUF, IDR and IQD, and they change with the runtime, so that an answer would not be the same for ever.
 */
const DIGITS_BY_CURRENCY: ReadonlyMap<string, number> = new Map([
  ...'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'.split(' ').map(withDigits(0)),
  ...'BHD IQD JOD KWD LYD OMR TND'.split(' ').map(withDigits(3)),
  ...'CLF UYW'.split(' ').map(withDigits(4)),
]);

function withDigits(digits: number): (currency: string) => [string, number] {
  return (currency) => [currency, digits];
}

/** Decimal digits of the minor unit of an ISO 4217 currency; 2 for one that is not listed. */
export function minorDigits(currency: string): number {
  return DIGITS_BY_CURRENCY.get(currency) ?? 2;
}
