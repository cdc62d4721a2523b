/** Orders and what they use as messages of the contract. */
import { fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type CouponState as DomainCouponState, stateAt } from '../domain/coupon.ts';
import { decodeOrderPoints } from '../domain/points-order.ts';
import type { Redemption, RedemptionCoupon, RedemptionState } from '../domain/redemption.ts';
import { type AppliedPromotion, EvaluateCartResponseSchema } from '../gen/hongbao/v1/cart_service_pb.ts';
import {
  type RedeemedCouponSchema,
  type RedemptionSchema,
  RedemptionState as StateMessage,
} from '../gen/hongbao/v1/redemption_service_pb.ts';
import { readCoupon } from '../redemption/coupon-steps.ts';
import type { KnownOrder } from '../redemption/read-order.ts';
import { decodeStoredDecision } from '../redemption/stored-decision.ts';
import { COUPON_STATES } from './coupon-message.ts';

const STATES: Readonly<Record<RedemptionState, StateMessage>> = {
  reserved: StateMessage.RESERVED,
  committed: StateMessage.COMMITTED,
  released: StateMessage.RELEASED,
  expired: StateMessage.EXPIRED,
  returned: StateMessage.RETURNED,
};

type Moment = ReturnType<typeof timestampFromMs>;

function moment(timeMs: number | undefined): Moment | undefined {
  return timeMs === undefined || timeMs === 0 ? undefined : timestampFromMs(timeMs);
}

/** The order as its user and the shop see it at `nowMs`. */
export function redemptionMessage(
  order: KnownOrder,
  nowMs: number,
): MessageInitShape<typeof RedemptionSchema> {
  const { userId, orderId, redemption } = order;
  const { state, reservationId, orderNumber, currency, lines, gifts } = redemption;
  return {
    orderId,
    orderNumber,
    userId,
    reservationId,
    state: STATES[state],
    ...moments(redemption),
    currency,
    totals: totalsOf(redemption),
    lines: lines.map((line) => ({
      ...line,
      unitPriceMinor: BigInt(line.unitPriceMinor),
      payableMinor: BigInt(line.payableMinor),
      refundedMinor: BigInt(line.refundedMinor),
    })),
    applied: appliedOf(order),
    coupons: redemption.coupons.map((coupon) => couponOf(order, coupon, nowMs)),
    gifts: [...gifts],
    bonusPoints: BigInt(redemption.bonusPoints),
    ruleSetVersion: BigInt(redemption.ruleSetVersion),
    refundedMinor: BigInt(redemption.refundedMinor),
    pointsEarned: pointsEarned(order),
    reason: redemption.reason ?? '',
  };
}

function moments({ reservedAtMs, dueAtMs, committedAtMs, endedAtMs }: Redemption) {
  const reservedAt = moment(reservedAtMs);
  const expiresAt = moment(dueAtMs);
  const committedAt = moment(committedAtMs);
  const endedAt = moment(endedAtMs);
  return {
    ...(reservedAt && { reservedAt }),
    ...(expiresAt && { expiresAt }),
    ...(committedAt && { committedAt }),
    ...(endedAt && { endedAt }),
  };
}

function totalsOf(redemption: Redemption) {
  return {
    itemsMinor: BigInt(redemption.itemsMinor),
    shippingMinor: BigInt(redemption.shippingMinor),
    itemsDiscountMinor: BigInt(redemption.itemsDiscountMinor),
    shippingDiscountMinor: BigInt(redemption.shippingDiscountMinor),
    payableMinor: BigInt(redemption.payableMinor),
  };
}

function appliedOf({ order }: KnownOrder): AppliedPromotion[] {
  const decision = order.get('d');
  if (decision === undefined) return [];
  return fromBinary(EvaluateCartResponseSchema, decodeStoredDecision(decision).response).applied;
}

function couponOf(
  order: KnownOrder,
  coupon: RedemptionCoupon,
  nowMs: number,
): MessageInitShape<typeof RedeemedCouponSchema> {
  const { couponId, promotionVersion, discountMinor } = coupon;
  const use = order.redemption.promotions.find((promotion) => promotion.couponId === couponId);
  return {
    couponId,
    promotionId: use?.promotionId ?? '',
    promotionVersion,
    discountMinor: BigInt(discountMinor),
    state: COUPON_STATES[couponStateIn(order, coupon, nowMs)],
  };
}

/** While the order has the coupon that is its state, whatever it did before; afterwards what became of it. */
function couponStateIn(
  order: KnownOrder,
  { couponId, returned }: RedemptionCoupon,
  nowMs: number,
): DomainCouponState {
  const { state } = order.redemption;
  if (state === 'reserved') return 'reserved';
  if (state === 'committed' && !returned) return 'used';
  const coupon = readCoupon(order, couponId);
  return coupon === undefined ? 'used' : stateAt(coupon.value, nowMs);
}

function pointsEarned({ order }: KnownOrder): bigint {
  const bytes = order.get('p');
  if (bytes === undefined) return 0n;
  const { earned, bonus, reversed } = decodeOrderPoints(bytes);
  return BigInt(earned + bonus - reversed);
}
