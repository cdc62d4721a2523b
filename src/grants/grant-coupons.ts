import { setTimeout as sleep } from 'node:timers/promises';
import type { StaffCall } from '../codes/generate-codes.ts';
import { readPromotion } from '../definitions/store/read-promotions.ts';
import type { WriteIdentity } from '../definitions/store/request-records.ts';
import { Refusal } from '../domain/refusal.ts';
import { grantJobId, grantJobNotFound, requireSameContent } from './grant-job-id.ts';
import { JOB_STATEMENT_MS, OTHERS_POLL_MS } from './limits.ts';
import { type GrantJobRow, insertGrantJob, readGrantJob, type Segment } from './store/grant-jobs.ts';
import { finishIfSettled } from './store/recipients.ts';
import { type WorkPorts, workBatch } from './work-recipients.ts';

/** Who gets a coupon. */
export type Recipients =
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'list'; readonly userIds: readonly string[] }
  | { readonly kind: 'segment'; readonly segment: Segment };

/** A grant as staff ask for it. */
export interface GrantRequest {
  readonly identity: WriteIdentity;
  readonly promotionId: string;
  readonly reason: string;
  readonly recipients: Recipients;
  readonly notify: boolean;
  /** Undefined = at once. */
  readonly startAtMs: number | undefined;
}

/**
 * Writes a grant down; the job `run-grants` carries it out. A grant to one user without a time is carried out at once. The
 * same request answers with the same job. Throws PROMOTION_NOT_FOUND, PROMOTION_NOT_GRANTABLE, REQUEST_ID_REUSED,
 * ARCHIVE_UNAVAILABLE or, for one user, LEDGER_*: the grant is then written down and will be carried out.
 */
export async function grantCoupons(
  ports: WorkPorts,
  request: GrantRequest,
  call: StaffCall,
): Promise<GrantJobRow> {
  const { identity, recipients, startAtMs } = request;
  const jobId = grantJobId(identity);
  const job =
    (await readGrantJob(ports.sql, jobId, call.deadlineMs)) ?? (await writeDown(ports, jobId, request, call));
  requireSameContent(job, identity);
  const isNow = recipients.kind === 'user' && (startAtMs === undefined || startAtMs <= call.nowMs);
  return isNow ? await carryOutNow(ports, job, call.deadlineMs) : job;
}

async function writeDown(
  ports: WorkPorts,
  jobId: string,
  request: GrantRequest,
  call: StaffCall,
): Promise<GrantJobRow> {
  const { identity, reason, notify, startAtMs, recipients } = request;
  const ref = await requireGrantable(ports, request.promotionId, call.deadlineMs);
  const job = {
    jobId,
    kind: 'grant' as const,
    promotionRef: ref,
    contentDigest: identity.contentDigest,
    requestId: identity.requestId,
    reason,
    notify,
    returnStock: false,
    actor: call.actor,
    nowMs: call.nowMs,
    startAtMs,
    recipients: namedUsers(recipients),
    segment: recipients.kind === 'segment' ? recipients.segment : undefined,
    refs: [ref],
  };
  await insertGrantJob(ports.sql, job, call.deadlineMs);
  return await requireJob(ports, jobId, call.deadlineMs);
}

function namedUsers(recipients: Recipients): readonly { readonly userId: string }[] | undefined {
  switch (recipients.kind) {
    case 'user':
      return [{ userId: recipients.userId }];
    case 'list':
      return recipients.userIds.map((userId) => ({ userId }));
    case 'segment':
      return undefined;
  }
}

async function requireGrantable(
  { sql }: WorkPorts,
  promotionId: string,
  deadlineMs: number,
): Promise<number> {
  const { promotion } = await readPromotion(sql, promotionId, deadlineMs);
  const { way } = promotion.reach ?? {};
  if (way?.case === 'granted' && way.value.occasion.case === 'staff') return promotion.ref;
  throw new Refusal('PROMOTION_NOT_GRANTABLE', 'The promotion reaches people another way');
}

/**
 * A job of few recipients, done by the process that was asked, and waited for where another process works on some of them.
 * Throws what got in the way.
 */
export async function carryOutNow(
  ports: WorkPorts,
  job: GrantJobRow,
  deadlineMs: number,
): Promise<GrantJobRow> {
  for (let current = job; ; current = await requireJob(ports, job.job_id, deadlineMs)) {
    if (current.state === 'done' || current.state === 'cancelled') return current;
    const { obstacle, taken } = await workBatch(ports, job, Number(job.total), undefined);
    if (obstacle !== undefined) throw obstacle;
    await finishIfSettled(ports.sql, job.number, ports.nowMs() + JOB_STATEMENT_MS);
    if (taken > 0) continue;
    if (ports.nowMs() + OTHERS_POLL_MS >= deadlineMs)
      throw new Refusal('DEADLINE_EXCEEDED', 'another process is carrying this out');
    await sleep(OTHERS_POLL_MS);
  }
}

/** A job by its id. Throws JOB_NOT_FOUND. */
export async function requireJob(
  { sql }: Pick<WorkPorts, 'sql'>,
  jobId: string,
  deadlineMs: number,
): Promise<GrantJobRow> {
  const job = await readGrantJob(sql, jobId, deadlineMs);
  if (job === undefined) throw grantJobNotFound();
  return job;
}
