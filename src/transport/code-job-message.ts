import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { CodeJobRow, CodeJobState as StoredState } from '../codes/store/code-jobs.ts';
import { type CodeJobSchema, CodeJobState } from '../gen/hongbao/v1/promotion_code_pb.ts';

const STATES: Readonly<Record<StoredState, CodeJobState>> = {
  pending: CodeJobState.PENDING,
  running: CodeJobState.RUNNING,
  done: CodeJobState.DONE,
  cancelled: CodeJobState.CANCELLED,
};

/** A job that makes codes, as staff see it. */
export function codeJobMessage(job: CodeJobRow): MessageInitShape<typeof CodeJobSchema> {
  return {
    jobId: job.job_id,
    promotionId: job.promotion_id,
    state: STATES[job.state],
    total: BigInt(job.total),
    made: BigInt(job.made),
    createdBy: job.created_by,
    createdAt: timestampFromDate(job.created_at),
    ...(job.finished_at !== null && { finishedAt: timestampFromDate(job.finished_at) }),
    ...(job.exportable_until !== null && { exportableUntil: timestampFromDate(job.exportable_until) }),
  };
}
