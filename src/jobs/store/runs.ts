import { type Sql, withDeadline } from '../../database/client.ts';
import type { JobCounts } from '../job.ts';

/** How a run ended, or that it has not. */
export type RunState = 'waiting' | 'running' | 'done' | 'failed' | 'abandoned';

/** What started a run. */
export type RunTrigger = 'schedule' | 'manual';

/** A run as it is stored. */
export interface StoredRun {
  readonly id: string;
  readonly job: string;
  readonly trigger: RunTrigger;
  readonly actor: string;
  readonly state: RunState;
  readonly scheduled_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly error: string;
}

/** A run that staff asked for. */
export interface RunRequest {
  readonly id: string;
  readonly job: string;
  readonly actor: string;
  readonly scheduledAtMs: number;
}

/** What a run begins with. `nextRunAtMs` is when the job is due after it; undefined leaves what is stored. */
export interface RunStart {
  readonly job: string;
  readonly epoch: number;
  readonly scheduledAtMs: number;
  readonly startedAtMs: number;
  readonly nextRunAtMs: number | undefined;
}

/** What a run ended with. */
export interface RunEnd {
  readonly state: 'done' | 'failed';
  readonly finishedAtMs: number;
  readonly counts: JobCounts;
  readonly error: string;
}

/** Holds while the process still leads; a statement of an earlier leader changes nothing. */
function leads(sql: Sql, epoch: number) {
  return sql`EXISTS (SELECT FROM job_leader WHERE epoch = ${epoch} AND lease_until > clock_timestamp())`;
}

/** Writes a run of the schedule down; undefined when this process leads no more, or the job has a run under way. */
export async function beginRun(sql: Sql, start: RunStart, deadlineMs: number): Promise<string | undefined> {
  const { job, epoch, scheduledAtMs, startedAtMs, nextRunAtMs } = start;
  const next = nextRunAtMs === undefined ? null : new Date(nextRunAtMs);
  const rows = sql<{ id: string }[]>`
    WITH begun AS (
      INSERT INTO job_run (job, trigger, actor, state, epoch, scheduled_at, started_at)
      SELECT ${job}::text, 'schedule', '', 'running', ${epoch}::bigint, ${new Date(scheduledAtMs)}::timestamptz,
        ${new Date(startedAtMs)}::timestamptz
      WHERE ${leads(sql, epoch)}
      ON CONFLICT (job) WHERE state IN ('waiting', 'running') DO NOTHING
      RETURNING id
    ), moved AS (
      UPDATE job SET next_run_at = coalesce(${next}::timestamptz, next_run_at)
      WHERE name = ${job} AND EXISTS (SELECT FROM begun)
    )
    SELECT id FROM begun`;
  const [row] = await withDeadline(rows, deadlineMs);
  return row?.id;
}

/** Begins a run that was asked for; false when this process leads no more. */
export async function beginRequested(
  sql: Sql,
  id: string,
  start: Pick<RunStart, 'epoch' | 'startedAtMs'>,
  deadlineMs: number,
): Promise<boolean> {
  const rows = sql`
    UPDATE job_run SET state = 'running', epoch = ${start.epoch}, started_at = ${new Date(start.startedAtMs)}
    WHERE id = ${id} AND state = 'waiting' AND ${leads(sql, start.epoch)} RETURNING id`;
  return (await withDeadline(rows, deadlineMs)).length > 0;
}

/** The counts so far. */
export async function writeProgress(
  sql: Sql,
  id: string,
  counts: JobCounts,
  deadlineMs: number,
): Promise<void> {
  const statement = sql`
    UPDATE job_run SET counts = ${JSON.stringify(counts)}::text::jsonb WHERE id = ${id} AND state = 'running'`;
  await withDeadline(statement, deadlineMs);
}

/** Ends a run that was begun; one that was given up meanwhile stays given up. */
export async function endRun(sql: Sql, id: string, end: RunEnd, deadlineMs: number): Promise<void> {
  const statement = sql`
    UPDATE job_run
    SET state = ${end.state}, finished_at = ${new Date(end.finishedAtMs)}, counts = ${JSON.stringify(end.counts)}::text::jsonb,
      error = ${end.error}
    WHERE id = ${id} AND state = 'running'`;
  await withDeadline(statement, deadlineMs);
}

/** Writes a run down that has ended already. */
export async function recordRun(sql: Sql, start: RunStart, end: RunEnd, deadlineMs: number): Promise<void> {
  const statement = sql`
    INSERT INTO job_run (job, trigger, actor, state, epoch, scheduled_at, started_at, finished_at, counts, error)
    VALUES (${start.job}, 'schedule', '', ${end.state}, ${start.epoch}, ${new Date(start.scheduledAtMs)},
      ${new Date(start.startedAtMs)}, ${new Date(end.finishedAtMs)}, ${JSON.stringify(end.counts)}::text::jsonb, ${end.error})`;
  await withDeadline(statement, deadlineMs);
}

/** Gives up the runs earlier leaders left under way; the names of their jobs. */
export async function abandonRuns(sql: Sql, epoch: number, deadlineMs: number): Promise<string[]> {
  const rows = sql<{ job: string }[]>`
    UPDATE job_run SET state = 'abandoned', finished_at = now()
    WHERE state = 'running' AND epoch < ${epoch} RETURNING job`;
  return (await withDeadline(rows, deadlineMs)).map(({ job }) => job);
}

/** Runs that staff asked for and nobody has begun, oldest first. */
export async function readRequests(sql: Sql, deadlineMs: number): Promise<RunRequest[]> {
  const rows = sql<Pick<StoredRun, 'id' | 'job' | 'actor' | 'scheduled_at'>[]>`
    SELECT id, job, actor, scheduled_at FROM job_run WHERE state = 'waiting' ORDER BY id`;
  const requests = await withDeadline(rows, deadlineMs);
  return requests.map(({ id, job, actor, scheduled_at }) => ({
    id,
    job,
    actor,
    scheduledAtMs: scheduled_at.getTime(),
  }));
}

/** Removes runs that were due before `beforeMs`, at most `limit`; how many. */
export async function purgeRuns(
  sql: Sql,
  beforeMs: number,
  limit: number,
  deadlineMs: number,
): Promise<number> {
  const rows = sql`
    DELETE FROM job_run WHERE id IN (
      SELECT id FROM job_run WHERE scheduled_at < ${new Date(beforeMs)} AND state NOT IN ('waiting', 'running') LIMIT ${limit}
    ) RETURNING id`;
  return (await withDeadline(rows, deadlineMs)).length;
}
