/** The model's coupons and points: how they come and go. */
import { couponIdOf } from '../../src/domain/coupon.ts';
import { MS_PER_DAY } from '../../src/domain/durations.ts';
import { couponFieldHex } from '../../src/ledger/coupon-field.ts';
import {
  findCoupon,
  type ModelCoupon,
  type ModelState,
  type ModelUser,
  refused,
  stateNow,
  userIdOf,
} from './model-state.ts';
import type {
  Answer,
  AwardOperation,
  EarnOperation,
  HideOperation,
  IssueOperation,
  ReverseOperation,
  RevokeOperation,
} from './operations.ts';

const SOURCES = { claim: 'claim', grant: 'staff', exchange: 'points' } as const;
const MINOR_PER_POINT = 100;

/** A claim, a grant, or an exchange. */
export function issue(state: ModelState, operation: IssueOperation): Answer {
  const { kind, request, promotion: name } = operation;
  const user = state.users[operation.user];
  const { terms, ...counts } = state.promotions[name];
  const fieldHex = couponFieldHex(kind, userIdOf(state, operation.user), request);
  const before = user.coupons.find(({ couponId }) => couponId.endsWith(fieldHex));
  if (before !== undefined)
    return before.promotion === name ? issued(user, before, kind, true) : refused('REQUEST_ID_REUSED');
  if (kind === 'claim' && terms.way !== 'claimable') return refused('PROMOTION_NOT_CLAIMABLE');
  if (kind === 'exchange' && terms.way !== 'exchange') return refused('PROMOTION_NOT_EXCHANGEABLE');
  if (terms.endsAtMs !== undefined && state.nowMs > terms.endsAtMs) return refused('PROMOTION_ENDED');
  if (user.issued[name] >= terms.perUserLimit)
    return refused('USER_LIMIT_REACHED', { needed: terms.perUserLimit, seen: user.issued[name] });
  if (counts.issued >= terms.quantity)
    return refused('SOLD_OUT', { needed: terms.quantity, seen: counts.issued });
  if (kind === 'exchange' && user.points.available < terms.price)
    return refused('INSUFFICIENT_POINTS', { needed: terms.price, seen: user.points.available });
  const coupon: ModelCoupon = {
    couponId: couponIdOf(state.nowMs, fieldHex),
    promotion: name,
    state: 'unused',
    source: SOURCES[kind],
    isHidden: false,
    issuedAtMs: state.nowMs,
    expiresAtMs: terms.endsAtMs ?? state.nowMs + (terms.days ?? 0) * MS_PER_DAY,
    points: kind === 'exchange' ? terms.price : 0,
  };
  user.coupons.push(coupon);
  user.issued[name] += 1;
  state.promotions[name].issued += 1;
  user.live += 1;
  if (kind === 'exchange') move(user, -terms.price);
  return issued(user, coupon, kind, false);
}

function issued(user: ModelUser, coupon: ModelCoupon, kind: string, replayed: boolean): Answer {
  const { couponId, issuedAtMs, points } = coupon;
  const bought = kind === 'exchange' ? { spent: points, left: user.points.available } : {};
  return { couponId, issuedAtMs, replayed, ...bought };
}

/** Staff take a coupon back. */
export function revoke(state: ModelState, { user: name, couponId, returnStock }: RevokeOperation): Answer {
  const user = state.users[name];
  const coupon = findCoupon(user, couponId);
  if (coupon === undefined) return refused('COUPON_NOT_FOUND');
  const seen = stateNow(coupon, state.nowMs);
  if (seen === 'revoked') return { done: true };
  if (seen !== 'unused') return refused('COUPON_NOT_AVAILABLE', { state: seen });
  coupon.state = 'revoked';
  user.live = Math.max(0, user.live - 1);
  if (returnStock) {
    state.promotions[coupon.promotion].issued -= 1;
    state.promotions[coupon.promotion].stockReturned += 1;
  }
  return { done: true };
}

/** A user hides a coupon that is of no use any more. */
export function hide(state: ModelState, { user, couponId }: HideOperation): Answer {
  const coupon = findCoupon(state.users[user], couponId);
  if (coupon === undefined) return refused('COUPON_NOT_FOUND');
  const seen = stateNow(coupon, state.nowMs);
  if (!coupon.isHidden && (seen === 'unused' || seen === 'reserved')) return refused('COUPON_STILL_USABLE');
  coupon.isHidden = true;
  return { done: true };
}

function move({ points }: ModelUser, change: number): void {
  points.number += 1;
  points.available += change;
}

/** Points come, and pay a debt first. */
function receive({ points }: ModelUser, count: number): void {
  const paid = Math.min(points.debt, count);
  points.number += 1;
  points.earned += count;
  points.debt -= paid;
  points.available += count - paid;
}

/** Points for a test. */
export function award(state: ModelState, { user: name, request, points }: AwardOperation): Answer {
  const user = state.users[name];
  const before = user.awards[request];
  if (before !== undefined && before !== points) return refused('REQUEST_ID_REUSED');
  if (before === undefined) {
    receive(user, points);
    user.awards[request] = points;
  }
  const { earned, available, debt } = user.points;
  return { earned, available, debt, replayed: before !== undefined };
}

/** A completed order earns, once. */
export function earn(state: ModelState, { user: name, order, paidMinor }: EarnOperation): Answer {
  const user = state.users[name];
  const record = user.orders[order];
  const { head, earned: before } = record;
  if (before !== undefined)
    return { points: before.earned + before.bonus, bonus: before.bonus, replayed: true };
  const remaining = Math.max(0, paidMinor - (head === undefined ? 0 : refundedMinor(head)));
  const isWhollyBack = paidMinor > 0 && remaining === 0;
  const earned = head?.state === 'returned' ? 0 : Math.floor(remaining / MINOR_PER_POINT);
  const bonus = head?.state === 'committed' && !isWhollyBack ? head.bonus : 0;
  record.earned = { paidMinor, earned, bonus, reversed: 0 };
  if (earned + bonus > 0) receive(user, earned + bonus);
  return { points: earned + bonus, bonus, replayed: false };
}

/** What went back of an order, in minor units. */
export function refundedMinor(head: { lineRefundedMinor: number; shippingRefundedMinor: number }): number {
  return head.lineRefundedMinor + head.shippingRefundedMinor;
}

/** Takes back what an order earned beyond what remains paid. What is not there becomes a debt. */
export function takeBack(
  user: ModelUser,
  { earned: record }: ModelUser['orders']['o1'],
  remainingMinor: number,
  isWhole: boolean,
): { points: number; debt: number } {
  if (record === undefined) return { points: 0, debt: 0 };
  const kept = Math.min(
    record.earned,
    Math.floor(Math.min(remainingMinor, record.paidMinor) / MINOR_PER_POINT),
  );
  const held = record.earned + record.bonus - record.reversed;
  const count = Math.max(0, held - kept - (isWhole ? 0 : record.bonus));
  if (count === 0) return { points: 0, debt: 0 };
  const got = Math.min(count, user.points.available);
  record.reversed += count;
  move(user, -got);
  user.points.debt += count - got;
  return { points: got, debt: count - got };
}

/** The shop tells of a refund. */
export function reverse(state: ModelState, { user: name, order, remainingMinor }: ReverseOperation): Answer {
  const user = state.users[name];
  return { ...takeBack(user, user.orders[order], remainingMinor, remainingMinor === 0) };
}
