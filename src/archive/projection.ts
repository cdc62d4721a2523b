/**
 * The rows an archive batch leaves behind: plain data between the pure fold and the one statement that writes it.
 */

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

/** One field of a record that is neither a wallet nor a counter. */
export interface FieldRow {
  readonly target: string;
  readonly id: string;
  readonly field: Buffer;
  readonly value: Buffer;
  readonly seq: number;
}

/** Something that happened to a coupon after it was issued. */
export interface HistoryRow {
  readonly couponId: Buffer;
  readonly seq: number;
  readonly eventIndex: number;
  readonly kind: string;
  readonly atMs: number;
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
}

/** A batch of entries, ready to be written. */
export interface FoldedBatch extends Projection {
  readonly log: readonly LogRow[];
  readonly quarantine: readonly QuarantineRow[];
  /** Events of the partition up to and including the last entry. */
  readonly eventsTotal: number;
}
