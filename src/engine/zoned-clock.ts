import type { LocalTime, WallClock } from './wall-clock.ts';

const MS_PER_SECOND = 1000;
const MS_PER_MINUTE = 60 * MS_PER_SECOND;
const MINUTES_PER_DAY = 24 * 60;

/** Every time zone changes its offset at whole quarters of an hour UTC, so within one the offset is asked for once. */
const QUARTER_MS = 15 * MS_PER_MINUTE;

/** Quarters remembered per zone; most requests ask about now. All are forgotten when there are more. */
const QUARTERS_KEPT = 96;

/** 1 January 1970 was a Thursday. */
const ISO_DAY_OF_EPOCH = 4;

/** The offsets of one time zone from UTC. */
interface Zone {
  readonly format: Intl.DateTimeFormat;
  /** Offset in milliseconds by quarter of an hour since the epoch. */
  readonly offsets: Map<number, number>;
}

/** Zones remembered; there are about 600 names in the world, and letter case makes more. All are forgotten when there are more. */
const ZONES_KEPT = 1000;

const zones = new Map<string, Zone>();

/**
 * The clocks of the world at one moment, from the time zone rules of the runtime; a local time is computed once per zone.
 *
 * @param atMs Epoch milliseconds.
 */
export function zonedClock(atMs: number): WallClock {
  let lastZone: string | undefined;
  let lastTime: LocalTime | undefined;
  return {
    in(timeZone) {
      if (lastTime !== undefined && lastZone === timeZone) return lastTime;
      lastZone = timeZone;
      lastTime = localTime(atMs + zoneOffsetMs(timeZone, atMs));
      return lastTime;
    },
  };
}

function localTime(localMs: number): LocalTime {
  const minutes = Math.floor(localMs / MS_PER_MINUTE);
  const days = Math.floor(minutes / MINUTES_PER_DAY);
  const sinceMonday = (((days + ISO_DAY_OF_EPOCH - 1) % 7) + 7) % 7;
  return { minuteOfDay: minutes - days * MINUTES_PER_DAY, isoDay: sinceMonday + 1 };
}

/** True for the IANA name of a time zone this runtime knows; an offset such as +08:00 is none. */
export function isTimeZone(name: string): boolean {
  if (zones.has(name)) return true;
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    zoneOf(name);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** How far a zone's clocks are ahead of UTC at a moment, in milliseconds. Throws RangeError for an unknown zone. */
export function zoneOffsetMs(timeZone: string, atMs: number): number {
  const { format, offsets } = zoneOf(timeZone);
  const quarter = Math.floor(atMs / QUARTER_MS);
  const known = offsets.get(quarter);
  if (known !== undefined) return known;
  const offset = parseOffset(format.formatToParts(atMs));
  if (offsets.size >= QUARTERS_KEPT) offsets.clear();
  offsets.set(quarter, offset);
  return offset;
}

function zoneOf(timeZone: string): Zone {
  const known = zones.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  const zone = { format, offsets: new Map<number, number>() };
  if (zones.size >= ZONES_KEPT) zones.clear();
  zones.set(timeZone, zone);
  return zone;
}

/** Reads `GMT+05:30`, `GMT-00:44:30` or, at no offset, `GMT`. */
function parseOffset(parts: readonly Intl.DateTimeFormatPart[]): number {
  const text = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const found = /^GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (found === null) return 0;
  const [, sign, hours, minutes, seconds = '0'] = found;
  const total = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return (sign === '-' ? -total : total) * MS_PER_SECOND;
}
