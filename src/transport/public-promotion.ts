/** The public side of a promotion, with its live figures. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { perUserLimitOf } from '../definitions/live-definition.ts';
import { promotionView } from '../definitions/promotion-view.ts';
import { ReachKind } from '../gen/hongbao/v1/availability_pb.ts';
import type { PublicPromotionSchema } from '../gen/hongbao/v1/coupon_service_pb.ts';
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import type { Stock } from '../ledger/reads.ts';

const REACH_KINDS = {
  unset: ReachKind.UNSPECIFIED,
  automatic: ReachKind.AUTOMATIC,
  claimable: ReachKind.CLAIMABLE,
  code: ReachKind.CODE,
  pointsExchange: ReachKind.POINTS_EXCHANGE,
  granted: ReachKind.GRANTED,
} as const;

/** Coupons that can still be claimed; undefined when unlimited. A promotion the ledger has not met yet has all of them. */
export function stockLeft(promotion: Promotion, stock: Stock | undefined): bigint | undefined {
  const quantity = promotion.stock?.quantity;
  if (quantity === undefined) return undefined;
  const left = quantity - BigInt(stock?.issued ?? 0);
  return left > 0n ? left : 0n;
}

function claimWindow(
  promotion: Promotion,
): Pick<MessageInitShape<typeof PublicPromotionSchema>, 'claimStartsAt' | 'claimEndsAt'> {
  const { stock } = promotion;
  return {
    ...(stock?.claimStartsAt && { claimStartsAt: stock.claimStartsAt }),
    ...(stock?.claimEndsAt && { claimEndsAt: stock.claimEndsAt }),
  };
}

/** What anyone may know about a promotion at `nowMs`. */
export function publicPromotion(
  promotion: Promotion,
  stock: Stock | undefined,
  nowMs: number,
): MessageInitShape<typeof PublicPromotionSchema> {
  const view = promotionView(promotion, stock?.issued ?? 0, nowMs);
  const perUserLimit = perUserLimitOf(promotion);
  const way = promotion.reach?.way;
  return {
    promotionId: view.promotionId,
    version: view.version,
    state: view.state,
    ...(view.name && { name: view.name }),
    ...(view.description && { description: view.description }),
    category: view.category,
    currency: view.currency,
    ...(view.effect && { effect: view.effect }),
    rules: view.rules,
    ...(view.conditionTexts && { conditionTexts: view.conditionTexts }),
    way: REACH_KINDS[view.reach?.way.case ?? 'unset'],
    ...(way?.case === 'pointsExchange' && { pointsRequired: way.value.pointsRequired }),
    ...claimWindow(promotion),
    ...(view.validity && { validity: view.validity }),
    ...(perUserLimit !== undefined && { perUserLimit }),
    priority: view.priority,
  };
}
