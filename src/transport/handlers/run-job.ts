/** RunJob: starts a job now. The leader, which is another process, begins it within a second. */
import type { Sql } from '../../database/client.ts';
import type { RunJobRequestSchema, RunJobResponseSchema } from '../../gen/hongbao/v1/job_service_pb.ts';
import { requestRun } from '../../jobs/run-requests.ts';
import type { UnaryHandler } from '../binding.ts';
import { jobRunMessage } from '../job-message.ts';

/** Makes the handler. */
export function runJob({
  sql,
}: {
  readonly sql: Sql;
}): UnaryHandler<typeof RunJobRequestSchema, typeof RunJobResponseSchema> {
  return async ({ job, requestId }, { identity, deadlineMs }) => {
    const order = { job, requestId, actor: identity.actor };
    return { run: jobRunMessage(await requestRun(sql, order, deadlineMs)) };
  };
}
