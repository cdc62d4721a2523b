import type { Sql } from '../../database/client.ts';
import type { GetGrantJobRequestSchema, GetGrantJobResponseSchema } from '../../gen/hongbao/v1/grant_pb.ts';
import { requireJob } from '../../grants/grant-coupons.ts';
import { readResults } from '../../grants/store/recipients.ts';
import type { UnaryHandler } from '../binding.ts';
import { grantJobMessage, grantResultMessage } from '../grant-job-message.ts';
import { numbersOfPageToken, pageSizeOf, tokenAfterNumbers } from './staff-page.ts';

/** Serves GetGrantJob. */
export function getGrantJob(deps: {
  readonly sql: Sql;
}): UnaryHandler<typeof GetGrantJobRequestSchema, typeof GetGrantJobResponseSchema> {
  return async ({ jobId, pageSize, pageToken }, { deadlineMs }) => {
    const tied = { method: 'grant-results', jobId };
    const [after = 0] = numbersOfPageToken(pageToken, tied) ?? [];
    const size = pageSizeOf(pageSize);
    const job = await requireJob(deps, jobId, deadlineMs);
    const rows = await readResults(deps.sql, job.number, { after, limit: size + 1 }, deadlineMs);
    const shown = rows.slice(0, size);
    const last = rows.length > size ? shown.at(-1) : undefined;
    return {
      job: grantJobMessage(job),
      results: shown.map(grantResultMessage),
      nextPageToken: tokenAfterNumbers(last && [last.position], tied),
    };
  };
}
