/** Orders and what they use as messages of the contract. */
import { fromBinary } from '@bufbuild/protobuf';
import { type CouponState as DomainCouponState, stateAt } from '../domain/coupon.ts';
import { decodeOrderPoints } from '../domain/points-order.ts';
import type { RedemptionCoupon, RedemptionState } from '../domain/redemption.ts';
import {
  type Redemption as RedemptionMessage,
  RedemptionSchema,
  RedemptionState as StateMessage,
} from '../gen/hongbao/v1/redemption_service_pb.ts';
import {
  encodeRedemption,
  type RedeemedCoupon,
  type Redemption,
  type ReserveCouponsResponse,
} from '../gen/hot/redemption-responses.ts';
import { ORDER_FIELDS } from '../ledger/record-fields.ts';
import { readCoupon } from '../redemption/coupon-steps.ts';
import type { RedemptionAnswer } from '../redemption/end-order.ts';
import { appliedMessages } from '../redemption/read-decision.ts';
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

/** The order as its user and the shop see it at `nowMs`. */
export function redemptionMessage(order: KnownOrder, nowMs: number): RedemptionMessage {
  return fromBinary(RedemptionSchema, encodeRedemption(redemptionFields(order, nowMs)));
}

/** What every call that changes an order answers with, for the generated encoders. */
export function redemptionAnswer(
  { order, replayed }: RedemptionAnswer,
  nowMs: number,
): ReserveCouponsResponse {
  return { redemption: redemptionFields(order, nowMs), replayed };
}

function redemptionFields(order: KnownOrder, nowMs: number): Redemption {
  const { userId, orderId, redemption } = order;
  const { state, reservationId, orderNumber, currency, lines, gifts, bonusPoints, reason } = redemption;
  const { reservedAtMs, dueAtMs, committedAtMs, endedAtMs, ruleSetVersion, refundedMinor } = redemption;
  return {
    orderId,
    orderNumber,
    userId,
    reservationId,
    state: STATES[state],
    reservedAt: moment(reservedAtMs),
    expiresAt: moment(dueAtMs),
    committedAt: moment(committedAtMs),
    endedAt: moment(endedAtMs),
    currency,
    totals: redemption,
    lines,
    applied: appliedOf(order),
    coupons: redemption.coupons.map((coupon) => couponOf(order, coupon, nowMs)),
    gifts,
    bonusPoints,
    ruleSetVersion,
    refundedMinor,
    pointsEarned: pointsEarned(order),
    reason: reason ?? '',
  };
}

/** Zero stands for a moment that did not come. */
function moment(timeMs: number | undefined): number | undefined {
  return timeMs === 0 ? undefined : timeMs;
}

function appliedOf({ order }: KnownOrder): Uint8Array[] {
  const decision = order.get(ORDER_FIELDS.decision.name);
  return decision === undefined ? [] : appliedMessages(decodeStoredDecision(decision).response);
}

function couponOf(order: KnownOrder, coupon: RedemptionCoupon, nowMs: number): RedeemedCoupon {
  const { couponId, promotionVersion, discountMinor } = coupon;
  const use = order.redemption.promotions.find((promotion) => promotion.couponId === couponId);
  return {
    couponId,
    promotionId: use?.promotionId ?? '',
    promotionVersion,
    discountMinor,
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

function pointsEarned({ order }: KnownOrder): number {
  const bytes = order.get(ORDER_FIELDS.points.name);
  if (bytes === undefined) return 0;
  const { earned, bonus, reversed } = decodeOrderPoints(bytes);
  return earned + bonus - reversed;
}
