/** What became of one cart of a batch, as the contract says it. */
import { Refusal, retryAfterMs } from '../domain/refusal.ts';
import type { BatchResult } from '../evaluation/codec/batch.ts';
import { RefusalReason } from '../gen/hongbao/v1/refusal_pb.ts';

/** A response in bytes, or a refusal, as one result of a batch. */
export function cartResult(result: Uint8Array | Refusal): BatchResult {
  if (!(result instanceof Refusal)) return { decision: result };
  const waitMs = retryAfterMs(result) ?? 0;
  return {
    refusal: {
      reason: RefusalReason[result.reason],
      message: result.message,
      retryAfter: waitMs > 0 ? waitMs : undefined,
      metadata: result.detail.metadata ?? {},
    },
  };
}
