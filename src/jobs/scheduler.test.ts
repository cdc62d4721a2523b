import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { createDatabase, type Sql } from '../database/client.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import type { Job, JobContext, JobCounts } from './job.ts';
import { nextRunMs } from './next-run.ts';
import { listJobs, listRuns, requestRun } from './run-requests.ts';
import { Scheduler } from './scheduler.ts';
import type { StoredRun } from './store/runs.ts';

const YEARLY = { kind: 'cron', cron: '0 0 1 1 *', timeZone: 'Asia/Shanghai' } as const;
const LEASE_MS = 1_500;
const OPTIONS = { maxConnections: 4, statementTimeoutMs: 5_000, connectTimeoutMs: 5_000 };

let database: TestDatabase;
let sql: Sql;
const schedulers: Scheduler[] = [];
const pools: Sql[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  sql = createDatabase(database.url, { ...OPTIONS, applicationName: 'test' });
});

afterAll(async () => {
  await sql.end({ timeout: 1 });
  await database.drop();
});

beforeEach(async () => {
  await sql`TRUNCATE job, job_run, job_progress`;
  await sql`UPDATE job_leader SET owner = NULL, lease_until = NULL`;
});

afterEach(async () => {
  await Promise.all(schedulers.splice(0).map((scheduler) => scheduler.stop()));
  await Promise.all(pools.splice(0).map((pool) => pool.end({ timeout: 1 })));
});

function jobOf(run: (context: JobContext) => Promise<JobCounts>, overrides: Partial<Job> = {}): Job {
  return { name: 'count', description: 'Counts.', times: YEARLY, isEnabled: true, run, ...overrides };
}

function startScheduler(owner: string, ...jobs: Job[]): { scheduler: Scheduler; metrics: Metrics } {
  const pool = createDatabase(database.url, { ...OPTIONS, applicationName: owner });
  pools.push(pool);
  const metrics = createMetrics({ version: 'test', node: process.version });
  const logger = pino({ level: 'silent' });
  const scheduler = new Scheduler({
    sql: pool,
    jobs,
    owner,
    leaseMs: LEASE_MS,
    metrics,
    logger,
    nowMs: Date.now,
  });
  schedulers.push(scheduler);
  scheduler.start();
  return { scheduler, metrics };
}

const soon = () => Date.now() + 10_000;
const ask = (requestId: string, job = 'count') => requestRun(sql, { job, requestId, actor: 'ann' }, soon());

async function runs(): Promise<StoredRun[]> {
  return await listRuns(sql, { job: '', below: undefined, limit: 50 }, soon());
}

/** Waits for what must come; the test's own time-out is the bound. */
async function until<Value>(look: () => Promise<Value | undefined | false>): Promise<Value> {
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value;
    await sleep(20);
  }
}

const announced = () => until(async () => (await listJobs(sql, soon())).length > 0);
const finished = (count: number) =>
  until(async () => {
    const ended = (await runs()).filter(({ finished_at }) => finished_at !== null);
    return ended.length >= count && ended;
  });

describe('a run asked for by staff (SPEC L8)', () => {
  test('is made once per request, with its counts and who asked', async () => {
    const { metrics } = startScheduler(
      'one',
      jobOf(async () => ({ done: 3 })),
    );
    await announced();
    const asked = await ask('r1');
    const [run] = await finished(1);
    expect(run).toMatchObject({
      id: asked.id,
      trigger: 'manual',
      actor: 'ann',
      state: 'done',
      counts: { done: 3 },
    });
    expect((await ask('r1')).id).toBe(asked.id);
    expect(metrics.jobRuns.child('count', 'done').value).toBe(1);
    expect(metrics.jobLastSuccess.child('count').value).toBeGreaterThan(0);
  });

  test('is refused while one is under way, for an unknown job, and for another job under the same request', async () => {
    const gate = Promise.withResolvers<void>();
    const slow = jobOf(async () => {
      await gate.promise;
      return {};
    });
    startScheduler(
      'one',
      slow,
      jobOf(async () => ({}), { name: 'other' }),
    );
    await announced();
    await ask('r1');
    await expect(ask('r2')).rejects.toMatchObject({ reason: 'JOB_RUNNING' });
    await expect(ask('r1', 'other')).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
    await expect(ask('r3', 'unknown')).rejects.toMatchObject({ reason: 'JOB_NOT_FOUND' });
    gate.resolve();
    await finished(1);
    expect((await ask('r2')).state).toBe('waiting');
  });

  test('also of a job that is switched off', async () => {
    startScheduler(
      'one',
      jobOf(async () => ({ done: 1 }), { isEnabled: false }),
    );
    await announced();
    const [view] = await listJobs(sql, soon());
    expect(view?.job).toMatchObject({ is_enabled: false, next_run_at: null });
    await ask('r1');
    expect((await finished(1))[0]?.state).toBe('done');
  });

  test('that fails says why, and shows what it had done', async () => {
    const failing = jobOf(async ({ progress }) => {
      progress({ done: 2 });
      throw new Error('the store is away');
    });
    const { metrics } = startScheduler('one', failing);
    await announced();
    await ask('r1');
    expect((await finished(1))[0]).toMatchObject({
      state: 'failed',
      error: 'the store is away',
      counts: { done: 2 },
    });
    expect(metrics.jobRuns.child('count', 'failed').value).toBe(1);
  });
});

describe('the schedule (SPEC L8)', () => {
  test('cron lines hold in their own zone', () => {
    const at = (text: string) => new Date(text).getTime();
    expect(nextRunMs('0 1 * * *', 'Asia/Shanghai', at('2026-11-22T16:59:59Z'))).toBe(
      at('2026-11-22T17:00:00Z'),
    );
    expect(nextRunMs('0 1 * * *', 'Asia/Shanghai', at('2026-11-22T17:00:00Z'))).toBe(
      at('2026-11-23T17:00:00Z'),
    );
    expect(nextRunMs('30 2 * * *', 'Europe/Berlin', at('2026-03-28T23:00:00Z'))).toBe(
      at('2026-03-29T01:00:00Z'),
    );
  });

  test('a run that was missed is made up for once', async () => {
    const { scheduler } = startScheduler(
      'one',
      jobOf(async () => ({ done: 1 })),
    );
    await announced();
    await scheduler.stop();
    await sql`UPDATE job SET next_run_at = now() - interval '3 years'`;
    startScheduler(
      'two',
      jobOf(async () => ({ done: 1 })),
    );
    const [run] = await finished(1);
    expect(run).toMatchObject({ trigger: 'schedule', state: 'done' });
    const [view] = await listJobs(sql, soon());
    expect(view?.job.next_run_at?.getTime()).toBe(nextRunMs(YEARLY.cron, YEARLY.timeZone, Date.now()));
    expect(await runs()).toHaveLength(1);
  });

  test('a job that runs all the time never overlaps itself, and leaves only runs that did something', async () => {
    let made = 0;
    let inside = 0;
    const every = jobOf(
      async () => {
        made += 1;
        inside += 1;
        expect(inside).toBe(1);
        await sleep(5);
        inside -= 1;
        return { done: made === 3 ? 1 : 0 };
      },
      { times: { kind: 'every', everyMs: 1 } },
    );
    startScheduler('one', every);
    await until(async () => made > 5);
    expect((await runs()).map(({ counts }) => counts['done'])).toEqual([1, 0]);
  });
});

describe('the lead (SPEC C5)', () => {
  test('one process runs the jobs, and another takes over when it dies', async () => {
    const makers: string[] = [];
    const jobFor = (owner: string) =>
      jobOf(
        async () => {
          makers.push(owner);
          return { done: 1 };
        },
        { times: { kind: 'every', everyMs: 1 } },
      );
    startScheduler('one', jobFor('one'));
    await until(async () => makers.length > 2);
    startScheduler('two', jobFor('two'));
    await sleep(LEASE_MS);
    expect(new Set(makers)).toEqual(new Set(['one']));
    await pools[0]?.end({ timeout: 0 });
    await until(async () => makers.includes('two'));
    const takenOver = makers.indexOf('two');
    await sleep(LEASE_MS);
    expect(makers.slice(takenOver)).not.toContain('one');
  });

  test('what a dead leader left under way is given up, and made again', async () => {
    const { scheduler } = startScheduler(
      'one',
      jobOf(async () => ({ done: 1 })),
    );
    await announced();
    await scheduler.stop();
    await sql`
      INSERT INTO job_run (job, trigger, actor, state, epoch, scheduled_at, started_at)
      VALUES ('count', 'schedule', '', 'running', 0, now(), now())`;
    const { metrics } = startScheduler(
      'two',
      jobOf(async () => ({ done: 1 })),
    );
    const ended = await finished(2);
    expect(ended.map(({ state }) => state)).toEqual(['done', 'abandoned']);
    expect(metrics.jobRuns.child('count', 'abandoned').value).toBe(1);
  });
});
