import { createHash } from 'node:crypto';
import type { WriteIdentity } from '../definitions/store/request-records.ts';
import { Refusal } from '../domain/refusal.ts';
import type { GrantJobRow } from './store/grant-jobs.ts';

const ID_CHARACTERS = 32;

/** The public id of the job a write makes: the same write, the same job. */
export function grantJobId({ method, requestId }: WriteIdentity): string {
  const digest = createHash('sha256').update(`${method}:${requestId}`).digest('hex');
  return `g-${digest.slice(0, ID_CHARACTERS)}`;
}

/** Stops a write whose request id made another job. Throws REQUEST_ID_REUSED. */
export function requireSameContent(job: GrantJobRow, identity: WriteIdentity): void {
  if (!job.content_digest.equals(identity.contentDigest))
    throw new Refusal('REQUEST_ID_REUSED', 'this request_id was used for a call with other content');
}

/** The refusal for a job nobody knows. */
export function grantJobNotFound(): Refusal {
  return new Refusal('JOB_NOT_FOUND', 'There is no such job');
}
