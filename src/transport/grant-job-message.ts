import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { REASONS, type RefusalReason as ReasonName } from '../domain/refusal.ts';
import {
  GrantJobKind,
  type GrantJobSchema,
  GrantJobState,
  type GrantResultSchema,
} from '../gen/hongbao/v1/grant_pb.ts';
import { RefusalReason } from '../gen/hongbao/v1/refusal_pb.ts';
import type { GrantJobRow, GrantJobState as StoredState } from '../grants/store/grant-jobs.ts';
import type { ResultRow } from '../grants/store/recipients.ts';

const STATES: Readonly<Record<StoredState, GrantJobState>> = {
  pending: GrantJobState.PENDING,
  running: GrantJobState.RUNNING,
  done: GrantJobState.DONE,
  cancelled: GrantJobState.CANCELLED,
};

/** The stored states of these states of the contract. */
export function storedStates(states: readonly GrantJobState[]): StoredState[] {
  const names: readonly StoredState[] = ['pending', 'running', 'done', 'cancelled'];
  return names.filter((name) => states.includes(STATES[name]));
}

/** A job that gives or takes back coupons, as staff see it. */
export function grantJobMessage(job: GrantJobRow): MessageInitShape<typeof GrantJobSchema> {
  return {
    jobId: job.job_id,
    promotionId: job.promotion_id ?? '',
    kind: job.kind === 'grant' ? GrantJobKind.GRANT : GrantJobKind.REVOKE,
    state: STATES[job.state],
    total: BigInt(job.total),
    granted: BigInt(job.granted),
    refused: BigInt(job.refused),
    reason: job.reason,
    createdBy: job.created_by,
    createdAt: timestampFromDate(job.created_at),
    ...(job.start_at !== null && { startAt: timestampFromDate(job.start_at) }),
    ...(job.finished_at !== null && { finishedAt: timestampFromDate(job.finished_at) }),
  };
}

/** What a job did to one recipient or coupon. */
export function grantResultMessage(row: ResultRow): MessageInitShape<typeof GrantResultSchema> {
  return {
    userId: row.user_id,
    couponId: row.coupon_id?.toString('hex') ?? '',
    refusalReason: reasonOf(row.refusal),
  };
}

function reasonOf(name: string | null): RefusalReason {
  if (name === null) return RefusalReason.UNSPECIFIED;
  return isReason(name) ? RefusalReason[name] : RefusalReason.INTERNAL;
}

function isReason(name: string): name is ReasonName {
  return Object.hasOwn(REASONS, name);
}
