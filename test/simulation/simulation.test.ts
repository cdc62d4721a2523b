/**
 * Many processes, stores that fail, clients that ask again, all on one clock: whatever happens, the promises hold. A schedule that
 * breaks one is printed small, for `regressions/`; `npm run simulate` runs as many as one likes.
 */
import { expect, it } from 'vitest';
import { generateSchedule } from './schedule/generate.ts';
import { minimise } from './schedule/minimise.ts';
import { runSchedule } from './schedule/run-schedule.ts';

const SCHEDULES = 120;

// SPEC C3, C4, C9, L5; invariants I1–I4, I6–I12, I16; F1–F6, F11–F13, F16, F19–F22, F26, F27, F32, F34
it('holds its promises in schedules of a seed nobody has chosen', { timeout: 120_000 }, async () => {
  const seed = Math.floor(Math.random() * 2 ** 30);
  console.log(`simulation: schedules ${seed} to ${seed + SCHEDULES - 1}`);
  for (let number = seed; number < seed + SCHEDULES; number += 1) {
    const schedule = generateSchedule(number);
    const { violation } = await runSchedule(schedule);
    if (violation === undefined) continue;
    const smallest = JSON.stringify(await minimise(schedule));
    expect.fail(`schedule ${number}: ${violation.message}\n${smallest}`);
  }
});

it('runs the same schedule the same way every time', async () => {
  const schedule = generateSchedule(4242);
  const [first, second] = [await runSchedule(schedule), await runSchedule(schedule)];
  expect([second.tasks, second.tookMs]).toEqual([first.tasks, first.tookMs]);
});
