import type { Sql } from '../../database/client.ts';
import type {
  ListGrantJobsRequestSchema,
  ListGrantJobsResponseSchema,
} from '../../gen/hongbao/v1/grant_pb.ts';
import { listGrantJobs as readJobs } from '../../grants/store/grant-jobs.ts';
import type { UnaryHandler } from '../binding.ts';
import { grantJobMessage, storedStates } from '../grant-job-message.ts';
import { numbersOfPageToken, pageSizeOf, tokenAfterNumbers } from './staff-page.ts';

/** Serves ListGrantJobs. */
export function listGrantJobs({
  sql,
}: {
  readonly sql: Sql;
}): UnaryHandler<typeof ListGrantJobsRequestSchema, typeof ListGrantJobsResponseSchema> {
  return async (request, { deadlineMs }) => {
    const filter = { promotionId: request.promotionId, states: storedStates(request.states) };
    const tied = { method: 'grant-jobs', query: JSON.stringify(filter) };
    const [below] = numbersOfPageToken(request.pageToken, tied) ?? [];
    const size = pageSizeOf(request.pageSize);
    const rows = await readJobs(sql, filter, { below, limit: size + 1 }, deadlineMs);
    const shown = rows.slice(0, size);
    const last = rows.length > size ? shown.at(-1) : undefined;
    return {
      jobs: shown.map(grantJobMessage),
      nextPageToken: tokenAfterNumbers(last && [Number(last.number)], tied),
    };
  };
}
