/** ListJobs: what runs by schedule, with the last and the next run of each. */
import type { Sql } from '../../database/client.ts';
import type { ListJobsRequestSchema, ListJobsResponseSchema } from '../../gen/hongbao/v1/job_service_pb.ts';
import { listJobs as readJobs } from '../../jobs/run-requests.ts';
import type { UnaryHandler } from '../binding.ts';
import { jobMessage } from '../job-message.ts';

/** Makes the handler. */
export function listJobs({
  sql,
}: {
  readonly sql: Sql;
}): UnaryHandler<typeof ListJobsRequestSchema, typeof ListJobsResponseSchema> {
  return async (_request, { deadlineMs }) => ({ jobs: (await readJobs(sql, deadlineMs)).map(jobMessage) });
}
