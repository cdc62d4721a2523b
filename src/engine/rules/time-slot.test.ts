import { describe, expect, it, test } from 'vitest';
import { failureOf } from '../../../test/engine/sample-rule-context.ts';
import type { RuleOf } from '../../domain/promotion.ts';
import { UncompilableError } from '../rule-parts.ts';
import { Vocabulary } from '../vocabulary.ts';
import { timeSlot } from './time-slot.ts';

const minute = (clock: string): number => {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number);
  return hours * 60 + minutes;
};

/** `11:00-14:00 22:00-02:00` on some days (none: every day) in a zone. */
function slotRule(hours: string, days: readonly number[], timeZone: string): RuleOf<'time_slot'> {
  const slots = hours.split(' ').map((slot) => {
    const [start = '', end = ''] = slot.split('-');
    return { startMinute: minute(start), endMinute: minute(end) };
  });
  return { kind: 'time_slot', slots: hours === '' ? [] : slots, days, timeZone };
}

const isOpen = (rule: RuleOf<'time_slot'>, instant: string): boolean =>
  failureOf(rule, { atMs: Date.parse(instant) }) === undefined;

// SPEC R6
describe('time slots', () => {
  const lunch = slotRule('11:00-14:00', [1, 2, 3, 4, 5], 'Asia/Shanghai');
  const lateOnFriday = slotRule('22:00-02:00', [5], 'Asia/Shanghai');
  const night = slotRule('02:00-03:00', [], 'Europe/Berlin');
  const nightNewYork = slotRule('01:00-02:00', [7], 'America/New_York');

  test.each([
    ['the start is in', lunch, '2026-07-01T11:00:00+08:00', true],
    ['just before the start is out', lunch, '2026-07-01T10:59:59.999+08:00', false],
    ['just before the end is in', lunch, '2026-07-01T13:59:59.999+08:00', true],
    ['the end is out', lunch, '2026-07-01T14:00:00+08:00', false],
    ['another day is out', lunch, '2026-07-04T12:00:00+08:00', false],
    ['before midnight of its day', lateOnFriday, '2026-07-03T23:59:59+08:00', true],
    ['after midnight it still belongs to the day before', lateOnFriday, '2026-07-04T01:59:59+08:00', true],
    ['after midnight the end is out', lateOnFriday, '2026-07-04T02:00:00+08:00', false],
    ['the hours after midnight of its own day are not in', lateOnFriday, '2026-07-03T01:00:00+08:00', false],
    ['the evening of the next day is not in', lateOnFriday, '2026-07-04T22:00:00+08:00', false],
    ['Sunday night runs into Monday', slotRule('22:00-02:00', [7], 'UTC'), '2026-07-06T01:00:00Z', true],
    [
      'an end equal to the start is a whole day',
      slotRule('09:00-09:00', [1], 'UTC'),
      '2026-07-07T08:59:00Z',
      true,
    ],
    ['and no minute more', slotRule('09:00-09:00', [1], 'UTC'), '2026-07-07T09:00:00Z', false],
    ['24:00 is the end of the day', slotRule('20:00-24:00', [3], 'UTC'), '2026-07-01T23:59:59Z', true],
    ['and not of the next', slotRule('20:00-24:00', [3], 'UTC'), '2026-07-02T00:00:00Z', false],
    ['the second of two slots', slotRule('11:00-14:00 17:00-21:00', [], 'UTC'), '2026-07-01T17:00:00Z', true],
    ['between two slots', slotRule('11:00-14:00 17:00-21:00', [], 'UTC'), '2026-07-01T15:00:00Z', false],
    ['days alone are whole days', slotRule('', [3], 'UTC'), '2026-07-01T00:00:00Z', true],
    ['days alone, another day', slotRule('', [3], 'UTC'), '2026-07-02T00:00:00Z', false],
    ['Berlin skips the hour: before', night, '2026-03-29T00:59:59Z', false],
    ['Berlin skips the hour: after', night, '2026-03-29T01:00:00Z', false],
    ['Berlin has the hour twice: first', night, '2026-10-25T00:00:00Z', true],
    ['Berlin has the hour twice: second', night, '2026-10-25T01:59:59Z', true],
    ['Berlin has the hour twice: then out', night, '2026-10-25T02:00:00Z', false],
    ['New York has the hour twice: first', nightNewYork, '2026-11-01T05:59:00Z', true],
    ['New York has the hour twice: second', nightNewYork, '2026-11-01T06:00:00Z', true],
    ['New York: then out', nightNewYork, '2026-11-01T07:00:00Z', false],
    [
      'New York skips 02:00 to 03:00',
      slotRule('02:00-03:00', [7], 'America/New_York'),
      '2026-03-08T07:00:00Z',
      false,
    ],
  ] as const)('%s', (_, rule, instant, open) => {
    expect(isOpen(rule, instant)).toBe(open);
  });

  it('a slot and what is left of the day are never open together, at any minute of a week', () => {
    for (let at = 0; at < 7 * 24 * 60; at += 7) {
      const atMs = Date.UTC(2026, 6, 6) + at * 60_000;
      const states = ['22:30-02:15', '02:15-22:30'].map((hours) =>
        failureOf(slotRule(hours, [], 'Asia/Kathmandu'), { atMs }),
      );
      expect(states.filter((failure) => failure === undefined)).toHaveLength(1);
    }
  });

  it('says what the clock shows', () => {
    expect(failureOf(lateOnFriday, { atMs: Date.parse('2026-07-06T13:05:00+08:00') })).toEqual({
      reason: 'OUTSIDE_TIME_SLOT',
      ruleIndex: 0,
      needed: '5 22:00-02:00',
      seen: '1 13:05',
    });
  });

  it('an unknown zone is found when it is compiled', () => {
    const compile = () => timeSlot.compile(slotRule('', [1], 'Mars/Olympus'), new Vocabulary());
    expect(compile).toThrow(UncompilableError);
  });
});
