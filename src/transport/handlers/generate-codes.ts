import { generateCodes as startGeneration } from '../../codes/generate-codes.ts';
import type { Sql } from '../../database/client.ts';
import { writeIdentity } from '../../definitions/write-once.ts';
import {
  GenerateCodesRequestSchema,
  type GenerateCodesResponseSchema,
} from '../../gen/hongbao/v1/promotion_code_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { codeJobMessage } from '../code-job-message.ts';
import { writeContext } from './staff-write.ts';

/** Serves GenerateCodes: writes the job down; the archive role makes the codes. */
export function generateCodes(deps: {
  readonly sql: Sql;
}): UnaryHandler<typeof GenerateCodesRequestSchema, typeof GenerateCodesResponseSchema> {
  return async (request, context) => {
    const { promotionId, count, length, reason } = request;
    const identity = writeIdentity(GenerateCodesRequestSchema, request);
    const wish = { identity, promotionId, count, length, reason };
    return { job: codeJobMessage(await startGeneration(deps.sql, wish, writeContext(context))) };
  };
}
