/**
 * Schedules that once broke a promise, as small as they could be made, in `regressions/`: each names what was wrong, and the rows
 * of the ledger's rules, the faults and the promises it was about. SPEC C3, C4
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LATE_ATTEMPT } from './schedule/late-attempt.ts';
import type { Schedule } from './schedule/plan.ts';
import { runSchedule } from './schedule/run-schedule.ts';

interface Regression {
  /** For example `LEDGER 14`, `F13`. */
  readonly rows: readonly string[];
  /** What happened, to be read after "it does not happen any more that". */
  readonly name: string;
  readonly schedule: Schedule;
}

const FOLDER = join(import.meta.dirname, 'regressions');

const CASES: readonly Regression[] = [
  ...readdirSync(FOLDER).map((file): Regression => JSON.parse(readFileSync(join(FOLDER, file), 'utf8'))),
  {
    rows: ['F4', 'F32', 'LEDGER 3', 'LEDGER 14'],
    name: 'an attempt that was given up lands after the next one was refused',
    schedule: LATE_ATTEMPT,
  },
];

it.each(CASES)('it does not happen any more that $name', async ({ schedule }) => {
  expect((await runSchedule(schedule)).violation).toBeUndefined();
});
