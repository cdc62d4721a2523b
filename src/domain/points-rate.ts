/** How many points an amount of money earns: a rate per major unit of its currency, multiplied exactly, the whole part. */
import { minorDigits } from './money.ts';

/** Decimal places a rate may have; enough for 1 point per 1,000,000. */
const RATE_DECIMALS = 6;

const RATE_PATTERN = /^\d{1,6}(\.\d{1,6})?$/;

/** Points per major unit where nothing else is set: 1 per 1.00. */
export const DEFAULT_POINTS_RATE = '1';

/** Whether the text is a rate: digits with at most six before and six behind the point. */
export function isPointsRate(text: string): boolean {
  return RATE_PATTERN.test(text);
}

/**
 * The whole part of `paidMinor` × `rate`, where the rate is points per major unit of `currency`. At most 2^53 − 1. Throws
 * RangeError when the rate is none.
 */
export function pointsFor(paidMinor: number, currency: string, rate: string): number {
  if (!isPointsRate(rate)) throw new RangeError(`"${rate}" is no rate of points`);
  const [whole = '', decimals = ''] = rate.split('.');
  const numerator = BigInt(whole + decimals.padEnd(RATE_DECIMALS, '0'));
  const denominator = 10n ** BigInt(RATE_DECIMALS + minorDigits(currency));
  const points = (BigInt(paidMinor) * numerator) / denominator;
  return points > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(points);
}
