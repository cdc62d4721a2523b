/**
 * The rows an archive batch leaves behind: plain data between the pure fold and the one statement that writes it.
 */

import type { PointsEntry } from '../domain/points-entry.ts';

/** One coupon after the last event of the batch that touched it. Times in ms since the epoch. */
export interface CouponRow {
  readonly couponId: Buffer;
  readonly userId: string;
  readonly promotionRef: number;
  readonly promotionVersion: number;
  readonly state: string;
  readonly source: string;
  readonly issuedAtMs: number;
  readonly validFromMs: number;
  readonly expiresAtMs: number | undefined;
  readonly hidden: boolean;
  /** The exact bytes of the wallet field. */
  readonly value: Buffer;
  readonly seq: number;
  readonly eventIndex: number;
  /** Entry that issued it when that is in this batch, otherwise -1. */
  readonly issuedSeq: number;
  /** The order that holds or has used it; absent when no event of the batch says, or it is in no order's hands. */
  readonly orderId: string | undefined;
  /** When its state last changed; absent when no event of the batch changed it. */
  readonly changedAtMs: number | undefined;
  /** It has left Redis since. */
  readonly retired: boolean;
  /** Coupons of the promotion the user has had for life; absent when no event of the batch says. */
  readonly claims: number | undefined;
  /** The wallet's running count of live coupons after the last event that touched the coupon; absent when it does not say. */
  readonly live: number | undefined;
}

/** A coupon that left Redis, and that this batch knows nothing else about: its id is not told by the event. */
export interface RetiredCouponRow {
  readonly userId: string;
  /** The wallet field: the last 16 bytes of the coupon's id. */
  readonly field: Buffer;
  /** As in {@link CouponRow}. */
  readonly live: number | undefined;
  readonly seq: number;
  readonly eventIndex: number;
}

/** What an order holds after the batch. Money in minor units, times in ms since the epoch; an absent time did not come. */
export interface RedemptionRow {
  readonly userId: string;
  readonly orderId: string;
  readonly state: string;
  readonly orderNumber: string;
  readonly reservedAtMs: number | undefined;
  readonly dueAtMs: number | undefined;
  readonly committedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
  readonly currency: string;
  readonly itemsMinor: number;
  readonly shippingMinor: number;
  readonly discountMinor: number;
  readonly payableMinor: number;
  readonly refundedMinor: number;
  readonly ruleSetVersion: number;
  readonly seq: number;
  readonly eventIndex: number;
  /** The uses of promotions, in the order's own order; earlier ones beyond them are gone. */
  readonly promotions: readonly RedemptionPromotionRow[];
}

/** One use of a promotion by an order. */
export interface RedemptionPromotionRow {
  readonly promotionRef: number;
  readonly promotionVersion: number;
  readonly couponId: Buffer | undefined;
  readonly code: string | undefined;
  readonly discountMinor: number;
  readonly state: string;
}

/** Something that happened to an order. */
export interface RedemptionHistoryRow {
  readonly userId: string;
  readonly orderId: string;
  readonly seq: number;
  readonly eventIndex: number;
  readonly kind: string;
  readonly atMs: number;
}

/** A transaction of points. */
export interface PointsRow extends PointsEntry {
  readonly userId: string;
  readonly seq: number;
}

/** A promotion's figures after the batch. A figure the batch does not mention has entry number -1. */
export interface CounterRow {
  readonly promotionRef: number;
  readonly issued: number;
  readonly issuedSeq: number;
  /** Absent = unlimited. */
  readonly received: number | undefined;
  readonly receivedSeq: number;
}

/** One field of a record that is in no other row: neither a coupon with its wallet's figures, nor a counter. */
export interface FieldRow {
  readonly target: string;
  readonly id: string;
  readonly field: Buffer;
  /** Absent when the field is gone and the batch does not know what it held. */
  readonly value: Buffer | undefined;
  /** It left Redis with its record and is kept here; a field that is gone otherwise is deleted. */
  readonly retired: boolean;
  readonly seq: number;
  readonly eventIndex: number;
}

/** Something that happened to a coupon after it was issued. */
export interface HistoryRow {
  readonly couponId: Buffer;
  readonly seq: number;
  readonly eventIndex: number;
  readonly kind: string;
  readonly atMs: number;
  /** The order it was about, if any. */
  readonly orderId: string | undefined;
}

/** One stream entry as it is kept. */
export interface LogRow {
  readonly seq: number;
  readonly timeMs: number;
  readonly eventCount: number;
  readonly payload: Buffer;
  readonly isProjected: boolean;
}

/** An event that is kept but not projected; index -1 stands for an entry that cannot be read at all. */
export interface QuarantineRow {
  readonly seq: number;
  readonly eventIndex: number;
  readonly subject: string;
  readonly error: string;
}

/** What the projections hold after some events: one row per key, sorted by key. */
export interface Projection {
  readonly coupons: readonly CouponRow[];
  readonly counters: readonly CounterRow[];
  readonly fields: readonly FieldRow[];
  readonly history: readonly HistoryRow[];
  readonly retiredCoupons: readonly RetiredCouponRow[];
  readonly redemptions: readonly RedemptionRow[];
  readonly redemptionHistory: readonly RedemptionHistoryRow[];
  readonly points: readonly PointsRow[];
}

/** A batch of entries, ready to be written. */
export interface FoldedBatch extends Projection {
  readonly log: readonly LogRow[];
  readonly quarantine: readonly QuarantineRow[];
  /** Events of the partition up to and including the last entry. */
  readonly eventsTotal: number;
}
