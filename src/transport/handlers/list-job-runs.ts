/** ListJobRuns: what jobs have done, newest first, paged. */
import type { Sql } from '../../database/client.ts';
import type {
  ListJobRunsRequestSchema,
  ListJobRunsResponseSchema,
} from '../../gen/hongbao/v1/job_service_pb.ts';
import { listRuns } from '../../jobs/run-requests.ts';
import type { UnaryHandler } from '../binding.ts';
import { jobRunMessage } from '../job-message.ts';
import { numbersOfPageToken, pageSizeOf, tokenAfterNumbers } from './staff-page.ts';

/** Makes the handler. */
export function listJobRuns({
  sql,
}: {
  readonly sql: Sql;
}): UnaryHandler<typeof ListJobRunsRequestSchema, typeof ListJobRunsResponseSchema> {
  return async ({ job, pageToken, pageSize }, { deadlineMs }) => {
    const tied = { method: 'job-runs', job };
    const [below] = numbersOfPageToken(pageToken, tied) ?? [];
    const size = pageSizeOf(pageSize);
    const rows = await listRuns(sql, { job, below, limit: size + 1 }, deadlineMs);
    const shown = rows.slice(0, size);
    const last = rows.length > size ? shown.at(-1) : undefined;
    return {
      runs: shown.map(jobRunMessage),
      nextPageToken: tokenAfterNumbers(last && [Number(last.id)], tied),
    };
  };
}
