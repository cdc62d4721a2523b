import type { Failure } from '../../domain/decision.ts';
import type { RuleOf, TimeSlot } from '../../domain/promotion.ts';
import { type RuleCompiler, UncompilableError } from '../rule-parts.ts';
import type { LocalTime } from '../wall-clock.ts';
import { isTimeZone } from '../zoned-clock.ts';

/** Certain hours of certain days on the clocks of a time zone. A slot that crosses midnight belongs to the day it starts on. */
export const timeSlot: RuleCompiler<'time_slot'> = {
  kind: 'time_slot',
  compile(rule) {
    const { timeZone } = rule;
    if (!isTimeZone(timeZone))
      throw new UncompilableError('time_slot.time_zone', 'is not a known IANA time zone');
    const days = rule.days.length === 0 ? EVERY_DAY : dayBits(rule.days);
    const slots = rule.slots.length === 0 ? WHOLE_DAY : rule.slots;
    return {
      check({ wallClock }) {
        const local = wallClock.in(timeZone);
        return isInside(slots, days, local) ? undefined : outside(rule, local);
      },
    };
  },
};

const MINUTES_PER_HOUR = 60;
const WHOLE_DAY: readonly TimeSlot[] = [{ startMinute: 0, endMinute: 24 * MINUTES_PER_HOUR }];
const EVERY_DAY = dayBits([1, 2, 3, 4, 5, 6, 7]);

/** Bit `d` is set for ISO day `d`. */
function dayBits(days: readonly number[]): number {
  return days.reduce((bits, day) => bits | (1 << day), 0);
}

function isInside(slots: readonly TimeSlot[], days: number, { minuteOfDay, isoDay }: LocalTime): boolean {
  const startsToday = (days & (1 << isoDay)) !== 0;
  const startedYesterday = (days & (1 << (isoDay === 1 ? 7 : isoDay - 1))) !== 0;
  for (const { startMinute, endMinute } of slots) {
    const crossesMidnight = endMinute <= startMinute;
    if (startsToday && minuteOfDay >= startMinute && (crossesMidnight || minuteOfDay < endMinute))
      return true;
    if (startedYesterday && crossesMidnight && minuteOfDay < endMinute) return true;
  }
  return false;
}

function outside(rule: RuleOf<'time_slot'>, { minuteOfDay, isoDay }: LocalTime): Failure {
  return {
    reason: 'OUTSIDE_TIME_SLOT',
    needed: neededText(rule),
    seen: `${isoDay} ${clockText(minuteOfDay)}`,
  };
}

/** The days and hours in the form of the time seen: `1,2,3 11:00-14:00,17:00-21:00`. */
function neededText({ days, slots }: RuleOf<'time_slot'>): string {
  const hours = slots.map(
    ({ startMinute, endMinute }) => `${clockText(startMinute)}-${clockText(endMinute)}`,
  );
  return [days.join(','), hours.join(',')].filter((part) => part !== '').join(' ');
}

function clockText(minuteOfDay: number): string {
  const hours = Math.floor(minuteOfDay / MINUTES_PER_HOUR);
  return [hours, minuteOfDay % MINUTES_PER_HOUR].map((part) => String(part).padStart(2, '0')).join(':');
}
