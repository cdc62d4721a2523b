import { assert, constantFrom, integer, property } from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { isTimeZone, zonedClock } from './zoned-clock.ts';

const ZONES = [
  'Asia/Shanghai',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'America/St_Johns',
  'Pacific/Apia',
  'UTC',
];

/** `isoDay HH:MM` in a zone at an instant. */
function shown(instant: string, zone: string): string {
  const { isoDay, minuteOfDay } = zonedClock(Date.parse(instant)).in(zone);
  const two = (part: number): string => String(Math.floor(part)).padStart(2, '0');
  return `${isoDay} ${two(minuteOfDay / 60)}:${two(minuteOfDay % 60)}`;
}

// SPEC R6
describe('clocks of the world', () => {
  test.each([
    ['Shanghai has no daylight saving', 'Asia/Shanghai', '2026-07-01T16:30:00Z', '4 00:30'],
    ['a Sunday', 'Asia/Shanghai', '2026-07-05T00:00:00Z', '7 08:00'],
    ['Berlin before its missing hour', 'Europe/Berlin', '2026-03-29T00:59:59Z', '7 01:59'],
    ['Berlin after its missing hour', 'Europe/Berlin', '2026-03-29T01:00:00Z', '7 03:00'],
    ['Berlin at its double hour, first time', 'Europe/Berlin', '2026-10-25T00:30:00Z', '7 02:30'],
    ['Berlin at its double hour, second time', 'Europe/Berlin', '2026-10-25T01:30:00Z', '7 02:30'],
    ['New York before its missing hour', 'America/New_York', '2026-03-08T06:59:00Z', '7 01:59'],
    ['New York after its missing hour', 'America/New_York', '2026-03-08T07:00:00Z', '7 03:00'],
    ['New York at its double hour, first time', 'America/New_York', '2026-11-01T05:30:00Z', '7 01:30'],
    ['New York at its double hour, second time', 'America/New_York', '2026-11-01T06:30:00Z', '7 01:30'],
    ['the day before, west of UTC', 'America/New_York', '2026-07-01T03:00:00Z', '2 23:00'],
    ['an offset of three quarters', 'Asia/Kathmandu', '2026-07-01T00:00:00Z', '3 05:45'],
    ['before the epoch', 'UTC', '1969-12-28T23:59:00Z', '7 23:59'],
  ])('%s', (_, zone, instant, clock) => {
    expect(shown(instant, zone)).toBe(clock);
  });

  it('agrees with the calendar of the runtime at any moment, also when asked in any order', () => {
    assert(
      property(
        constantFrom(...ZONES),
        integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2060, 0, 1) }),
        (zone, atMs) => {
          const local = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(zone);
          const expected = { minuteOfDay: local.hour * 60 + local.minute, isoDay: local.dayOfWeek };
          expect(zonedClock(atMs).in(zone)).toEqual(expected);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('shows two zones of one moment in turn', () => {
    const clock = zonedClock(Date.UTC(2026, 6, 1, 4));
    const shanghai = clock.in('Asia/Shanghai');
    expect(clock.in('UTC').minuteOfDay).toBe(240);
    expect(clock.in('Asia/Shanghai')).toEqual(shanghai);
  });

  it('knows zones by name, and no offsets', () => {
    expect(['Asia/Shanghai', 'UTC'].every(isTimeZone)).toBe(true);
    expect(['+08:00', 'Mars/Olympus', ''].some(isTimeZone)).toBe(false);
    expect(() => zonedClock(0).in('Mars/Olympus')).toThrow(RangeError);
  });
});
