import { describe, expect, it } from 'vitest';
import { type PeriodKind, usePeriod } from './use-periods.ts';

const iso = (text: string): number => Date.parse(text);

// SPEC P9
describe('a period in which uses are counted', () => {
  it.each<[PeriodKind, string, string, string, string, string]>([
    ['day', 'UTC', '2026-11-22T12:00Z', 'd20261122', '2026-11-22T00:00Z', '2026-11-23T00:00Z'],
    ['day', 'Asia/Shanghai', '2026-11-22T15:59Z', 'd20261122', '2026-11-21T16:00Z', '2026-11-22T16:00Z'],
    ['day', 'Asia/Shanghai', '2026-11-22T16:00Z', 'd20261123', '2026-11-22T16:00Z', '2026-11-23T16:00Z'],
    ['week', 'Asia/Shanghai', '2026-11-22T15:59Z', 'w20261116', '2026-11-15T16:00Z', '2026-11-22T16:00Z'],
    ['week', 'Asia/Shanghai', '2026-11-22T16:00Z', 'w20261123', '2026-11-22T16:00Z', '2026-11-29T16:00Z'],
    ['month', 'UTC', '2026-12-31T23:59Z', 'o202612', '2026-12-01T00:00Z', '2027-01-01T00:00Z'],
    // Clocks go forward at 02:00 and back at 03:00: days of 23 and of 25 hours.
    ['day', 'Europe/Berlin', '2026-03-29T12:00Z', 'd20260329', '2026-03-28T23:00Z', '2026-03-29T22:00Z'],
    ['day', 'Europe/Berlin', '2026-10-25T12:00Z', 'd20261025', '2026-10-24T22:00Z', '2026-10-25T23:00Z'],
    ['month', 'Europe/Berlin', '2026-10-31T12:00Z', 'o202610', '2026-09-30T22:00Z', '2026-10-31T23:00Z'],
    // Midnight does not exist: the day begins at 01:00.
    ['day', 'Africa/Cairo', '2026-04-24T12:00Z', 'd20260424', '2026-04-23T22:00Z', '2026-04-24T21:00Z'],
    // Midnight is there twice: the day begins with the first one.
    ['day', 'America/Havana', '2026-11-01T12:00Z', 'd20261101', '2026-11-01T04:00Z', '2026-11-02T05:00Z'],
    // A whole day was left out.
    ['day', 'Pacific/Apia', '2011-12-30T09:00Z', 'd20111229', '2011-12-29T10:00Z', '2011-12-30T10:00Z'],
  ])('is the %s in %s at %s', (kind, timeZone, at, field, from, next) => {
    expect(usePeriod(kind, timeZone, iso(at))).toEqual({ field, fromMs: iso(from), toMs: iso(next) - 1 });
  });

  it('has every one of its instants in itself', () => {
    for (const kind of ['day', 'week', 'month'] as const) {
      const period = usePeriod(kind, 'America/Sao_Paulo', iso('2018-11-04T12:00Z'));
      expect(usePeriod(kind, 'America/Sao_Paulo', period.fromMs)).toEqual(period);
      expect(usePeriod(kind, 'America/Sao_Paulo', period.toMs)).toEqual(period);
      expect(usePeriod(kind, 'America/Sao_Paulo', period.toMs + 1).fromMs).toBe(period.toMs + 1);
      expect(usePeriod(kind, 'America/Sao_Paulo', period.fromMs - 1).toMs).toBe(period.fromMs - 1);
    }
  });
});
