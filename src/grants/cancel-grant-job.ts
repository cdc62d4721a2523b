import type { StaffCall } from '../codes/generate-codes.ts';
import type { Sql } from '../database/client.ts';
import { violatedUniqueConstraint } from '../database/database-faults.ts';
import type { WriteIdentity } from '../definitions/store/request-records.ts';
import { Refusal } from '../domain/refusal.ts';
import { requireJob } from './grant-coupons.ts';
import { cancelGrantJob as cancelRow, type GrantJobRow, readCancelled } from './store/grant-jobs.ts';

/** Which job is stopped, and why. */
export interface CancelRequest {
  readonly identity: WriteIdentity;
  readonly jobId: string;
  readonly reason: string;
}

/**
 * Stops a job; one that has ended stays as it is. Recipients under way are finished and counted. Throws JOB_NOT_FOUND,
 * REQUEST_ID_REUSED or ARCHIVE_UNAVAILABLE.
 */
export async function cancelGrantJob(
  sql: Sql,
  request: CancelRequest,
  call: StaffCall,
): Promise<GrantJobRow> {
  const { identity, jobId, reason } = request;
  const { deadlineMs } = call;
  const earlier = await readCancelled(sql, identity.requestId, deadlineMs);
  if (earlier !== undefined) {
    if (earlier.cancel_digest?.equals(identity.contentDigest) !== true) throw reused();
    return earlier;
  }
  const { promotion_ref: ref } = await requireJob({ sql }, jobId, deadlineMs);
  const act = {
    ref,
    action: 'grant_cancelled' as const,
    actor: call.actor,
    reason,
    requestId: identity.requestId,
    atMs: call.nowMs,
  };
  const cancel = { requestId: identity.requestId, digest: identity.contentDigest };
  await cancelRow(sql, jobId, cancel, act, deadlineMs).catch((error: unknown) => {
    throw violatedUniqueConstraint(error) === undefined ? error : reused();
  });
  return await requireJob({ sql }, jobId, deadlineMs);
}

function reused(): Refusal {
  return new Refusal('REQUEST_ID_REUSED', 'this request_id was used for a call with other content');
}
