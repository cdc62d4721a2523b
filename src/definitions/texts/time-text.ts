import type { DayOfWeek, TimeSlotRule } from '../../gen/hongbao/v1/rule_pb.ts';
import type { Text } from './text.ts';

const ENGLISH_DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const CHINESE_DAYS = ['周一', '周二', '周三', '周四', '周五', '周六', '周日'];

/** "Mon–Fri 11:00–14:00", "周一至周五 11:00–14:00". */
export function timeSlotText(rule: TimeSlotRule): Text {
  const slots = rule.slots.map(({ startMinute, endMinute }) => `${clock(startMinute)}–${clock(endMinute)}`);
  const runs = dayRuns(rule.days);
  return {
    en: [runs.map((run) => runText(run, ENGLISH_DAYS, '–')).join(', '), slots.join(', ')]
      .filter(Boolean)
      .join(' '),
    zh: [runs.map((run) => runText(run, CHINESE_DAYS, '至')).join('、'), slots.join('、')]
      .filter(Boolean)
      .join(' '),
  };
}

function clock(minute: number): string {
  const hours = String(Math.floor(minute / 60)).padStart(2, '0');
  return `${hours}:${String(minute % 60).padStart(2, '0')}`;
}

/** Days of the week in order, days that follow each other together. */
function dayRuns(days: readonly DayOfWeek[]): number[][] {
  const runs: number[][] = [];
  for (const day of [...new Set<number>(days)].sort((left, right) => left - right)) {
    const last = runs.at(-1);
    if (last?.at(-1) === day - 1) last.push(day);
    else runs.push([day]);
  }
  return runs;
}

/** Two days in a row read better one by one ("Sat, Sun"); three or more as a span. */
function runText(run: readonly number[], names: readonly string[], to: string): string {
  const named = run.map((day) => names[day - 1] ?? '');
  const [first, last] = [named.at(0) ?? '', named.at(-1) ?? ''];
  return run.length > 2 ? `${first}${to}${last}` : named.join(to === '至' ? '、' : ', ');
}
