import { describe, expect, test } from 'vitest';
import { firstLivingMonth, monthAfter, monthExpiresMs, pointsMonthAt } from './points-month.ts';

describe('a month of points', () => {
  test.each([
    ['2026-11-30T15:59:59.999Z', 'Asia/Shanghai', 202611],
    ['2026-11-30T16:00:00.000Z', 'Asia/Shanghai', 202612],
    ['2026-12-31T23:59:59.999Z', 'UTC', 202612],
    ['2027-01-01T04:59:59.999Z', 'America/New_York', 202612],
  ])('at %s in %s is %d', (instant, timeZone, month) => {
    const found = pointsMonthAt(Date.parse(instant), timeZone);
    expect(found.month).toBe(month);
    expect(pointsMonthAt(found.fromMs, timeZone).month).toBe(month);
    expect(pointsMonthAt(found.toMs, timeZone).month).toBe(month);
    expect(pointsMonthAt(found.fromMs - 1, timeZone).month).toBe(monthAfter(month, -1));
    expect(pointsMonthAt(found.toMs + 1, timeZone).month).toBe(monthAfter(month, 1));
  });

  test.each([
    [202611, 1, 202612],
    [202612, 1, 202701],
    [202601, -1, 202512],
    [202611, -12, 202511],
    [202611, 25, 202812],
  ])('%d and %d months more are %d', (month, months, expected) => {
    expect(monthAfter(month, months)).toBe(expected);
  });

  // SPEC T5
  test('lives so many months after its own, to the last instant', () => {
    const endMs = monthExpiresMs(202611, 12, 'Asia/Shanghai');
    expect(new Date(endMs).toISOString()).toBe('2027-11-30T16:00:00.000Z');
    expect(firstLivingMonth(endMs - 1, 12, 'Asia/Shanghai')).toBe(202611);
    expect(firstLivingMonth(endMs, 12, 'Asia/Shanghai')).toBe(202612);
  });
});
