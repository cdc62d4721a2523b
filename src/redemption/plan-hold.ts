/** The transaction by which an order takes everything its decision uses: coupons, uses and money of promotions. */
import { REDEMPTION_OFFSETS, type Redemption } from '../domain/redemption.ts';
import { Refusal } from '../domain/refusal.ts';
import type { CartLine } from '../gen/hot/redemption-requests.ts';
import { userExists } from '../ledger/erased-user.ts';
import { ORDER_FIELDS } from '../ledger/record-fields.ts';
import { orderOf, type StampedTime, type Step, type Transaction } from '../ledger/transaction.ts';
import { type ReadCoupon, readCoupon, takeCoupons } from './coupon-steps.ts';
import { type OrderDecision, storedDecision } from './decide-order.ts';
import type { OrderRequest } from './order-request.ts';
import type { AppliedPromotion } from './read-decision.ts';
import { dueMember, expectHead, headBytes, type OrderRecords } from './read-order.ts';
import type { CurrentPromotions } from './redemption-ports.ts';
import { inheritedRequests } from './request-ids.ts';
import type { SharedUsage } from './shared-usage.ts';
import { countUses, type UsagePlan, type Use, useLimits } from './usage-steps.ts';

/** An order with the digest that tells it from others of the same request id. */
export type DigestedOrder = OrderRequest & { readonly digest: string };

/** A planned hold, and where in it uses are counted. */
export interface HoldPlan {
  readonly transaction: Transaction;
  /** The order's head, without the moments the ledger puts in. */
  readonly redemption: Redemption;
  readonly usage: UsagePlan;
  /** Place of the first step of `usage`. */
  readonly firstUsageStep: number;
}

/** Place of the step that finds an erased user. */
export const USER_STEP = 1;

/**
 * Plans to hold (or use at once) what was decided, at about `nowMs` by the ledger's clock. Throws EVALUATION_FAILED when the
 * promotions changed since the decision, COUPON_NOT_FOUND when the wallet that was read has not the coupon, and
 * COUPON_NOT_AVAILABLE when it is not free.
 *
 * @param shared what the user's partition was lent of limits and budgets, where it is not the only one
 */
export function planHold(
  records: OrderRecords,
  order: DigestedOrder,
  decided: OrderDecision,
  promotions: CurrentPromotions,
  nowMs: number,
  shared?: SharedUsage,
): HoldPlan {
  const coupons = appliedCoupons(records, decided);
  const uses = usesOf(records, decided, promotions);
  const usage = countUses(uses, order.userId, nowMs, shared);
  const redemption = redemptionOf(order, decided, uses, usage, records.redemption);
  const state = order.holdMs === undefined ? 'used' : 'reserved';
  // Coupons stand before uses: whoever comes too late for both hears of the coupon, as the rules would have told him.
  const before = [
    expectHead(records),
    userExists(order.userId),
    withinWindows(usage, coupons),
    ...takeCoupons(order.userId, order.orderId, coupons, state),
  ];
  const steps: Step[] = [
    ...before,
    ...usage.steps,
    ...writeOrder(order, redemption, storedDecision(decided, coupons)),
  ];
  return {
    transaction: { event: state, opensNew: true, steps },
    redemption,
    usage,
    firstUsageStep: before.length,
  };
}

/** What the decision uses, in its order. Throws as {@link planHold} does. */
export function usesOf(records: OrderRecords, decided: OrderDecision, promotions: CurrentPromotions): Use[] {
  const coupons = appliedCoupons(records, decided);
  return decided.decision.applied.map((one) => useOf(one, coupons, promotions));
}

function appliedCoupons(records: OrderRecords, { decision }: OrderDecision): ReadCoupon[] {
  return decision.applied.flatMap(({ source }) =>
    source.case === 'couponId' ? [requireCoupon(records, source.value)] : [],
  );
}

function requireCoupon(records: OrderRecords, couponId: string): ReadCoupon {
  const coupon = readCoupon(records, couponId);
  if (coupon === undefined) throw new Refusal('COUPON_NOT_FOUND', 'The user has no such coupon');
  // The decision was made on a later look at the wallet; what was read before it was true as well.
  if (coupon.value.state !== 'unused' || coupon.orderId !== undefined)
    throw new Refusal('COUPON_NOT_AVAILABLE', 'The coupon is held or used for another order', {
      metadata: { coupon_id: couponId },
    });
  return coupon;
}

/** A coupon's promotion is told by the coupon; others are named by their id. */
function useOf(
  { promotionId, source, discountMinor }: AppliedPromotion,
  coupons: readonly ReadCoupon[],
  promotions: CurrentPromotions,
): Use {
  const current = promotions.byId(promotionId);
  const coupon = coupons.find(({ couponId }) => source.case === 'couponId' && couponId === source.value);
  const promotionRef = coupon?.value.promotionRef ?? current?.ref;
  if (promotionRef === undefined)
    throw new Refusal('EVALUATION_FAILED', 'The promotions changed while the order was decided');
  return {
    promotionId,
    promotionRef,
    discountMinor,
    limits: useLimits(current?.limits),
  };
}

/** Coupons are valid, and periods are those counted, at the very moment of the decision. */
function withinWindows(usage: UsagePlan, coupons: readonly ReadCoupon[]): Step {
  const ends = coupons.flatMap(({ value }) => value.expiresAtMs ?? []);
  return {
    kind: 'within',
    fromMs: Math.max(usage.fromMs, ...coupons.map(({ value }) => value.validFromMs)),
    toMs: Math.min(usage.toMs, ...ends),
  };
}

function writeOrder(order: OrderRequest, redemption: Redemption, decision: Buffer): Step[] {
  const { userId, orderId, holdMs } = order;
  const on = orderOf(userId, orderId);
  const { reservedAt, dueAt, committedAt } = REDEMPTION_OFFSETS;
  const times: StampedTime[] = [
    { offset: reservedAt, plusMs: 0 },
    holdMs === undefined ? { offset: committedAt, plusMs: 0 } : { offset: dueAt, plusMs: holdMs },
  ];
  const value = headBytes(redemption);
  return [
    { kind: 'set', on, field: ORDER_FIELDS.head.bytes, value, times },
    { kind: 'set', on, field: ORDER_FIELDS.decision.bytes, value: decision },
    { kind: 'due', member: dueMember(userId, orderId), afterMs: holdMs },
  ];
}

function redemptionOf(
  order: DigestedOrder,
  { decision }: OrderDecision,
  uses: readonly Use[],
  usage: UsagePlan,
  earlier: Redemption | undefined,
): Redemption {
  const { totals, applied } = decision;
  return {
    state: order.holdMs === undefined ? 'committed' : 'reserved',
    reservationId: order.requestId,
    requestId: order.requestId,
    digest: order.digest,
    requests: inheritedRequests(earlier),
    orderNumber: order.orderNumber,
    currency: order.cart?.currency ?? '',
    reservedAtMs: 0,
    dueAtMs: 0,
    committedAtMs: 0,
    ...totals,
    refundedMinor: 0,
    shippingRefundedMinor: 0,
    bonusPoints: decision.bonusPoints,
    gifts: giftsOf(applied),
    ruleSetVersion: decision.ruleSetVersion,
    coupons: applied.flatMap((one, index) => couponOf(one, uses[index])),
    promotions: applied.map((one, index) => promotionOf(one, uses[index], usage.periods[index])),
    lines: (order.cart?.lines ?? []).map((line, index) => lineOf(line, decision.payableMinors[index] ?? 0)),
  };
}

function couponOf({ source, promotionVersion }: AppliedPromotion, use: Use | undefined) {
  if (source.case !== 'couponId' || use === undefined) return [];
  const { promotionRef, discountMinor } = use;
  return [{ couponId: source.value, promotionRef, promotionVersion, discountMinor, returned: false }];
}

function promotionOf(
  { promotionId, promotionVersion, source }: AppliedPromotion,
  use: Use | undefined,
  periods: readonly string[] | undefined,
) {
  return {
    promotionId,
    promotionRef: use?.promotionRef ?? 0,
    promotionVersion,
    ...(source.case === 'couponId' && { couponId: source.value }),
    ...(source.case === 'code' && { code: source.value }),
    discountMinor: use?.discountMinor ?? 0,
    periods: periods ?? [],
    givenBack: false,
  };
}

function lineOf({ lineId, itemId, quantity, unitPriceMinor }: CartLine, payableMinor: number) {
  return {
    lineId,
    itemId,
    quantity,
    unitPriceMinor,
    payableMinor,
    returnedQuantity: 0,
    refundedMinor: 0,
  };
}

function giftsOf(applied: readonly AppliedPromotion[]): { itemId: string; quantity: number }[] {
  const units = new Map<string, number>();
  for (const { itemId, quantity } of applied.flatMap(({ gifts }) => gifts))
    units.set(itemId, (units.get(itemId) ?? 0) + quantity);
  return [...units].map(([itemId, quantity]) => ({ itemId, quantity }));
}
