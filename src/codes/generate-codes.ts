import type { Sql } from '../database/client.ts';
import type { WriteIdentity } from '../definitions/store/request-records.ts';
import { jobNotFound } from './code-refusals.ts';
import { DEFAULT_CODE_LENGTH } from './limits.ts';
import { requireSingleUse } from './require-single-use.ts';
import { type CodeJobRow, insertGeneration, jobOfWrite } from './store/code-jobs.ts';

/** A wish for codes. */
export interface GenerationRequest {
  readonly identity: WriteIdentity;
  readonly promotionId: string;
  readonly count: number;
  /** Letters after the prefix; undefined = the default. */
  readonly length: number | undefined;
  readonly reason: string;
}

/** Who wishes, and by when. */
export interface StaffCall {
  readonly actor: string;
  readonly nowMs: number;
  readonly deadlineMs: number;
}

/**
 * Writes down that codes are to be made; the job `generate-codes` makes them. The same request answers with the same job.
 * Throws PROMOTION_NOT_FOUND, PROMOTION_WITHOUT_CODES, REQUEST_ID_REUSED or ARCHIVE_UNAVAILABLE.
 */
export async function generateCodes(
  sql: Sql,
  request: GenerationRequest,
  call: StaffCall,
): Promise<CodeJobRow> {
  const { identity, promotionId, count, length = DEFAULT_CODE_LENGTH, reason } = request;
  const earlier = await jobOfWrite(sql, 'c', { identity, deadlineMs: call.deadlineMs });
  if (earlier !== undefined) return earlier;
  const { ref, prefix } = await requireSingleUse(sql, promotionId, call.deadlineMs);
  const write = { ...call, identity, reason, promotionRef: ref };
  await insertGeneration(sql, write, { count, length, prefix });
  const job = await jobOfWrite(sql, 'c', write);
  if (job === undefined) throw jobNotFound();
  return job;
}
