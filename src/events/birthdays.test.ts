import { describe, expect, it } from 'vitest';
import { birthdayDays, birthdayYear, isCalendarDate, localDate } from './birthdays.ts';

// SPEC L6
describe('birthdays', () => {
  it.each([
    ['1990-12-30', '2026-12-28', 2026],
    ['1990-01-02', '2026-12-28', 2027],
    ['1990-12-30', '2027-01-03', 2026],
    ['2000-02-29', '2027-03-01', 2027],
    ['2026-06-01', '2026-06-01', 2026],
  ])('of %s near %s is that of %i', (birthday, date, year) => {
    expect(birthdayYear(birthday, date)).toBe(year);
  });

  it('are looked for from days before today to days ahead', () => {
    expect(birthdayDays('2026-12-31', 1, 1)).toEqual([
      { date: '2026-12-30', year: 2026, keys: [1230] },
      { date: '2026-12-31', year: 2026, keys: [1231] },
      { date: '2027-01-01', year: 2027, keys: [101] },
    ]);
  });

  it('of 29 February fall on the 28th in years without one', () => {
    expect(birthdayDays('2027-02-28', 0, 0)[0]?.keys).toEqual([228, 229]);
    expect(birthdayDays('2028-02-28', 0, 1).map(({ keys }) => keys)).toEqual([[228], [229]]);
    expect(birthdayDays('2100-02-28', 0, 0)[0]?.keys).toEqual([228, 229]);
  });

  it('begin in the zone of the shop', () => {
    expect(localDate(Date.parse('2026-02-28T17:00:00Z'), 'Asia/Shanghai')).toBe('2026-03-01');
    expect(localDate(Date.parse('2026-02-28T17:00:00Z'), 'UTC')).toBe('2026-02-28');
  });

  it.each([
    ['2024-02-29', true],
    ['2023-02-29', false],
    ['2026-04-31', false],
    ['0001-01-01', true],
  ])('%s is a day: %s', (text, isDay) => {
    expect(isCalendarDate(text)).toBe(isDay);
  });
});
