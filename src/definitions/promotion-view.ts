import { clone } from '@bufbuild/protobuf';
import {
  FinishReason,
  type Promotion,
  PromotionSchema,
  PromotionState,
} from '../gen/hongbao/v1/promotion_pb.ts';
import { claimWindowEndMs, useWindowEndMs } from './live-definition.ts';

/**
 * A current version as people see it: with the live figure of issued coupons, and finished when its window is over or its
 * stock is gone. Nothing of this is stored, so extending the window or the stock undoes it by itself.
 */
export function promotionView(stored: Promotion, issued: number, nowMs: number): Promotion {
  const view = clone(PromotionSchema, stored);
  view.issuedCount = BigInt(issued);
  if (stored.state !== PromotionState.ACTIVE) return view;
  const reason = derivedFinish(stored, issued, nowMs);
  if (reason === undefined) return view;
  view.state = PromotionState.FINISHED;
  view.finishReason = reason;
  return view;
}

/** The last instant at which it can be claimed, or be used by those who hold no coupon; undefined when there is none. */
export function windowEndMs(promotion: Promotion): number | undefined {
  const way = promotion.reach?.way.case;
  return way === 'claimable' || way === 'pointsExchange'
    ? claimWindowEndMs(promotion)
    : useWindowEndMs(promotion.validity);
}

function derivedFinish(promotion: Promotion, issued: number, nowMs: number): FinishReason | undefined {
  const endMs = windowEndMs(promotion);
  if (endMs !== undefined && nowMs > endMs) return FinishReason.WINDOW_OVER;
  const quantity = promotion.stock?.quantity;
  return quantity !== undefined && BigInt(issued) >= quantity ? FinishReason.SOLD_OUT : undefined;
}
