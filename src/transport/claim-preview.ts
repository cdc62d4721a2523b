/** Whether a claim would succeed now, as far as memory and a read can tell. Only the claim itself decides. */

import { claimWindowEndMs, liveTarget, perUserLimitOf } from '../definitions/live-definition.ts';
import { epochMs } from '../domain/epoch-ms.ts';
import type { RefusalReason } from '../domain/refusal.ts';
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import type { ClaimFacts } from '../ledger/claim-operation.ts';
import type { Stock } from '../ledger/reads.ts';
import { targetRefusal } from '../ledger/target-refusal.ts';
import { stockLeft } from './public-promotion.ts';

/** For whom and when the preview is made; `facts` are absent when none may be believed. */
export interface PreviewCircumstances {
  readonly userId: string | undefined;
  readonly facts: ClaimFacts | undefined;
  readonly nowMs: number;
}

/** The first reason against a claim now, in the order in which the ledger checks; undefined when there is none. */
export function previewRefusal(
  promotion: Promotion,
  stock: Stock | undefined,
  { userId, facts, nowMs }: PreviewCircumstances,
): RefusalReason | undefined {
  const startsMs = epochMs(promotion.stock?.claimStartsAt);
  if (startsMs !== undefined && startsMs > nowMs) return 'PROMOTION_NOT_STARTED';
  const endsMs = claimWindowEndMs(promotion);
  if (endsMs !== undefined && endsMs < nowMs) return 'PROMOTION_ENDED';
  if (userId !== undefined && targetRefusal(liveTarget(promotion), facts, nowMs) !== undefined)
    return 'USER_NOT_TARGETED';
  const limit = perUserLimitOf(promotion);
  if (limit !== undefined && (stock?.claimedByUser ?? 0) >= limit) return 'USER_LIMIT_REACHED';
  return stockLeft(promotion, stock) === 0n ? 'SOLD_OUT' : undefined;
}
