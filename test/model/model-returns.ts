/** The model's returns and refunds. */
import { MS_PER_DAY } from '../../src/domain/durations.ts';
import { count, orderView } from './model-orders.ts';
import {
  findCoupon,
  type ModelHead,
  type ModelOrder,
  type ModelState,
  type ModelUser,
  refused,
} from './model-state.ts';
import { refundedMinor, takeBack } from './model-wallet.ts';
import type { Answer, RefundOperation, ReturnOperation, User } from './operations.ts';

const NOT_COMMITTED: Readonly<Record<string, string>> = {
  reserved: 'NOTHING_TO_RETURN',
  released: 'RESERVATION_RELEASED',
  expired: 'RESERVATION_EXPIRED',
};

/** An earlier answer to the request, or the refusal because it was about something else. */
function before({ given, head }: ModelOrder, request: string, content: string): Answer | undefined {
  const known = given[request];
  if (known === undefined || head === undefined) return undefined;
  if (known.content !== content) return refused('REQUEST_ID_REUSED');
  return { ...known.answer, order: orderView(head), replayed: true };
}

function remember(
  record: ModelOrder,
  head: ModelHead,
  { request, content, answer }: { request: string; content: string; answer: Record<string, unknown> },
): Answer {
  record.given[request] = { content, answer };
  return { ...answer, order: orderView(head), replayed: false };
}

/** Uses are given back. */
export function giveBack(state: ModelState, operation: ReturnOperation): Answer {
  const { user: name, order, request, couponIds } = operation;
  const user = state.users[name];
  const record = user.orders[order];
  const content = JSON.stringify(['return', couponIds.toSorted()]);
  const known = before(record, request, content);
  if (known !== undefined) return known;
  const { head } = record;
  if (head === undefined) return refused('ORDER_NOT_FOUND');
  const reason = NOT_COMMITTED[head.state];
  if (reason !== undefined) return refused(reason);
  const own = head.uses.flatMap(({ couponId }) => couponId ?? []);
  if (couponIds.some((id) => !own.includes(id))) return refused('COUPON_NOT_FOUND');
  const left = couponIds.filter((id) => !head.returned.includes(id));
  if (head.state === 'returned' || (couponIds.length > 0 && left.length === 0))
    return refused('NOTHING_TO_RETURN');
  const { coupons, isOver } = giveCouponsBack(
    state,
    user,
    head,
    couponIds.length === 0 ? own : left,
    couponIds.length === 0,
  );
  const reversed = isOver ? takeBack(user, record, 0, true) : { points: 0, debt: 0 };
  const answer = { coupons, pointsReversed: reversed.points, pointsDebt: reversed.debt };
  return remember(record, head, { request, content, answer });
}

function giveCouponsBack(
  state: ModelState,
  user: ModelUser,
  head: ModelHead,
  couponIds: readonly string[],
  isWhole: boolean,
): { coupons: unknown[]; isOver: boolean } {
  const coupons = couponIds
    .filter((id) => !head.returned.includes(id))
    .map((couponId) => [couponId, giveCouponBack(state, user, head, couponId)]);
  const isOver =
    isWhole ||
    head.uses.every(
      ({ couponId, promotion }) =>
        couponId === undefined ||
        head.returned.includes(couponId) ||
        state.promotions[promotion].terms.staysUsed,
    );
  if (isOver) {
    head.state = 'returned';
    for (const use of head.uses) {
      if (use.couponId === undefined && !use.isGivenBack) count(state, user, use, -1);
    }
  }
  return { coupons: coupons.sort(), isOver };
}

/** What becomes of the coupon. */
function giveCouponBack(state: ModelState, user: ModelUser, head: ModelHead, couponId: string): string {
  const coupon = findCoupon(user, couponId);
  const use = head.uses.find((one) => one.couponId === couponId);
  if (coupon === undefined || use === undefined) throw new Error('the order has no such coupon');
  const { staysUsed, extendDays } = state.promotions[coupon.promotion].terms;
  if (staysUsed) return 'stays_used';
  count(state, user, use, -1);
  head.returned.push(couponId);
  coupon.state = 'unused';
  delete coupon.holder;
  const isPast = coupon.expiresAtMs !== undefined && state.nowMs > coupon.expiresAtMs;
  if (isPast && extendDays === undefined) return 'expired';
  user.live += 1;
  coupon.isHidden = false;
  if (!isPast) return 'usable_again';
  coupon.expiresAtMs = state.nowMs + (extendDays ?? 0) * MS_PER_DAY;
  return 'extended';
}

/** What the first units of the line cost: a line is spread evenly, and odd units lie on the first. */
function firstUnits({ linePaidMinor, cart }: ModelHead, units: number): number {
  const each = Math.floor(linePaidMinor / cart.quantity);
  return units === cart.quantity
    ? linePaidMinor
    : units * each + Math.min(units, linePaidMinor % cart.quantity);
}

/** Units go back for what was paid for them. */
export function refund(state: ModelState, operation: RefundOperation): Answer {
  const { user: name, order, request, units, shipping } = operation;
  if (units === 0 && !shipping) return refused('INVALID_REQUEST');
  const user = state.users[name];
  const record = user.orders[order];
  const content = JSON.stringify(['refund', units, shipping]);
  const known = before(record, request, content);
  if (known !== undefined) return known;
  const { head } = record;
  if (head === undefined) return refused('ORDER_NOT_FOUND');
  const reason = NOT_COMMITTED[head.state];
  if (reason !== undefined) return refused(reason);
  const left = head.cart.quantity - head.unitsBack;
  if (units > left) return refused('QUANTITY_ABOVE_REMAINING', { needed: String(units), seen: String(left) });
  const shippingMinor = shipping ? head.cart.shippingMinor - head.shippingRefundedMinor : 0;
  if (units === 0 && shippingMinor === 0) return refused('NOTHING_TO_RETURN');
  const lineMinor = firstUnits(head, head.unitsBack + units) - firstUnits(head, head.unitsBack);
  head.unitsBack += units;
  head.lineRefundedMinor += lineMinor;
  head.shippingRefundedMinor += shippingMinor;
  const answer = {
    refundMinor: lineMinor + shippingMinor,
    shippingMinor,
    ...settle(state, name, record, head),
  };
  return remember(record, head, { request, content, answer });
}

/** What a refund does beside moving money. */
function settle(state: ModelState, name: User, record: ModelOrder, head: ModelHead) {
  const user = state.users[name];
  const isWhole = head.unitsBack === head.cart.quantity;
  const wasReturned = head.state === 'returned';
  const own = head.uses.flatMap(({ couponId }) => couponId ?? []);
  const coupons = isWhole && !wasReturned ? giveCouponsBack(state, user, head, own, true).coupons : [];
  const remainingMinor = head.payableMinor - refundedMinor(head);
  const { points, debt } = takeBack(user, record, wasReturned ? 0 : remainingMinor, wasReturned || isWhole);
  return {
    coupons,
    pointsReversed: points,
    pointsDebt: debt,
    totalMinor: refundedMinor(head),
    remainingMinor,
  };
}
