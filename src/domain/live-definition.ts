/** The live part of a promotion: what a claim is decided by, as it is delivered to the ledger. */

/** Whether and how a promotion may be claimed at the moment. `deleted` reads as not found. */
export type LiveState = 'inactive' | 'active' | 'finished' | 'deleted';

/** When a coupon may be used: between fixed instants, or for `days` × 24 h after its claim. */
export type Validity =
  | { readonly kind: 'fixed'; readonly startMs?: number; readonly endMs?: number }
  | { readonly kind: 'days'; readonly days: number };

/** Who may claim. New users have no completed order, or registered less than so many days ago. */
export type Target =
  | { readonly kind: 'everyone' }
  | { readonly kind: 'new_users'; readonly registeredWithinDays?: number }
  | { readonly kind: 'tags'; readonly anyOf: readonly string[] };

/**
 * What has happened to a write when it is answered: the ledger has it, so have the replicas asked for, or it is committed in
 * the archive.
 */
export type Acknowledgement = 'fast' | 'durable' | 'ledger';

/** What is delivered to every partition when a promotion changes. Limits are absent when unlimited. */
export interface LiveDefinition {
  readonly ref: number;
  readonly id: string;
  readonly version: number;
  readonly state: LiveState;
  /** False when the promotion has another way in (automatic, code, points, granted). */
  readonly claimable: boolean;
  readonly claimStartMs?: number;
  readonly claimEndMs?: number;
  readonly perUserLimit?: number;
  readonly quantity?: number;
  readonly acknowledgement: Acknowledgement;
  readonly validity: Validity;
  readonly target: Target;
  /** The whole promotion as stored in Postgres, so that processes start while Postgres is down. */
  readonly body: Uint8Array;
}
