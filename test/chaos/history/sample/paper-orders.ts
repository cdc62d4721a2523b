/** What a product on paper does with orders: holds, uses, commits, releases, returns, refunds, points. */

import { decodeCouponValue } from '../../../../src/domain/coupon.ts';
import { earn } from '../../../../src/domain/points.ts';
import { encodeOrderPoints } from '../../../../src/domain/points-order.ts';
import { decodeRedemption, encodeRedemption, type Redemption } from '../../../../src/domain/redemption.ts';
import {
  decodeRefundRecord,
  encodeRefundRecord,
  type RefundRecord,
  type ReturnRecord,
} from '../../../../src/domain/refund-record.ts';
import type { EventKind } from '../../../../src/ledger/event-format.ts';
import { ORDER_FIELDS, USAGE_FIELDS } from '../../../../src/ledger/record-fields.ts';
import {
  earlierEnding,
  earlierReservation,
  inheritedRequests,
  requestsWith,
} from '../../../../src/redemption/request-ids.ts';
import type { Answer } from '../history.ts';
import { EMPTY_HEAD, PRICE_MINOR, UNITS } from './paper-cart.ts';
import { counter, latin1, type PaperEnd, type PaperProduct } from './paper-coupons.ts';
import { answerOf, returnAnswer } from './paper-order-answers.ts';
import { holderWrites, merged, usageWrites, usesOf } from './paper-order-writes.ts';

/** An order that is meant. */
export interface PaperOrder {
  readonly userId: string;
  readonly orderId: string;
}

const HOLD_MS = 60_000;
const DISCOUNT_MINOR = 100;
const MONTH = 202611;

/** The orders of a product on paper. */
export class PaperOrders {
  private readonly product: PaperProduct;

  constructor(product: PaperProduct) {
    this.product = product;
  }

  /** The head of an order. */
  headOf({ userId, orderId }: PaperOrder): Redemption | undefined {
    const value = this.product.of(userId).field('order', `${userId}/${orderId}`, ORDER_FIELDS.head.name);
    return value === undefined ? undefined : decodeRedemption(Buffer.from(value, 'latin1'));
  }

  /** Holds or uses coupons for an order. */
  begin(
    operation: 'reserve' | 'use',
    order: PaperOrder,
    couponIds: readonly string[],
    requestId: string,
  ): PaperEnd {
    const before = this.headOf(order);
    if (
      before?.requestId === requestId ||
      (before && earlierReservation(before.requests, requestId) !== undefined)
    )
      return { answer: answerOf(order, before, true) };
    if (before?.state === 'reserved') return { refused: 'ORDER_ALREADY_RESERVED' };
    if (before?.state === 'committed' || before?.state === 'returned')
      return { refused: 'ORDER_ALREADY_COMMITTED' };
    const coupons = couponIds.map((couponId) => ({ couponId, value: this.couponOf(order.userId, couponId) }));
    if (coupons.some(({ value }) => value?.state !== 'unused')) return { refused: 'COUPON_NOT_AVAILABLE' };
    const refused = this.isUsedUp(order.userId, couponIds);
    if (refused !== undefined) return { refused };
    const { nowMs } = this.product;
    const isUse = operation === 'use';
    const uses = coupons.map(({ couponId, value }) => ({
      couponId,
      promotionRef: value?.promotionRef ?? 0,
      promotionVersion: value?.promotionVersion ?? 0,
      discountMinor: DISCOUNT_MINOR,
    }));
    const head: Redemption = {
      ...EMPTY_HEAD,
      state: isUse ? 'committed' : 'reserved',
      ...{ reservationId: requestId, requestId, reservedAtMs: nowMs },
      dueAtMs: isUse ? 0 : nowMs + HOLD_MS,
      committedAtMs: isUse ? nowMs : 0,
      requests: inheritedRequests(before),
      itemsDiscountMinor: DISCOUNT_MINOR * uses.length,
      payableMinor: PRICE_MINOR * UNITS - DISCOUNT_MINOR * uses.length,
      coupons: uses.map((use) => ({ ...use, returned: false })),
      promotions: uses.map((use) => ({
        ...use,
        promotionId: `p${use.promotionRef}`,
        periods: [],
        givenBack: false,
      })),
    };
    this.write(order, isUse ? 'used' : 'reserved', head, before, isUse ? 'used' : 'reserved');
    return { answer: answerOf(order, head, false) };
  }

  /** Commits or releases the order's reservation. */
  end(operation: 'commit' | 'release', order: PaperOrder, requestId: string): PaperEnd {
    const before = this.headOf(order);
    if (before === undefined) return { refused: 'ORDER_NOT_FOUND' };
    const isCommit = operation === 'commit';
    const done = isCommit ? ['committed', 'returned'] : ['released', 'expired'];
    if (earlierEnding(before.requests, requestId) === operation)
      return { answer: answerOf(order, before, true) };
    const requests = requestsWith(before.requests, requestId, operation);
    if (done.includes(before.state)) {
      const head = { ...before, requests };
      this.write(order, 'order_noted', head, before, undefined);
      return { answer: answerOf(order, head, true) };
    }
    if (before.state !== 'reserved')
      return { refused: isCommit ? 'RESERVATION_RELEASED' : 'ORDER_ALREADY_COMMITTED' };
    const head: Redemption = isCommit
      ? { ...before, state: 'committed', committedAtMs: this.product.nowMs, requests }
      : {
          ...before,
          state: 'released',
          endedAtMs: this.product.nowMs,
          requests,
          promotions: before.promotions.map((use) => ({ ...use, givenBack: true })),
        };
    this.write(order, isCommit ? 'committed' : 'released', head, before, isCommit ? 'used' : 'unused');
    return { answer: answerOf(order, head, false) };
  }

  /** Lets a reservation lapse whose time is over; time passes for that. */
  lapse(order: PaperOrder): void {
    const before = this.headOf(order);
    if (before?.state !== 'reserved') return;
    this.product.nowMs = Math.max(this.product.nowMs, before.dueAtMs + 1);
    const promotions = before.promotions.map((use) => ({ ...use, givenBack: true }));
    this.write(
      order,
      'lapsed',
      { ...before, state: 'expired', endedAtMs: this.product.nowMs, promotions },
      before,
      'unused',
    );
  }

  /** Gives everything an order used back. */
  giveBack(order: PaperOrder, requestId: string): PaperEnd {
    const before = this.headOf(order);
    if (before === undefined) return { refused: 'ORDER_NOT_FOUND' };
    const earlier = this.recordOf(order, requestId);
    if (earlier !== undefined) return { answer: returnAnswer(order, earlier, true) };
    if (before.state !== 'committed') return { refused: 'NOTHING_TO_RETURN' };
    const coupons = before.coupons.map((coupon) => ({ ...coupon, returned: true }));
    const promotions = before.promotions.map((use) => ({ ...use, givenBack: true }));
    const head: Redemption = {
      ...before,
      state: 'returned',
      endedAtMs: this.product.nowMs,
      coupons,
      promotions,
    };
    const record: ReturnRecord = {
      ...{
        kind: 'return',
        atMs: this.product.nowMs,
        digest: 'd',
        reason: '',
        pointsReversed: 0,
        pointsDebt: 0,
      },
      coupons: before.coupons.map(({ couponId }) => ({ couponId, outcome: 'usable_again' })),
    };
    this.write(order, 'returned', head, before, 'unused', {
      [`r:${requestId}`]: latin1(encodeRefundRecord(record)),
    });
    return { answer: returnAnswer(order, record, false) };
  }

  /** Takes one unit back. */
  refund(order: PaperOrder, requestId: string): PaperEnd {
    const before = this.headOf(order);
    if (before === undefined) return { refused: 'ORDER_NOT_FOUND' };
    const earlier = this.recordOf(order, requestId);
    if (earlier !== undefined) return { answer: returnAnswer(order, earlier, true) };
    const [line] = before.lines;
    if (before.state !== 'committed' || line === undefined) return { refused: 'NOTHING_TO_RETURN' };
    if (line.returnedQuantity >= line.quantity) return { refused: 'QUANTITY_ABOVE_REMAINING' };
    const refundMinor = Math.floor(before.payableMinor / UNITS);
    const refundedMinor = before.refundedMinor + refundMinor;
    const lines = [{ ...line, returnedQuantity: line.returnedQuantity + 1, refundedMinor }];
    const record: RefundRecord = {
      ...{
        kind: 'refund',
        atMs: this.product.nowMs,
        digest: 'd',
        reason: '',
        coupons: [],
        pointsReversed: 0,
        pointsDebt: 0,
      },
      ...{
        refundId: requestId,
        policy: 'keep',
        lines: [{ lineId: line.lineId, quantity: 1, refundMinor }],
        shipping: false,
      },
      ...{
        shippingMinor: 0,
        refundMinor,
        clawBackMinor: 0,
        giftsToReturn: [],
        refundedTotalMinor: refundedMinor,
      },
      remainingPayableMinor: before.payableMinor - refundedMinor,
    };
    const mark = { [`r:${requestId}`]: latin1(encodeRefundRecord(record)) };
    this.write(order, 'refunded', { ...before, refundedMinor, lines }, before, undefined, mark);
    return { answer: returnAnswer(order, record, false) };
  }

  /** Points for a completed order, once. */
  complete(order: PaperOrder): Answer {
    const { userId, orderId } = order;
    const partition = this.product.of(userId);
    const id = `${userId}/${orderId}`;
    const points = UNITS * (PRICE_MINOR / 100);
    if (partition.field('order', id, ORDER_FIELDS.points.name) === undefined) {
      const change = earn(this.product.pointsOf(userId), points, MONTH);
      const paidMinor = PRICE_MINOR * UNITS;
      const value = encodeOrderPoints({
        paidMinor,
        currency: 'CNY',
        rate: '1',
        earned: points,
        bonus: 0,
        reversed: 0,
        lot: MONTH,
      });
      partition.write(this.product.nowMs, 'points_earned', [
        { target: 'order', id, fields: { [ORDER_FIELDS.points.name]: latin1(value) } },
        this.product.pointsWrite(userId, change, {
          type: 'earn',
          referenceType: 'order',
          referenceId: orderId,
        }),
      ]);
    }
    return { orderId, eventOutcome: 'applied', pointsEffects: [{ userId, points }] };
  }

  private couponOf(userId: string, couponId: string) {
    const value = this.product
      .of(userId)
      .field('wallet', userId, Buffer.from(couponId.slice(-32), 'hex').toString('latin1'));
    return value === undefined ? undefined : decodeCouponValue(Buffer.from(value, 'latin1'));
  }

  private recordOf(
    { userId, orderId }: PaperOrder,
    requestId: string,
  ): ReturnRecord | RefundRecord | undefined {
    const value = this.product.of(userId).field('order', `${userId}/${orderId}`, `r:${requestId}`);
    return value === undefined ? undefined : decodeRefundRecord(Buffer.from(value, 'latin1'));
  }

  /** Limits of all partitions together are shared out evenly; here each partition keeps to its part. */
  private isUsedUp(userId: string, couponIds: readonly string[]): string | undefined {
    const partition = this.product.of(userId);
    const byRef = Map.groupBy(couponIds, (couponId) => this.couponOf(userId, couponId)?.promotionRef ?? 0);
    for (const [ref, some] of byRef) {
      const promotion = [...this.product.promotions.values()].find((one) => one.ref === ref);
      const share = (limit: number | undefined): number =>
        Math.floor((limit ?? Infinity) / this.product.partitions.length);
      const usage = { target: 'usage', id: String(ref) } as const;
      if (counter(partition, usage, USAGE_FIELDS.uses.name) + some.length > share(promotion?.usesTotal))
        return 'USES_EXHAUSTED';
      const money = counter(partition, usage, USAGE_FIELDS.money.name) + some.length * DISCOUNT_MINOR;
      if (money > share(promotion?.budgetMinor)) return 'BUDGET_EXHAUSTED';
    }
    return undefined;
  }

  private write(
    order: PaperOrder,
    kind: EventKind,
    head: Redemption,
    before: Redemption | undefined,
    couponState: 'reserved' | 'used' | 'unused' | undefined,
    marks: Readonly<Record<string, string>> = {},
  ): void {
    const { userId, orderId } = order;
    const id = `${userId}/${orderId}`;
    const partition = this.product.of(userId);
    const fields = { ...marks, [ORDER_FIELDS.head.name]: latin1(encodeRedemption(head)) };
    const coupons =
      couponState === undefined
        ? []
        : head.coupons.map(({ couponId }) => this.product.changedCoupon(userId, couponId, couponState));
    const due = head.state === 'reserved' ? String(head.dueAtMs) : undefined;
    partition.write(this.product.nowMs, kind, [
      { target: 'order', id, fields },
      { target: 'due', id: '', fields: { [id]: due } },
      ...merged(coupons),
      ...usageWrites(partition, userId, usesOf(before), usesOf(head)),
      ...holderWrites(order, head, couponState),
    ]);
  }
}
