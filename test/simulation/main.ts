/**
 * Runs schedules of the simulation: `node test/simulation/main.ts --seed 1 --schedules 10000`. Each has a number of its own, seed
 * plus place, by which it can be run again alone. One that fails is made small and printed as a regression case.
 */
import { parseArgs } from 'node:util';
import { generateSchedule } from './schedule/generate.ts';
import { minimise } from './schedule/minimise.ts';
import { runSchedule } from './schedule/run-schedule.ts';

/** How often progress is told, in milliseconds. */
const PROGRESS_MS = 10_000;
const MS_PER_MINUTE = 60_000;
/** After so many failures the rest would tell nothing new. */
const FAILURES_MAX = 5;

interface Settings {
  readonly seed: number;
  readonly schedules: number;
}

function readSettings(): Settings {
  const { values } = parseArgs({
    options: { seed: { type: 'string' }, schedules: { type: 'string', default: '1000' } },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 30));
  const schedules = Number(values.schedules);
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(schedules) || schedules < 1)
    throw new TypeError('--seed and --schedules are whole numbers, --schedules at least 1');
  return { seed, schedules };
}

/** Counts what was run. */
class Tally {
  readonly failed: number[] = [];
  private readonly startedAtMs = Date.now();
  private toldAtMs = Date.now();
  private run = 0;
  private virtualMs = 0;

  count(tookMs: number): void {
    this.run += 1;
    this.virtualMs += tookMs;
    if (Date.now() - this.toldAtMs < PROGRESS_MS) return;
    this.toldAtMs = Date.now();
    this.tell();
  }

  tell(): void {
    const perMinute = Math.round((this.run / (Date.now() - this.startedAtMs)) * MS_PER_MINUTE);
    const virtualMinutes = Math.round(this.virtualMs / MS_PER_MINUTE);
    console.log(
      `${this.run} schedules, ${perMinute} a minute, ${virtualMinutes} virtual minutes, ${this.failed.length} failed`,
    );
  }
}

async function fail(number: number, message: string): Promise<void> {
  console.log(`schedule ${number} fails: ${message}`);
  const smallest = await minimise(generateSchedule(number));
  const { violation } = await runSchedule(smallest);
  console.log(`made small, it fails with: ${violation?.message}`);
  console.log(`for a file of test/simulation/regressions:\n${JSON.stringify(smallest, undefined, 2)}`);
}

async function main({ seed, schedules }: Settings): Promise<number> {
  console.log(`seed ${seed}, schedules ${seed} to ${seed + schedules - 1}`);
  const tally = new Tally();
  for (let number = seed; number < seed + schedules && tally.failed.length < FAILURES_MAX; number += 1) {
    const { violation, tookMs } = await runSchedule(generateSchedule(number));
    if (violation !== undefined) {
      tally.failed.push(number);
      await fail(number, violation.message);
    }
    tally.count(tookMs);
  }
  tally.tell();
  if (tally.failed.length > 0) console.log(`failed: ${tally.failed.join(' ')}`);
  return tally.failed.length === 0 ? 0 : 1;
}

process.exitCode = await main(readSettings());
