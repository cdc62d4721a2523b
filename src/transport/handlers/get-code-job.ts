import { jobNotFound } from '../../codes/code-refusals.ts';
import { readCodeJob } from '../../codes/store/code-jobs.ts';
import type { Sql } from '../../database/client.ts';
import type {
  GetCodeJobRequestSchema,
  GetCodeJobResponseSchema,
} from '../../gen/hongbao/v1/promotion_code_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { codeJobMessage } from '../code-job-message.ts';

/** Serves GetCodeJob. */
export function getCodeJob(deps: {
  readonly sql: Sql;
}): UnaryHandler<typeof GetCodeJobRequestSchema, typeof GetCodeJobResponseSchema> {
  return async ({ jobId }, { deadlineMs }) => {
    const job = await readCodeJob(deps.sql, jobId, deadlineMs);
    if (job === undefined) throw jobNotFound();
    return { job: codeJobMessage(job) };
  };
}
