/**
 * What a chaos run records: one JSON line for everything a client did and was told.
 *
 * Every attempt on the wire is one `invoke` and at most one end under the same `id`: `ok` (done), `refused` (this attempt had no
 * effect), `unknown` (it may or may not have been carried out; also when the record ends without one). Another attempt of
 * the same call has another `id` and the same `requestId`. A batch is one attempt per item. `note` says what a run did
 * to the servers meanwhile.
 */

/** What a client can ask for. Each name stands for one method of the contract, `define` for the staff's changes. */
export type Operation =
  | 'claim'
  | 'claimCode'
  | 'exchange'
  | 'reserve'
  | 'use'
  | 'commit'
  | 'release'
  | 'return'
  | 'refund'
  | 'event'
  | 'award'
  | 'define';

/** What was asked for, without the request id. Times in ms since the epoch, money in minor units. */
export interface Arguments {
  readonly userId?: string;
  readonly promotionId?: string;
  readonly orderId?: string;
  readonly reservationId?: string;
  readonly couponIds?: readonly string[];
  /** A code to claim, or the code of an order. */
  readonly code?: string;
  readonly lines?: readonly { readonly lineId: string; readonly quantity: number }[];
  readonly points?: number;
  /** What happened in the shop: `order_completed`, `order_cancelled`. */
  readonly eventKind?: string;
  readonly paidMinor?: number;
  /** What staff did: `create`, `update`, `activate`, `deactivate`. */
  readonly change?: string;
}

/** A coupon as an answer tells it. */
export interface ToldCoupon {
  readonly couponId: string;
  /** As in the contract, short and in lower case: `used`, `unused`; of a return `usable_again`, `expired`. */
  readonly state: string;
}

/** What an answer promised, as far as a checker can hold the product to it. */
export interface Answer {
  readonly couponId?: string;
  readonly promotionId?: string;
  readonly promotionVersion?: number;
  readonly replayed?: boolean;
  readonly acknowledgement?: 'fast' | 'durable' | 'ledger';
  readonly issuedAtMs?: number;
  readonly orderId?: string;
  readonly reservationId?: string;
  /** State of the redemption: `reserved`, `committed`, `released`, `expired`, `returned`. */
  readonly state?: string;
  readonly coupons?: readonly ToldCoupon[];
  readonly discountMinor?: number;
  /** Money a refund gave back. */
  readonly refundMinor?: number;
  readonly pointsSpent?: number;
  readonly pointsAwarded?: number;
  readonly pointsReversed?: number;
  readonly eventOutcome?: string;
  /** Points that events gave and took, by user. */
  readonly pointsEffects?: readonly { readonly userId: string; readonly points: number }[];
  /** State of a promotion after `define`: `active`, `inactive`. */
  readonly promotionState?: string;
  readonly quantity?: number;
  readonly perUserLimit?: number;
}

/** What every record about an attempt carries. */
interface Attempt {
  /** When the client wrote it down, ms since the epoch on the clients' clock. */
  readonly at: number;
  /** The attempt; unique in the history. */
  readonly id: number;
  readonly client: string;
  readonly operation: Operation;
  /** The idempotency key: `request_id`, or the id of an event. Unique per operation and user. */
  readonly requestId: string;
}

/** A client is about to send. */
export interface Invoke extends Attempt {
  readonly kind: 'invoke';
  readonly arguments: Arguments;
  readonly transport: 'grpc' | 'connect';
  readonly address: string;
  /** What the client gave the call, ms: afterwards nothing of this attempt may be begun any more. */
  readonly timeoutMs: number;
  /** Items of one batch share this number. */
  readonly batch?: number;
  /** Why it is sent again, when it is: after an unknown outcome, on purpose, or to settle at the end. */
  readonly repeat?: 'retry' | 'duplicate' | 'late' | 'settle';
}

/** It was done. */
export interface Ok extends Attempt {
  readonly kind: 'ok';
  /** Digest of what the contract promises to be the same in every answer to this request. */
  readonly digest: string;
  readonly answer: Answer;
}

/** It was refused, and this attempt changed nothing. */
export interface Refused extends Attempt {
  readonly kind: 'refused';
  /** A reason of the contract (`SOLD_OUT`). */
  readonly reason: string;
  /** The status it came with (`FAILED_PRECONDITION`); empty inside a batch. */
  readonly code: string;
}

/** Nobody can tell. */
export interface Unknown extends Attempt {
  readonly kind: 'unknown';
  /** The reason of the contract, or the transport's own word for it. */
  readonly reason: string;
  readonly code: string;
}

/** What the run did, for whoever reads the record. */
export interface Note {
  readonly kind: 'note';
  readonly at: number;
  readonly text: string;
}

/** How far a partition was archived at some moment, and under whose hand: one look at its cursor in Postgres. */
export interface CursorLook {
  readonly kind: 'cursor';
  readonly at: number;
  readonly generation: number;
  readonly partition: number;
  readonly seq: number;
  readonly epoch: number;
  readonly owner: string;
}

/** How an attempt ended. */
export type End = Ok | Refused | Unknown;

/** One line. */
export type HistoryRecord = Invoke | End | Note | CursorLook;

/** Where clients write. */
export interface HistorySink {
  /** Writes one record down; the sink keeps order. */
  append(record: HistoryRecord): void;
}
