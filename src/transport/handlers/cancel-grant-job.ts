import type { Sql } from '../../database/client.ts';
import { writeIdentity } from '../../definitions/write-once.ts';
import {
  CancelGrantJobRequestSchema,
  type CancelGrantJobResponseSchema,
} from '../../gen/hongbao/v1/grant_pb.ts';
import { cancelGrantJob as stop } from '../../grants/cancel-grant-job.ts';
import type { UnaryHandler } from '../binding.ts';
import { grantJobMessage } from '../grant-job-message.ts';
import { writeContext } from './staff-write.ts';

/** Serves CancelGrantJob. */
export function cancelGrantJob({
  sql,
}: {
  readonly sql: Sql;
}): UnaryHandler<typeof CancelGrantJobRequestSchema, typeof CancelGrantJobResponseSchema> {
  return async (request, context) => {
    const { jobId, reason } = request;
    const identity = writeIdentity(CancelGrantJobRequestSchema, request);
    return { job: grantJobMessage(await stop(sql, { identity, jobId, reason }, writeContext(context))) };
  };
}
