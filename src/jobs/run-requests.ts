/** What staff see of jobs, and how they ask for a run: through Postgres, because the leader is another process. */

import { type Sql, withDeadline } from '../database/client.ts';
import { violatedUniqueConstraint } from '../database/database-faults.ts';
import { Refusal } from '../domain/refusal.ts';
import type { StoredJob } from './store/catalogue.ts';
import type { StoredRun } from './store/runs.ts';

/** A job with its last run, if it has one. */
export interface JobView {
  readonly job: StoredJob;
  readonly lastRun: StoredRun | undefined;
}

/** Which runs: a page of them, newest first. */
export interface RunPage {
  /** Empty: of any job. */
  readonly job: string;
  /** Runs with a smaller number; undefined on the first page. */
  readonly below: number | undefined;
  readonly limit: number;
}

const COLUMNS = [
  'id',
  'job',
  'trigger',
  'actor',
  'state',
  'scheduled_at',
  'started_at',
  'finished_at',
  'counts',
  'error',
] as const;

/** All jobs by name. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
export async function listJobs(sql: Sql, deadlineMs: number): Promise<JobView[]> {
  const jobs = sql<StoredJob[]>`SELECT name, cron, time_zone, is_enabled, next_run_at FROM job ORDER BY name`;
  const runs = sql<StoredRun[]>`
    SELECT last.* FROM job CROSS JOIN LATERAL (
      SELECT ${sql([...COLUMNS])} FROM job_run WHERE job_run.job = job.name ORDER BY id DESC LIMIT 1
    ) last`;
  const [stored, last] = await withDeadline(Promise.all([jobs, runs]), deadlineMs);
  const byJob = new Map(last.map((run) => [run.job, run]));
  return stored.map((job) => ({ job, lastRun: byJob.get(job.name) }));
}

/** A page of runs. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
export async function listRuns(sql: Sql, page: RunPage, deadlineMs: number): Promise<StoredRun[]> {
  const { job, below, limit } = page;
  const rows = sql<StoredRun[]>`
    SELECT ${sql([...COLUMNS])} FROM job_run
    WHERE true ${job === '' ? sql`` : sql`AND job = ${job}`} ${below === undefined ? sql`` : sql`AND id < ${below}`}
    ORDER BY id DESC LIMIT ${limit}`;
  return await withDeadline(rows, deadlineMs);
}

/** Who asks for a run, and by which request. */
export interface RunOrder {
  readonly job: string;
  readonly requestId: string;
  readonly actor: string;
}

/**
 * Asks the leader for a run. The same request answers with the same run. Throws JOB_NOT_FOUND, JOB_RUNNING when one is under
 * way or asked for, REQUEST_ID_REUSED when the request was for another job.
 */
export async function requestRun(sql: Sql, order: RunOrder, deadlineMs: number): Promise<StoredRun> {
  const earlier = await runOfRequest(sql, order, deadlineMs);
  if (earlier !== undefined) return earlier;
  try {
    const [run] = await withDeadline(insertRequest(sql, order), deadlineMs);
    if (run !== undefined) return run;
  } catch (error) {
    if (violatedUniqueConstraint(error) === undefined) throw error;
    const raced = await runOfRequest(sql, order, deadlineMs);
    if (raced !== undefined) return raced;
    throw new Refusal('JOB_RUNNING', 'A run of the job is under way', { metadata: { job: order.job } });
  }
  throw new Refusal('JOB_NOT_FOUND', 'There is no such job', { metadata: { job: order.job } });
}

function insertRequest(sql: Sql, { job, requestId, actor }: RunOrder) {
  return sql<StoredRun[]>`
    INSERT INTO job_run (job, trigger, actor, request_id, state, scheduled_at)
    SELECT name, 'manual', ${actor}::text, ${requestId}::text, 'waiting', clock_timestamp() FROM job WHERE name = ${job}
    RETURNING ${sql([...COLUMNS])}`;
}

async function runOfRequest(sql: Sql, order: RunOrder, deadlineMs: number): Promise<StoredRun | undefined> {
  const rows = sql<
    StoredRun[]
  >`SELECT ${sql([...COLUMNS])} FROM job_run WHERE request_id = ${order.requestId}`;
  const [run] = await withDeadline(rows, deadlineMs);
  if (run !== undefined && run.job !== order.job)
    throw new Refusal('REQUEST_ID_REUSED', 'The request id was used for another job');
  return run;
}
