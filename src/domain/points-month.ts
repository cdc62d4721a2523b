/** Months by which points are dated: a whole number, year × 100 + month, in the time zone of the shop. */

const MONTHS_PER_YEAR = 12;

/** A month and the instants that belong to it, both included, in ms since the epoch. */
export interface PointsMonth {
  readonly month: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The month of a moment in an IANA time zone. */
export function pointsMonthAt(atMs: number, timeZone: string): PointsMonth {
  const local = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timeZone);
  const month = local.year * 100 + local.month;
  return {
    month,
    fromMs: monthStartMs(month, timeZone),
    toMs: monthStartMs(monthAfter(month, 1), timeZone) - 1,
  };
}

/** The first instant of a month, ms since the epoch. */
export function monthStartMs(month: number, timeZone: string): number {
  const date = Temporal.PlainDate.from({ year: Math.floor(month / 100), month: month % 100, day: 1 });
  return date.toZonedDateTime(timeZone).epochMilliseconds;
}

/** The month so many months later, or earlier when `months` is negative. */
export function monthAfter(month: number, months: number): number {
  const count = Math.floor(month / 100) * MONTHS_PER_YEAR + (month % 100) - 1 + months;
  return Math.floor(count / MONTHS_PER_YEAR) * 100 + (count % MONTHS_PER_YEAR) + 1;
}

/**
 * The oldest month whose points live at `atMs` when they live for `expiryMonths`. Points of the last day of a month have a
 * full life too, so a month's points end with the month that lies so many months later.
 */
export function firstLivingMonth(atMs: number, expiryMonths: number, timeZone: string): number {
  return monthAfter(pointsMonthAt(atMs, timeZone).month, -expiryMonths);
}

/** The first instant at which the points of a month are gone, ms since the epoch. */
export function monthExpiresMs(month: number, expiryMonths: number, timeZone: string): number {
  return monthStartMs(monthAfter(month, expiryMonths + 1), timeZone);
}
