/** Birthdays by the calendar: which year's birthday a day belongs to, and the days around today. */

/** A day, as UTC midnight in ms since the epoch: plain dates only, no zone. */
type Day = number;

const MS_PER_CALENDAR_DAY = 86_400_000;
const YEAR_CHARACTERS = 4;

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

/** Whether a text of the form YYYY-MM-DD is a day of the calendar. */
export function isCalendarDate(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.split('-').map(Number);
  const date = new Date(Date.UTC(2000, month - 1, day));
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** The day of a birthday in a year: that of 29 February is the 28th in years without one. */
function dayIn(year: number, month: number, day: number): Day {
  const isMissing = month === 2 && day === 29 && !isLeap(year);
  return Date.UTC(year, month - 1, isMissing ? 28 : day);
}

/** The local day of an instant in an IANA zone, as YYYY-MM-DD. */
export function localDate(atMs: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(atMs);
  const part = (type: string): string => parts.find((candidate) => candidate.type === type)?.value ?? '';
  return `${part('year').padStart(YEAR_CHARACTERS, '0')}-${part('month')}-${part('day')}`;
}

function yearOf(date: string): number {
  return Number(date.slice(0, YEAR_CHARACTERS));
}

/** The year whose birthday of somebody born on `birthday` lies nearest to a day; both YYYY-MM-DD. */
export function birthdayYear(birthday: string, date: string): number {
  const [month = 0, day = 0] = birthday.split('-').slice(1).map(Number);
  const at = Date.parse(date);
  const years = [yearOf(date) - 1, yearOf(date), yearOf(date) + 1];
  const distance = (year: number): number => Math.abs(dayIn(year, month, day) - at);
  return years.reduce((nearest, year) => (distance(year) < distance(nearest) ? year : nearest));
}

/** A day on which birthdays fall. */
export interface BirthdayDay {
  /** YYYY-MM-DD. */
  readonly date: string;
  readonly year: number;
  /** Month × 100 + day of the birthdays celebrated then; on 28 February those of the 29th too, where there is none. */
  readonly keys: readonly number[];
}

/** The days from `daysBefore` before a day (YYYY-MM-DD) to `daysAhead` after it. */
export function birthdayDays(date: string, daysBefore: number, daysAhead: number): BirthdayDay[] {
  const today = Date.parse(date);
  return Array.from({ length: daysBefore + daysAhead + 1 }, (_, index) => {
    const text = new Date(today + (index - daysBefore) * MS_PER_CALENDAR_DAY).toISOString().slice(0, 10);
    const key = Number(text.slice(5, 7) + text.slice(8, 10));
    const year = yearOf(text);
    return { date: text, year, keys: key === 228 && !isLeap(year) ? [228, 229] : [key] };
  });
}
