/**
 * Made-up orders and points for the tests of the archive, on top of a {@link SampleLedger}: what reservations, uses and
 * transactions of points would write.
 */
import type { CouponState } from '../domain/coupon.ts';
import { encodePointsState } from '../domain/points.ts';
import { encodePointsEntry, type PointsEntry } from '../domain/points-entry.ts';
import { encodeRedemption, type Redemption, type RedemptionState } from '../domain/redemption.ts';
import type { EventKind, FieldWrite, LedgerEvent, Write } from '../ledger/event-format.ts';
import { type SampleLedger, sampleField } from './sample-entries.ts';

/** How long a sample order holds its coupons, ms. */
export const SAMPLE_HOLD_MS = 900_000;
/** What each coupon takes off, and what the items cost; minor units. */
export const SAMPLE_DISCOUNT_MINOR = 100;
export const SAMPLE_ITEMS_MINOR = 1_000;

const MONTH = 202_611;

interface SampleOrder {
  readonly head: Redemption;
  readonly requestIds: readonly string[];
}

function bytes(text: string | number): Buffer {
  return Buffer.from(String(text), 'latin1');
}

/** Orders and points in memory: each call makes one event. Every coupon is one of promotion `ref`. */
export class SampleOrders {
  private readonly ledger: SampleLedger;
  private readonly orders = new Map<string, SampleOrder>();
  private readonly uses = new Map<string, number>();
  private readonly balances = new Map<string, { number: number; points: number }>();
  private readonly ref: number;

  constructor(ledger: SampleLedger, ref: number) {
    this.ledger = ledger;
    this.ref = ref;
  }

  /** The order takes coupons, to hold or, by `used`, for good. */
  taken(
    kind: 'reserved' | 'used',
    userId: string,
    orderId: string,
    requestIds: readonly string[],
  ): LedgerEvent {
    const head = this.newHead(kind, userId, orderId, requestIds);
    const held = requestIds.map((requestId) => holdOf(userId, requestId, bytes(orderId)));
    return this.event(kind, userId, orderId, { head, requestIds }, [
      this.ledger.changed(userId, requestIds, { state: kind }),
      this.account(userId, held, requestIds.length),
      this.usage(requestIds.length),
      due(`${userId}/${orderId}`, head.dueAtMs === 0 ? undefined : head.dueAtMs),
    ]);
  }

  /** A held order is used. */
  committed(userId: string, orderId: string): LedgerEvent {
    const { head, requestIds } = this.order(userId, orderId);
    const committed = { ...head, state: 'committed' as const, dueAtMs: 0, committedAtMs: this.ledger.timeMs };
    return this.event('committed', userId, orderId, { head: committed, requestIds }, [
      this.ledger.changed(userId, requestIds, { state: 'used' }),
      due(`${userId}/${orderId}`, undefined),
    ]);
  }

  /** An order gives everything back. */
  ended(kind: 'released' | 'lapsed' | 'returned', userId: string, orderId: string): LedgerEvent {
    const { head, requestIds } = this.order(userId, orderId);
    const state: RedemptionState = kind === 'lapsed' ? 'expired' : kind;
    const ended = {
      ...head,
      state,
      dueAtMs: 0,
      endedAtMs: this.ledger.timeMs,
      coupons: head.coupons.map((coupon) => ({ ...coupon, returned: kind === 'returned' })),
      promotions: head.promotions.map((use) => ({ ...use, givenBack: true })),
    };
    const free = requestIds.map((requestId) => holdOf(userId, requestId, undefined));
    const unused: CouponState = 'unused';
    return this.event(kind, userId, orderId, { head: ended, requestIds }, [
      this.ledger.changed(userId, requestIds, { state: unused }),
      this.account(userId, free, -requestIds.length),
      this.usage(-requestIds.length),
      due(`${userId}/${orderId}`, undefined),
    ]);
  }

  /** A closed order and its coupons leave Redis. */
  retired(userId: string, orderId: string): LedgerEvent {
    const { requestIds } = this.order(userId, orderId);
    const free = requestIds.map((requestId) => holdOf(userId, requestId, undefined));
    const order: Write = {
      target: 'order',
      id: `${userId}/${orderId}`,
      fields: [{ field: bytes('h'), value: undefined }],
    };
    const account: Write = { target: 'account', id: userId, fields: free };
    return { kind: 'retired', writes: [this.ledger.dropped(userId, requestIds), account, order] };
  }

  /** Points come or go. `changes` spoils the transaction, for tests that look for that. */
  points(kind: EventKind, userId: string, points: number, changes: Partial<PointsEntry> = {}): LedgerEvent {
    const before = this.balances.get(userId) ?? { number: 0, points: 0 };
    const after = { number: before.number + 1, points: before.points + points };
    this.balances.set(userId, after);
    const lots = after.points === 0 ? [] : [{ month: MONTH, points: after.points }];
    const state = { number: after.number, earned: Math.max(after.points, 0), debt: 0, lots };
    const entry: PointsEntry = {
      number: after.number,
      points,
      balanceAfter: after.points,
      type: points < 0 ? 'spend' : 'earn',
      reason: 'sample',
      referenceType: 'order',
      referenceId: `o${after.number}`,
      atMs: this.ledger.timeMs,
      ...changes,
    };
    const fields = [
      { field: bytes('p'), value: Buffer.from(encodePointsState(state)) },
      { field: bytes('t'), value: Buffer.from(encodePointsEntry(entry)) },
    ];
    return { kind, writes: [{ target: 'account', id: userId, fields }] };
  }

  private event(
    kind: EventKind,
    userId: string,
    orderId: string,
    order: SampleOrder,
    writes: readonly Write[],
  ): LedgerEvent {
    this.orders.set(`${userId}/${orderId}`, order);
    const fields = [{ field: bytes('h'), value: Buffer.from(encodeRedemption(order.head)) }];
    return { kind, writes: [...writes, { target: 'order', id: `${userId}/${orderId}`, fields }] };
  }

  private order(userId: string, orderId: string): SampleOrder {
    const order = this.orders.get(`${userId}/${orderId}`);
    if (order === undefined) throw new RangeError('no such order');
    return order;
  }

  private newHead(
    kind: 'reserved' | 'used',
    userId: string,
    orderId: string,
    requestIds: readonly string[],
  ): Redemption {
    const now = this.ledger.timeMs;
    const couponIds = requestIds.map((requestId) => this.ledger.couponId(userId, requestId));
    const shared = { promotionRef: this.ref, promotionVersion: 1, discountMinor: SAMPLE_DISCOUNT_MINOR };
    const discountMinor = SAMPLE_DISCOUNT_MINOR * requestIds.length;
    return {
      state: kind === 'used' ? 'committed' : 'reserved',
      reservationId: `res-${orderId}`,
      requestId: 'q1',
      digest: '00',
      requests: {},
      orderNumber: `No. ${orderId}`,
      currency: 'CNY',
      reservedAtMs: now,
      dueAtMs: kind === 'used' ? 0 : now + SAMPLE_HOLD_MS,
      committedAtMs: kind === 'used' ? now : 0,
      itemsMinor: SAMPLE_ITEMS_MINOR,
      shippingMinor: 0,
      itemsDiscountMinor: discountMinor,
      shippingDiscountMinor: 0,
      payableMinor: SAMPLE_ITEMS_MINOR - discountMinor,
      refundedMinor: 0,
      shippingRefundedMinor: 0,
      bonusPoints: 0,
      gifts: [],
      ruleSetVersion: 1,
      coupons: couponIds.map((couponId) => ({ ...shared, couponId, returned: false })),
      promotions: couponIds.map((couponId) => {
        return {
          ...shared,
          couponId,
          promotionId: `sample-${this.ref}`,
          periods: ['d20261121'],
          givenBack: false,
        };
      }),
      lines: [],
    };
  }

  private account(userId: string, fields: readonly FieldWrite[], uses: number): Write {
    const field = Buffer.alloc(5, 'u');
    field.writeUInt32BE(this.ref, 1);
    const counted = { field, value: bytes(this.raise(`${userId}/u`, uses)) };
    return { target: 'account', id: userId, fields: [...fields, counted] };
  }

  private usage(uses: number): Write {
    const fields = [
      { field: bytes('n'), value: bytes(this.raise('n', uses)) },
      { field: bytes('m'), value: bytes(this.raise('m', uses * SAMPLE_DISCOUNT_MINOR)) },
      { field: bytes('d20261121'), value: bytes(this.raise('d', uses)) },
    ];
    return { target: 'usage', id: String(this.ref), fields };
  }

  private raise(name: string, by: number): number {
    const next = (this.uses.get(name) ?? 0) + by;
    this.uses.set(name, next);
    return next;
  }
}

function holdOf(userId: string, requestId: string, value: Buffer | undefined): FieldWrite {
  return { field: Buffer.concat([bytes('>'), sampleField(userId, requestId)]), value };
}

function due(member: string, atMs: number | undefined): Write {
  const value = atMs === undefined ? undefined : bytes(atMs);
  return { target: 'due', id: '', fields: [{ field: bytes(member), value }] };
}
