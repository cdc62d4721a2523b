import { textArray } from '../../database/array-literal.ts';
import { type Sql, withDeadline } from '../../database/client.ts';
import type { Job } from '../job.ts';

/** A job as it is stored, with its last run where it has one. */
export interface StoredJob {
  readonly name: string;
  readonly cron: string | null;
  readonly time_zone: string | null;
  readonly is_enabled: boolean;
  readonly next_run_at: Date | null;
}

/**
 * Makes the stored jobs those of this release. A job keeps the time of its next run, also when that has passed, so that a
 * missed run is made up for once; a new one, or one with other times, is due by `nextRunAtMs`. Answers with what is due
 * when.
 */
export async function announceJobs(
  sql: Sql,
  jobs: readonly Job[],
  nextRunAtMs: (job: Job) => number | undefined,
  deadlineMs: number,
): Promise<ReadonlyMap<string, number>> {
  const rows = sql<{ name: string; next_run_at: Date | null }[]>`
    WITH known AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(jobs.map((job) => recordOf(job, nextRunAtMs(job))))}::text::jsonb)
        AS r(name text, description text, cron text, time_zone text, every_ms bigint, is_enabled boolean, next_run_at timestamptz)
    ), gone AS (
      DELETE FROM job WHERE name <> ALL (${textArray(jobs.map(({ name }) => name))}::text[])
    )
    INSERT INTO job AS j (name, description, cron, time_zone, every_ms, is_enabled, next_run_at) SELECT * FROM known
    ON CONFLICT (name) DO UPDATE SET description = excluded.description, cron = excluded.cron, time_zone = excluded.time_zone,
      every_ms = excluded.every_ms, is_enabled = excluded.is_enabled,
      next_run_at = CASE
        WHEN j.cron = excluded.cron AND j.time_zone = excluded.time_zone AND excluded.next_run_at IS NOT NULL
        THEN coalesce(j.next_run_at, excluded.next_run_at)
        ELSE excluded.next_run_at END
    RETURNING name, next_run_at`;
  const announced = await withDeadline(rows, deadlineMs);
  return new Map(
    announced.flatMap(({ name, next_run_at }) =>
      next_run_at === null ? [] : [[name, next_run_at.getTime()] as const],
    ),
  );
}

function recordOf({ name, description, times, isEnabled }: Job, nextRunAtMs: number | undefined) {
  return {
    name,
    description,
    cron: times.kind === 'cron' ? times.cron : null,
    time_zone: times.kind === 'cron' ? times.timeZone : null,
    every_ms: times.kind === 'every' ? times.everyMs : null,
    is_enabled: isEnabled,
    next_run_at: nextRunAtMs === undefined ? null : new Date(nextRunAtMs).toISOString(),
  };
}

/** Brings the next run of a job forward, or sets it. */
export async function setNextRun(sql: Sql, job: string, atMs: number, deadlineMs: number): Promise<void> {
  await withDeadline(
    sql`UPDATE job SET next_run_at = ${new Date(atMs)} WHERE name = ${job} AND is_enabled`,
    deadlineMs,
  );
}

/** When each job last ended well, ms since the epoch. */
export async function readLastSuccesses(sql: Sql, deadlineMs: number): Promise<ReadonlyMap<string, number>> {
  const rows = sql<{ job: string; at: Date }[]>`
    SELECT name AS job, last.at FROM job CROSS JOIN LATERAL (
      SELECT finished_at AS at FROM job_run WHERE job_run.job = job.name AND state = 'done' ORDER BY id DESC LIMIT 1
    ) last`;
  const successes = await withDeadline(rows, deadlineMs);
  return new Map(successes.map(({ job, at }) => [job, at.getTime()]));
}

/** How far a job has come, ms since the epoch; undefined when it never began. */
export async function readProgressAt(
  sql: Sql,
  name: string,
  deadlineMs: number,
): Promise<number | undefined> {
  const rows = sql<{ at: Date }[]>`SELECT at FROM job_progress WHERE name = ${name}`;
  const [row] = await withDeadline(rows, deadlineMs);
  return row?.at.getTime();
}

/** Remembers how far a job has come. */
export async function writeProgressAt(
  sql: Sql,
  name: string,
  atMs: number,
  deadlineMs: number,
): Promise<void> {
  const statement = sql`
    INSERT INTO job_progress (name, at) VALUES (${name}, ${new Date(atMs)})
    ON CONFLICT (name) DO UPDATE SET at = excluded.at`;
  await withDeadline(statement, deadlineMs);
}
