/**
 * Exact arithmetic on whole amounts of minor units. All amounts are integers from 0 to 2^53 − 1, and so is every sum a
 * caller builds from them; results are exact over that whole range. `docs/money.md` is the contract.
 */
import type { UnitRun } from './decision.ts';

/** Basis points of the whole: 100 %. */
export const BASIS_POINTS = 10_000;
const MAX_SAFE = Number.MAX_SAFE_INTEGER;

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

/** The sum of the amounts at some places. */
export function sumAt(places: readonly number[], amounts: Float64Array): number {
  // Minus zero makes the sum a double from the start; from an integer zero, V8 boxes every step, which takes four times as long.
  let sum = -0;
  for (let at = 0; at < places.length; at += 1) sum += amounts[places[at] ?? 0] ?? 0;
  return sum + 0;
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
    for (let at = 0; at < places.length; at += 1) {
      const place = places[at] ?? 0;
      shares[place] = weights[place] ?? 0;
    }
    return;
  }
  makeRoom(places.length);
  if (totalMinor * weightSum <= MAX_SAFE) divide(totalMinor, weightSum, places, weights, shares);
  else divideBig(totalMinor, weightSum, places, weights, shares);
  const missing = totalMinor - sumAt(places, shares);
  if (missing > 0) handOut(missing, weightSum, places, shares);
}

/** Writes the shares rounded down, and the remainders; all products are safe integers. */
function divide(
  totalMinor: number,
  weightSum: number,
  places: readonly number[],
  weights: Float64Array,
  shares: Float64Array,
): void {
  const rest = remainders;
  for (let at = 0; at < places.length; at += 1) {
    const place = places[at] ?? 0;
    const product = totalMinor * (weights[place] ?? 0);
    const share = Math.floor(product / weightSum);
    rest[at] = product - share * weightSum;
    shares[place] = share;
  }
}

/** {@link divide} where products may leave the safe range. */
function divideBig(
  totalMinor: number,
  weightSum: number,
  places: readonly number[],
  weights: Float64Array,
  shares: Float64Array,
): void {
  const divisor = BigInt(weightSum);
  for (const [at, place] of places.entries()) {
    const product = BigInt(totalMinor) * BigInt(weights[place] ?? 0);
    remainders[at] = Number(product % divisor);
    shares[place] = Number(product / divisor);
  }
}

/** Scratch of one spread, in the order of its places; nothing of it outlives the call. */
let remainders = new Float64Array(128);

function makeRoom(places: number): void {
  if (places > remainders.length) remainders = new Float64Array(places * 2);
}

/** So many guesses follow the counts; after them the search halves, so that no cart makes it slow. */
const ROUNDS_OF_GUESSING = 6;

/**
 * One unit more for each of the `missing` largest remainders; there are always more of them above zero than that. Finds by
 * counting the remainder from which on everybody is served. Remainders lie more or less evenly between zero and the sum of
 * the weights, so guessing in proportion needs two or three counts.
 */
function handOut(missing: number, weightSum: number, places: readonly number[], shares: Float64Array): void {
  let low = 1;
  let reachedLow = places.length;
  let high = weightSum;
  let reachedHigh = 0;
  for (let round = 0; reachedHigh < missing && high - low > 1; round += 1) {
    const part = round < ROUNDS_OF_GUESSING ? (reachedLow - missing) / (reachedLow - reachedHigh) : 0.5;
    const guess = Math.min(high - 1, low + Math.max(1, Math.floor((high - low) * part)));
    const reached = countFrom(guess, places.length);
    if (reached > missing) {
      low = guess;
      reachedLow = reached;
    } else {
      high = guess;
      reachedHigh = reached;
    }
  }
  serve(high, missing - reachedHigh, places, shares);
}

/** A unit more for each remainder from `least` on, and for the first `ties` of those just below. */
function serve(least: number, ties: number, places: readonly number[], shares: Float64Array): void {
  const rest = remainders;
  let tiesLeft = ties;
  for (let at = 0; at < places.length; at += 1) {
    const remainder = rest[at] ?? 0;
    if (remainder < least) {
      if (tiesLeft === 0 || remainder !== least - 1) continue;
      tiesLeft -= 1;
    }
    const place = places[at] ?? 0;
    shares[place] = (shares[place] ?? 0) + 1;
  }
}

function countFrom(least: number, count: number): number {
  const rest = remainders;
  let reached = 0;
  for (let at = 0; at < count; at += 1) reached += Number((rest[at] ?? 0) >= least);
  return reached;
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
  // Literals, because a list that grows makes room for a dozen more, and an answer has a hundred of these.
  if (odd === 0) return [{ units, amountMinor: each }];
  const larger = { units: odd, amountMinor: each + 1 };
  return each === 0 ? [larger] : [larger, { units: units - odd, amountMinor: each }];
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

const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** Whether this is the ISO 4217 code of a currency. */
export function isCurrency(code: string): boolean {
  return CURRENCIES.has(code);
}

/** Decimal digits of the minor unit of an ISO 4217 currency; 2 for one that is not listed. */
export function minorDigits(currency: string): number {
  return DIGITS_BY_CURRENCY.get(currency) ?? 2;
}
