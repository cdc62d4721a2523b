/**
 * Transactions: the ledger's writes beside claims. A caller reads records, decides what shall be, and sends steps that check
 * what it read and write what it decided. All of them happen, in one instant, with one event; or none of them.
 *
 * A transaction is safe to run twice when its first run leaves something behind that a step of the second one finds: a
 * `replay` field, or an `expect` that holds no more. Whoever makes one sees to that.
 */
import type { EventKind } from './event-format.ts';

/** A record a transaction reads or writes. Ids: user; promotion ref in decimal (also of a usage record or a pool); `<user>/<order>`. */
export interface RecordName {
  readonly record: 'wallet' | 'promotion' | 'order' | 'account' | 'usage' | 'pool';
  readonly id: string;
}

/** Six bytes of a value that become the moment of the decision plus `plusMs`. */
export interface StampedTime {
  readonly offset: number;
  readonly plusMs: number;
}

/** One step. Checks see what the steps before them wrote. */
export type Step =
  /** Ends the transaction well when the field is there: it was done before. */
  | { readonly kind: 'replay'; readonly on: RecordName; readonly field: Buffer }
  /** The field holds these bytes. */
  | { readonly kind: 'expect'; readonly on: RecordName; readonly field: Buffer; readonly value: Buffer }
  /** The field is not there. */
  | { readonly kind: 'absent'; readonly on: RecordName; readonly field: Buffer }
  /** The field gets these bytes, up to 4 GiB; times are put in by the script. */
  | {
      readonly kind: 'set';
      readonly on: RecordName;
      readonly field: Buffer;
      readonly value: Buffer;
      readonly times?: readonly StampedTime[];
    }
  /** The field goes; nothing happens when it is not there. */
  | { readonly kind: 'remove'; readonly on: RecordName; readonly field: Buffer }
  /** The whole number in the field (0 when absent) grows and then lies within `min` (0 unless told) and `max` (2^53 − 1). */
  | {
      readonly kind: 'add';
      readonly on: RecordName;
      readonly field: Buffer;
      readonly delta: number;
      readonly min?: number;
      readonly max?: number;
    }
  /** The decision falls between these instants, both included; ms since the epoch. */
  | { readonly kind: 'within'; readonly fromMs: number; readonly toMs: number }
  /** The wallet's number of live coupons changes by −127 … 127; growth beyond what a wallet may hold is out of bounds. */
  | { readonly kind: 'live'; readonly userId: string; readonly change: number }
  /** The member (`<user>/<order>`) is due so many ms after the decision, or no more. */
  | { readonly kind: 'due'; readonly member: string; readonly afterMs: number | undefined };

/** Steps that happen together. */
export interface Transaction {
  /** What the event is called. */
  readonly event: EventKind;
  /** It begins something (a hold, a grant) and is refused while the archive lags far behind; what ends something never is. */
  readonly opensNew: boolean;
  /** At most 65,535. */
  readonly steps: readonly Step[];
}

/** What became of a transaction; `step` is the place in its steps. Only `done` has changed anything. */
export type Outcome =
  /** `sums`: what the `add` steps left, in order. */
  | { readonly kind: 'done'; readonly nowMs: number; readonly sums: readonly number[] }
  | { readonly kind: 'replayed'; readonly nowMs: number; readonly value: Buffer }
  | {
      readonly kind: 'differs';
      readonly nowMs: number;
      readonly step: number;
      readonly value: Buffer | undefined;
    }
  /** `value`: the number as it is. */
  | { readonly kind: 'out_of_bounds'; readonly nowMs: number; readonly step: number; readonly value: number }
  | { readonly kind: 'outside'; readonly nowMs: number; readonly step: number };

/** The record of a user's coupons. */
export const walletOf = (userId: string): RecordName => ({ record: 'wallet', id: userId });
/** The record of everything else about a user. */
export const accountOf = (userId: string): RecordName => ({ record: 'account', id: userId });
/** The record of an order of a user. */
export const orderOf = (userId: string, orderId: string): RecordName => ({
  record: 'order',
  id: `${userId}/${orderId}`,
});
/** The record of how often and for how much a promotion was used. */
export const usageOf = (ref: number): RecordName => ({ record: 'usage', id: String(ref) });
/** The record of a promotion's definition and issued coupons. */
export const promotionOf = (ref: number): RecordName => ({ record: 'promotion', id: String(ref) });
/** The record of what a promotion's home partition has given to the partitions; it exists where there is more than one. */
export const poolOf = (ref: number): RecordName => ({ record: 'pool', id: String(ref) });

/** The user a record belongs to; undefined for what belongs to a promotion. */
export function userOfRecord({ record, id }: RecordName): string | undefined {
  if (record === 'wallet' || record === 'account') return id;
  return record === 'order' ? id.slice(0, id.indexOf('/')) : undefined;
}

function userOfStep(step: Step): string | undefined {
  switch (step.kind) {
    case 'within':
      return undefined;
    case 'live':
      return step.userId;
    case 'due':
      return step.member.slice(0, step.member.indexOf('/'));
    default:
      return userOfRecord(step.on);
  }
}

/** The one user a transaction is about. Throws TypeError when it is about none or about two: no partition holds it then. */
export function userOfTransaction({ event, steps }: Transaction): string {
  let user: string | undefined;
  for (const step of steps) {
    const named = userOfStep(step);
    if (named === undefined || named === user) continue;
    if (user !== undefined) throw new TypeError(`a transaction "${event}" about two users`);
    user = named;
  }
  if (user === undefined) throw new TypeError(`a transaction "${event}" about no user needs a partition`);
  return user;
}
