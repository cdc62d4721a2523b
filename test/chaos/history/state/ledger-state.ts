/** Everything the stores hold after a run, read while nothing moves: what a checker decides about. */

/** Fields of records by record and name; a record is `<class>:<id>`, names and values are latin1 text. */
export type Records = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** One entry of the log or the stream. */
export interface StoredEntry {
  readonly seq: number;
  readonly payload: Buffer;
}

/** How far a partition is archived. */
export interface StoredCursor {
  readonly seq: number;
  readonly eventsTotal: number;
  readonly epoch: number;
  readonly payload: Buffer | undefined;
}

/** One partition of one generation. */
export interface PartitionState {
  readonly generation: number;
  readonly partition: number;
  /** Postgres: the whole log, by number. */
  readonly log: readonly StoredEntry[];
  readonly cursor: StoredCursor | undefined;
  /** Entries that are known to be missing from the log, since Postgres was set back; both ends included. */
  readonly holes: readonly { readonly fromSeq: number; readonly toSeq: number }[];
  /** What Redis holds; absent for a generation that was replaced. */
  readonly redis: RedisState | undefined;
  /** What Postgres holds of every record: coupons, figures, fields. Says nothing for a generation that was replaced. */
  readonly archived: Records;
  /** Events and entries that wait in quarantine. */
  readonly quarantined: number;
}

/** One partition as Redis has it. */
export interface RedisState {
  readonly stream: readonly StoredEntry[];
  /** The partition takes writes on the server that answers. */
  readonly isOpen: boolean;
  readonly records: Records;
}

/** A coupon as people query it. */
export interface CouponRow {
  readonly couponId: string;
  readonly userId: string;
  readonly state: string;
  readonly orderId: string | undefined;
}

/** An order as people query it. */
export interface RedemptionRow {
  readonly userId: string;
  readonly orderId: string;
  readonly state: string;
  readonly payableMinor: number;
  readonly refundedMinor: number;
}

/** A transaction of points as people query it. */
export interface PointsRow {
  readonly userId: string;
  readonly number: number;
  readonly points: number;
  readonly balanceAfter: number;
}

/** An event of the shop. */
export interface InboxRow {
  readonly eventId: string;
  readonly state: string;
  /** It is overdue to be worked on. */
  readonly isOverdue: boolean;
}

/** A promotion as staff defined it last. */
export interface PromotionRow {
  readonly promotionId: string;
  readonly ref: number;
  readonly version: number;
  /** Changes wait to be delivered to the ledger. */
  readonly isPending: boolean;
}

/** All stores. */
export interface LedgerState {
  /** Number of the generation in use. */
  readonly generation: number;
  /** Number of partitions of that generation. */
  readonly partitions: number;
  /** Every partition of every generation that has a log, in order. */
  readonly logs: readonly PartitionState[];
  readonly coupons: readonly CouponRow[];
  readonly redemptions: readonly RedemptionRow[];
  readonly points: readonly PointsRow[];
  readonly inbox: readonly InboxRow[];
  readonly promotions: readonly PromotionRow[];
}

/** The name of a record in {@link Records}. */
export function recordName(target: string, id: string): string {
  return `${target}:${id}`;
}
