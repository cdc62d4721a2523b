import type { Refusal } from '../domain/refusal.ts';
import type { VersionName } from '../engine/rule-table.ts';
import type { Waits } from '../telemetry/tracing/traced-work.ts';

/** What is asked of a worker; each kind has its own request and response message. */
export const EVALUATION_KINDS = ['evaluate_cart', 'list_usable_coupons', 'validate_coupon'] as const;

/** One of the kinds. */
export type EvaluationKind = (typeof EVALUATION_KINDS)[number];

/** What the main thread read of the live state beside the wallet; empty where there is nothing. */
export interface LiveInputs {
  /** The facts kept about the user, as the ledger stores them. */
  readonly facts: Uint8Array;
  /** What is left of limits; see `live-inputs.ts`. */
  readonly limits: Uint8Array;
  /** The single-use codes among the codes; see `live-inputs.ts`. */
  readonly codes: Uint8Array;
}

/** What travels to a worker: a request that is not decoded yet, and what the main thread found out for it. */
export interface EvaluationItem {
  readonly kind: EvaluationKind;
  /** The facts about the user that the request states are believed; otherwise they are ignored. */
  readonly areFactsBelieved: boolean;
  /** The moment of a request that states none, in epoch milliseconds. */
  readonly nowMs: number;
  /** The message as it came. */
  readonly request: Uint8Array;
  /** The user's coupons, each a wallet field of 16 bytes and its value of 30, in any order. */
  readonly wallet: Uint8Array;
  /** Older versions of promotions that coupons of the wallet hold, as stored. */
  readonly bodies: readonly Uint8Array[];
  /** Versions that were looked up, whether there are such or not; they are not asked for again. */
  readonly lookedUp: readonly VersionName[];
  /** Absent for most carts: nothing of it matters to them. */
  readonly live?: LiveInputs | undefined;
}

/** An item on its way through a pool. Exactly one of the three methods is called, unless it is settled before. */
export interface PendingEvaluation extends EvaluationItem, Waits {
  /** Nobody waits for it any more. */
  readonly isSettled: boolean;
  answered(response: Uint8Array): void;
  refused(refusal: Refusal): void;
  /** The worker needs these versions to go on. */
  needs(versions: readonly VersionName[]): void;
}
