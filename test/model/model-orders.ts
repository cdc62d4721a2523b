/** The model's orders: how they take, use and let go. */
import {
  dayOf,
  findCoupon,
  type ModelHead,
  type ModelState,
  type ModelUse,
  type ModelUser,
  refused,
  stateNow,
} from './model-state.ts';
import { refundedMinor } from './model-wallet.ts';
import {
  type Answer,
  type EndOperation,
  type HoldOperation,
  type LapseOperation,
  type Name,
  ORDERS,
  type Order,
  PROMOTIONS,
  USERS,
  type User,
} from './operations.ts';
import type { Terms } from './terms.ts';

/** An order as answers tell it. */
export function orderView(head: ModelHead) {
  return {
    state: head.state,
    reservation: head.reservation,
    reservedAtMs: head.reservedAtMs,
    dueAtMs: head.dueAtMs,
    committedAtMs: head.committedAtMs,
    payableMinor: head.payableMinor,
    refundedMinor: refundedMinor(head),
    unitsBack: head.unitsBack,
    bonus: head.bonus,
    returned: [...head.returned].sort(),
    uses: head.uses
      .map(({ promotion, couponId = '', offMinor, isGivenBack }) => [
        promotion,
        couponId,
        offMinor,
        isGivenBack,
      ])
      .sort(),
  };
}

function answer(head: ModelHead, replayed: boolean): Answer {
  return { order: orderView(head), replayed };
}

/**
 * What an order takes off by automatic promotions, if not what is left when it happens: it is decided a moment before, and
 * promotion by promotion. Null: nothing was left of the promotion then.
 */
export type Decided = Partial<Record<Name, number | null>>;

/** An order takes what it needs, or is refused. */
export function hold(state: ModelState, operation: HoldOperation, decided: Decided = {}): Answer {
  const user = state.users[operation.user];
  const record = user.orders[operation.order];
  const { request, cart, holdMs, expectedMinor } = operation;
  const content = JSON.stringify({ ...operation, request: '' });
  const { head } = record;
  const earlier = head?.reservation === request ? head.content : head?.reservations[request];
  if (head !== undefined && earlier !== undefined)
    return earlier === content ? answer(head, true) : refused('REQUEST_ID_REUSED');
  lapseInTheWay(state, operation);
  if (head?.state === 'reserved') return refused('ORDER_ALREADY_RESERVED', { reservation: head.reservation });
  if (head?.state === 'committed' || head?.state === 'returned') return refused('ORDER_ALREADY_COMMITTED');
  const quoted = quote(state, user, operation, decided);
  if ('refused' in quoted) return quoted;
  const offMinor = quoted.uses.reduce((sum, use) => sum + use.offMinor, 0);
  const linePaidMinor = cart.quantity * cart.unitPriceMinor - offMinor;
  const payableMinor = linePaidMinor + cart.shippingMinor;
  if (expectedMinor !== undefined && expectedMinor !== payableMinor)
    return refused('CART_CHANGED', { needed: String(expectedMinor), seen: String(payableMinor) });
  const isUse = holdMs === undefined;
  const made: ModelHead = {
    state: isUse ? 'committed' : 'reserved',
    reservation: request,
    content,
    reservations: head === undefined ? {} : { ...head.reservations, [head.reservation]: head.content },
    endings: head === undefined ? {} : { ...head.endings },
    cart,
    reservedAtMs: state.nowMs,
    dueAtMs: isUse ? 0 : state.nowMs + holdMs,
    committedAtMs: isUse ? state.nowMs : 0,
    payableMinor,
    linePaidMinor,
    bonus: state.promotions.bonus.terms.bonusPoints,
    uses: quoted.uses,
    returned: [],
    unitsBack: 0,
    lineRefundedMinor: 0,
    shippingRefundedMinor: 0,
  };
  record.head = made;
  takeCoupons(user, operation.order, made, isUse ? 'used' : 'reserved');
  for (const use of made.uses) count(state, user, use, 1);
  return answer(made, false);
}

/** The order itself, and those that hold what is asked for, stand in nobody's way past their time. */
function lapseInTheWay(state: ModelState, { user: name, order, couponIds }: HoldOperation): void {
  const user = state.users[name];
  const holders = couponIds.flatMap((couponId) => {
    const coupon = findCoupon(user, couponId);
    return coupon?.state === 'reserved' ? (coupon.holder ?? []) : [];
  });
  for (const one of new Set([...holders, order])) lapseOrder(state, name, one);
}

function takeCoupons(user: ModelUser, order: Order, { uses }: ModelHead, as: 'used' | 'reserved'): void {
  for (const { couponId } of uses) {
    const coupon = couponId === undefined ? undefined : findCoupon(user, couponId);
    if (coupon === undefined) continue;
    coupon.state = as;
    coupon.holder = order;
    if (as === 'used') user.live = Math.max(0, user.live - 1);
  }
}

/** Counts a use, or takes the count back. */
export function count(state: ModelState, user: ModelUser, use: ModelUse, by: 1 | -1): void {
  const promotion = state.promotions[use.promotion];
  if (by === 1) use.day = promotion.terms.limits.perDay === undefined ? undefined : dayOf(state.nowMs);
  use.isGivenBack = by === -1;
  promotion.uses += by;
  promotion.moneyMinor += by * use.offMinor;
  user.uses[use.promotion] += by;
  if (use.day !== undefined) promotion.days[use.day] = (promotion.days[use.day] ?? 0) + by;
}

interface Ration {
  readonly reason: 'USES_EXHAUSTED' | 'USER_USES_EXHAUSTED';
  readonly allowed: number;
  readonly seen: number;
}

/** The limits of uses, in the order in which they are named. */
function rations(state: ModelState, user: ModelUser, { name, limits }: Terms): Ration[] {
  const { uses, days } = state.promotions[name];
  const { total, perDay, perUser } = limits;
  const today = days[dayOf(state.nowMs)] ?? 0;
  const byAll: Ration[] = [
    ...(total === undefined ? [] : [{ reason: 'USES_EXHAUSTED' as const, allowed: total, seen: uses }]),
    ...(perDay === undefined ? [] : [{ reason: 'USES_EXHAUSTED' as const, allowed: perDay, seen: today }]),
  ];
  const least = byAll.toSorted((one, other) => leftOf(one) - leftOf(other)).slice(0, 1);
  if (perUser === undefined) return least;
  return [...least, { reason: 'USER_USES_EXHAUSTED', allowed: perUser, seen: user.uses[name] }];
}

const leftOf = ({ allowed, seen }: Ration): number => Math.max(0, allowed - seen);

/** What the order gets: its coupons, all of them, and every automatic promotion that has something left. */
function quote(
  state: ModelState,
  user: ModelUser,
  { couponIds, cart }: HoldOperation,
  decided: Decided,
): { readonly uses: ModelUse[] } | ReturnType<typeof refused> {
  const uses: ModelUse[] = [];
  for (const couponId of couponIds) {
    const failure = couponFailure(state, user, couponId, cart.quantity * cart.unitPriceMinor, uses);
    if (failure !== undefined) return failure;
    const promotion = findCoupon(user, couponId)?.promotion ?? 'plain';
    uses.push(newUse(promotion, state.promotions[promotion].terms.offMinor, couponId));
  }
  for (const name of PROMOTIONS) {
    const before = decidedOff(state, user, name, decided);
    const offMinor = before === undefined ? automaticOff(state, user, name) : before;
    if (offMinor !== undefined && offMinor !== null) uses.push(newUse(name, offMinor));
  }
  return { uses };
}

function newUse(promotion: Name, offMinor: number, couponId?: string): ModelUse {
  return {
    promotion,
    offMinor,
    day: undefined,
    isGivenBack: false,
    ...(couponId !== undefined && { couponId }),
  };
}

/** What was decided, provided that it can still be counted; otherwise it is decided again. */
function decidedOff(
  state: ModelState,
  user: ModelUser,
  name: Name,
  decided: Decided,
): number | null | undefined {
  const offMinor = decided[name];
  if (offMinor === undefined || offMinor === null) return offMinor;
  const { terms, moneyMinor } = state.promotions[name];
  const hasUses = rations(state, user, terms).every((one) => leftOf(one) > 0);
  const hasMoney = moneyMinor + offMinor <= (terms.limits.budgetMinor ?? Number.POSITIVE_INFINITY);
  return hasUses && hasMoney ? offMinor : undefined;
}

/** What an automatic promotion takes off right now; undefined: nothing is left of it. */
export function automaticOff(state: ModelState, user: ModelUser, name: Name): number | undefined {
  const { terms, moneyMinor } = state.promotions[name];
  if (terms.way !== 'automatic' || rations(state, user, terms).some((one) => leftOf(one) === 0))
    return undefined;
  const { budgetMinor, isCut = false } = terms.limits;
  const leftMinor = budgetMinor === undefined ? terms.offMinor : budgetMinor - moneyMinor;
  if (leftMinor >= terms.offMinor) return terms.offMinor;
  return isCut && leftMinor > 0 ? leftMinor : undefined;
}

function couponFailure(
  state: ModelState,
  user: ModelUser,
  couponId: string,
  itemsMinor: number,
  before: readonly ModelUse[],
): ReturnType<typeof refused> | undefined {
  const coupon = findCoupon(user, couponId);
  if (coupon === undefined || coupon.isHidden) return refused('COUPON_NOT_FOUND', { couponId });
  const seen = stateNow(coupon, state.nowMs);
  if (seen === 'reserved' || seen === 'used') return refused('COUPON_NOT_AVAILABLE', { couponId });
  if (seen !== 'unused')
    return refused('COUPON_NOT_APPLICABLE', { couponId, rejection: `COUPON_${seen.toUpperCase()}` });
  const { terms } = state.promotions[coupon.promotion];
  const limits = rations(state, user, terms);
  const empty = limits.find((one) => leftOf(one) === 0);
  if (empty !== undefined) return exhausted(empty, empty.seen);
  if (itemsMinor < terms.minimumMinor) {
    const figures = { needed: String(terms.minimumMinor), seen: String(itemsMinor) };
    return refused('COUPON_NOT_APPLICABLE', { couponId, rejection: 'MINIMUM_SPEND_NOT_MET', ...figures });
  }
  const taken = before.filter(({ promotion }) => promotion === coupon.promotion).length;
  const [scarcest] = limits.toSorted((one, other) => leftOf(one) - leftOf(other));
  if (scarcest === undefined || leftOf(scarcest) > taken) return undefined;
  return exhausted(scarcest, scarcest.allowed);
}

function exhausted({ reason, allowed }: Ration, seen: number) {
  return refused(reason, { needed: String(allowed), seen: String(seen) });
}

/** Commits or releases. */
export function end(state: ModelState, operation: EndOperation): Answer {
  const { user: name, order, kind, request, reservation } = operation;
  const { head } = state.users[name].orders[order];
  if (head === undefined) return refused('ORDER_NOT_FOUND');
  const earlier = head.endings[request];
  if (earlier !== undefined) return earlier === kind ? answer(head, true) : refused('REQUEST_ID_REUSED');
  if (reservation !== '' && reservation !== head.reservation) return refused('RESERVATION_NOT_FOUND');
  return kind === 'commit' ? commit(state, operation, head) : release(state, operation, head);
}

function commit(state: ModelState, { user: name, order, request }: EndOperation, head: ModelHead): Answer {
  const user = state.users[name];
  if (head.state === 'committed' || head.state === 'returned') return noted(head, request, 'commit');
  if (head.state === 'released') return refused('RESERVATION_RELEASED');
  if (head.state === 'expired') {
    const areFree = head.uses.every(({ couponId }) => couponId === undefined || isFree(user, couponId));
    if (!areFree) return refused('RESERVATION_EXPIRED', { cause: 'coupon' });
    if (!fitsAgain(state, user, head)) return refused('RESERVATION_EXPIRED', { cause: 'limit' });
    for (const use of head.uses) count(state, user, use, 1);
  }
  takeCoupons(user, order, head, 'used');
  head.state = 'committed';
  head.committedAtMs = state.nowMs;
  head.endings[request] = 'commit';
  return answer(head, false);
}

/** Done before by another call: this one is kept in mind as well. */
function noted(head: ModelHead, request: string, call: 'commit' | 'release'): Answer {
  head.endings[request] = call;
  return answer(head, true);
}

/** Free, whatever its date: it was held in time. */
function isFree(user: ModelUser, couponId: string): boolean {
  const coupon = findCoupon(user, couponId);
  return coupon?.state === 'unused' && coupon.holder === undefined;
}

function fitsAgain(state: ModelState, user: ModelUser, { uses }: ModelHead): boolean {
  return uses.every(({ promotion, offMinor }) => {
    const { terms, moneyMinor } = state.promotions[promotion];
    const together = uses.filter((use) => use.promotion === promotion).length;
    const hasUses = rations(state, user, terms).every((one) => leftOf(one) >= together);
    return hasUses && moneyMinor + offMinor <= (terms.limits.budgetMinor ?? Number.POSITIVE_INFINITY);
  });
}

function release(state: ModelState, { user, order, request }: EndOperation, head: ModelHead): Answer {
  if (head.state === 'committed' || head.state === 'returned') return refused('ORDER_ALREADY_COMMITTED');
  if (head.state !== 'reserved') return noted(head, request, 'release');
  letGo(state, user, order, 'released');
  head.endings[request] = 'release';
  return answer(head, false);
}

function letGo(state: ModelState, name: User, order: Order, as: 'released' | 'expired'): void {
  const user = state.users[name];
  const { head } = user.orders[order];
  if (head === undefined) return;
  head.state = as;
  for (const use of head.uses) {
    count(state, user, use, -1);
    const coupon = use.couponId === undefined ? undefined : findCoupon(user, use.couponId);
    if (coupon === undefined) continue;
    coupon.state = 'unused';
    delete coupon.holder;
  }
}

function lapseOrder(state: ModelState, name: User, order: Order): boolean {
  const { head } = state.users[name].orders[order];
  const isOverdue = head?.state === 'reserved' && state.nowMs > head.dueAtMs;
  if (isOverdue) letGo(state, name, order, 'expired');
  return isOverdue;
}

/** The sweep looks at one order. */
export function lapse(state: ModelState, { user, order }: LapseOperation): Answer {
  return { lapsed: lapseOrder(state, user, order) };
}

/** The clock moves on; the sweep may look at everything. */
export function moveClock(state: ModelState, toMs: number, isSwept: boolean): void {
  state.nowMs = toMs;
  if (!isSwept) return;
  for (const user of USERS) for (const order of ORDERS) lapseOrder(state, user, order);
}
