/** Days, weeks and months in which uses are counted: their field in a usage record, and the instants that belong to them. */
import { MS_PER_DAY } from '../domain/durations.ts';
import { zoneOffsetMs } from '../engine/zoned-clock.ts';

/** The kinds of period; weeks begin on Monday. */
export type PeriodKind = 'day' | 'week' | 'month';

/** One day, week or month of a zone. */
export interface UsePeriod {
  /** Field of the usage record: `d20261122`, `w20261116` (its Monday), `o202611`. */
  readonly field: string;
  /** First and last instant, ms since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** 1 January 1970 was a Thursday, three days after a Monday. */
const EPOCH_DAYS_AFTER_MONDAY = 3;
/** Longer than any change of a zone's clocks. */
const NEAR_MS = 3 * 60 * 60 * 1000;

const FIELD_LETTERS: Readonly<Record<PeriodKind, string>> = { day: 'd', week: 'w', month: 'o' };

/** First day of the period that a local day is in, and of the next one; days since the epoch. */
function boundsOf(kind: PeriodKind, day: number): { first: number; next: number } {
  if (kind === 'day') return { first: day, next: day + 1 };
  if (kind === 'week') {
    const first = day - ((((day + EPOCH_DAYS_AFTER_MONDAY) % 7) + 7) % 7);
    return { first, next: first + 7 };
  }
  const date = new Date(day * MS_PER_DAY);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return { first: Date.UTC(year, month, 1) / MS_PER_DAY, next: Date.UTC(year, month + 1, 1) / MS_PER_DAY };
}

/**
 * The first instant of a local day. Clocks may be put forward or back at midnight, so both offsets around it are tried and
 * the earlier instant that already is in the day wins.
 */
function startOfDay(day: number, timeZone: string): number {
  const localMs = day * MS_PER_DAY;
  const guessMs = localMs - zoneOffsetMs(timeZone, localMs);
  const candidates = [guessMs - NEAR_MS, guessMs + NEAR_MS].map(
    (atMs) => localMs - zoneOffsetMs(timeZone, atMs),
  );
  const inDay = candidates.filter((atMs) => atMs + zoneOffsetMs(timeZone, atMs) >= localMs);
  return Math.min(...inDay);
}

/** The period of a kind that an instant is in, by the clocks of an IANA zone. */
export function usePeriod(kind: PeriodKind, timeZone: string, atMs: number): UsePeriod {
  const day = Math.floor((atMs + zoneOffsetMs(timeZone, atMs)) / MS_PER_DAY);
  const { first, next } = boundsOf(kind, day);
  const digits = new Date(first * MS_PER_DAY).toISOString().slice(0, 10).replaceAll('-', '');
  return {
    field: FIELD_LETTERS[kind] + (kind === 'month' ? digits.slice(0, 6) : digits),
    fromMs: startOfDay(first, timeZone),
    toMs: startOfDay(next, timeZone) - 1,
  };
}
