/**
 * The job `run-grants`: carries out grants and revokes over many recipients, oldest first. Recipients are written down before
 * anything is given, taken on in batches under a lease and settled one by one; so a run may be cut off anywhere, and two
 * processes share the work.
 */

import type { ArchivePlaces } from '../archive/places.ts';
import { readArchivedUntil } from '../archive/queries.ts';
import { archiveProgress } from '../definitions/store/archive-progress.ts';
import type { Job, JobContext, JobCounts } from '../jobs/job.ts';
import * as limits from './limits.ts';
import { type GrantJobRow, nextGrantJob } from './store/grant-jobs.ts';
import { finishIfSettled, preparePromotion, prepareSegment } from './store/recipients.ts';
import { keepPace, type WorkPorts, workBatch } from './work-recipients.ts';

/** What the job works with. */
export interface RunGrantsPorts extends WorkPorts {
  /** The archive that coupons of a whole promotion are found in. */
  readonly places: ArchivePlaces;
}

/** Makes the job. */
export function createRunGrantsJob(ports: RunGrantsPorts): Job {
  return {
    name: 'run-grants',
    description: 'Gives coupons to the users of grants, and takes coupons back.',
    times: { kind: 'every', everyMs: limits.RUN_EVERY_MS },
    isEnabled: true,
    run: (context) => run(ports, context),
  };
}

/** A job in somebody's hands or in trouble is passed over, so that it does not keep others waiting. */
async function run(ports: RunGrantsPorts, context: JobContext): Promise<JobCounts> {
  const counts = { granted: 0, refused: 0, jobs: 0 };
  const passedOver: number[] = [];
  let obstacle: unknown;
  while (!context.signal.aborted) {
    const nowMs = ports.nowMs();
    const job = await nextGrantJob(ports.sql, nowMs, passedOver, nowMs + limits.JOB_STATEMENT_MS);
    if (job === undefined) break;
    passedOver.push(Number(job.number));
    obstacle ??= await carryOut(ports, job, context, counts);
  }
  if (obstacle !== undefined) throw obstacle;
  return counts;
}

/** Works on a job until nothing of it is left for this process. Answers with what got in the way. */
async function carryOut(
  ports: RunGrantsPorts,
  job: GrantJobRow,
  context: JobContext,
  counts: { granted: number; refused: number; jobs: number },
): Promise<unknown> {
  if (!job.prepared && !(await prepare(ports, job))) return undefined;
  while (!context.signal.aborted) {
    const startedAtMs = performance.now();
    const batch = await workBatch(ports, job, limits.RECIPIENTS_PER_BATCH, context.signal);
    counts.granted += batch.granted;
    counts.refused += batch.refused;
    context.progress({ ...counts });
    if (batch.obstacle !== undefined) return batch.obstacle;
    if (batch.taken === 0) break;
    await keepPace(batch.taken, startedAtMs, context.signal);
  }
  const isDone = await finishIfSettled(ports.sql, job.number, ports.nowMs() + limits.JOB_STATEMENT_MS);
  counts.jobs += isDone ? 1 : 0;
  return undefined;
}

/**
 * Writes the recipients down. The coupons of a promotion are found in the archive, so that must have come to the moment at
 * which the job was asked for; until then it is put off.
 */
async function prepare(ports: RunGrantsPorts, job: GrantJobRow): Promise<boolean> {
  const nowMs = ports.nowMs();
  const deadlineMs = nowMs + limits.JOB_STATEMENT_MS;
  if (job.kind === 'grant') {
    await prepareSegment(ports.sql, job, deadlineMs);
    return true;
  }
  if (!(await isArchived(ports, job, deadlineMs))) return false;
  await preparePromotion(ports.sql, job, nowMs, deadlineMs);
  return true;
}

/** An idle ledger writes no entries, so what the archive has counted is compared with what the ledger has. */
async function isArchived(ports: RunGrantsPorts, job: GrantJobRow, deadlineMs: number): Promise<boolean> {
  const untilMs = await readArchivedUntil(ports.sql, ports.places, deadlineMs);
  if (untilMs !== undefined && untilMs >= job.created_at.getTime() + limits.CLOCK_MARGIN_MS) return true;
  const ref = job.promotion_ref ?? 0;
  const [stock] = await ports.ledger.read(deadlineMs, (reads) => reads.stock([ref], undefined));
  const archived = await archiveProgress(ports.sql).readIssued([ref], deadlineMs);
  return (archived.get(ref) ?? 0) === (stock?.issued ?? 0);
}
