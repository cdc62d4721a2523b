/**
 * What the ledger said about a claim, as the refusal a caller gets.
 *
 * A sold-out flash sale is nearly all refusals, and nearly all of them are the same one: they are made once and used again,
 * which also lets the servers keep their wire forms.
 */
import { LRUCache } from 'lru-cache';
import { Refusal, type RefusalReason } from '../domain/refusal.ts';
import type { ClaimRefusal } from '../ledger/claim-operation.ts';

/** Refusals kept; a limit on memory, not on what is answered. */
const KEPT_REFUSALS = 1_000;

/** What the figures of a reason mean: the metadata keys of what was needed and what was seen. */
const FIGURES: Partial<
  Record<RefusalReason, { readonly needed?: string; readonly seen?: string; readonly isTime?: boolean }>
> = {
  PROMOTION_NOT_STARTED: { needed: 'starts_at', seen: 'now', isTime: true },
  PROMOTION_ENDED: { needed: 'ended_at', seen: 'now', isTime: true },
  USER_LIMIT_REACHED: { needed: 'per_user_limit', seen: 'claimed' },
  SOLD_OUT: { needed: 'quantity', seen: 'issued' },
  WALLET_FULL: { needed: 'wallet_limit', seen: 'live_coupons' },
};

const MESSAGES: Partial<Record<RefusalReason, string>> = {
  PROMOTION_NOT_FOUND: 'There is no such promotion',
  PROMOTION_NOT_CLAIMABLE: 'The promotion cannot be claimed',
  PROMOTION_INACTIVE: 'The promotion is not active',
  PROMOTION_NOT_STARTED: 'Claiming has not started',
  PROMOTION_ENDED: 'Claiming has ended',
  USER_NOT_TARGETED: 'The promotion is not for this user',
  USER_LIMIT_REACHED: 'The user has claimed all that one user may',
  SOLD_OUT: 'Nothing is left',
  WALLET_FULL: 'The wallet holds as many coupons as it may',
  REQUEST_ID_REUSED: 'The request id was used for another claim',
  USER_NOT_FOUND: 'There is no such user',
  ARCHIVE_BACKLOG: 'The archive is behind; ask again with the same request id',
  LEDGER_CLOSED: 'The ledger is being opened; ask again with the same request id',
  LEDGER_UNAVAILABLE: 'The ledger did not answer; ask again with the same request id',
  LEDGER_OVERLOADED: 'Too many claims are waiting; ask again with the same request id',
  LEDGER_OUT_OF_MEMORY: 'The ledger has no memory left; ask again with the same request id',
  DURABILITY_UNMET: 'The ledger does not keep what this promotion asks for',
  DEADLINE_EXCEEDED: 'The ledger did not answer in time; ask again with the same request id',
  INTERNAL: 'The claim could not be decided',
};

function figure(value: number, isTime: boolean | undefined): string {
  return isTime ? new Date(value).toISOString() : String(value);
}

function metadataOf(refusal: ClaimRefusal, promotionId: string): Record<string, string> {
  const metadata: Record<string, string> = { promotion_id: promotionId };
  const names = FIGURES[refusal.reason];
  if (names?.needed !== undefined && !(names.isTime && refusal.needed === 0)) {
    metadata[names.needed] = figure(refusal.needed, names.isTime);
  }
  if (names?.seen !== undefined) metadata[names.seen] = figure(refusal.seen, names.isTime);
  if (refusal.isFactMissing) metadata.cause = 'FACT_MISSING';
  return metadata;
}

/** Refusals of claims, made once each. */
export class ClaimRefusals {
  private readonly kept = new LRUCache<string, Refusal>({ max: KEPT_REFUSALS });

  /** The refusal for what the ledger said about a claim of `promotionId`. */
  of(refusal: ClaimRefusal, promotionId: string): Refusal {
    const key = `${refusal.reason} ${promotionId} ${refusal.needed} ${refusal.seen} ${refusal.isFactMissing}`;
    const known = this.kept.get(key);
    if (known !== undefined) return known;
    const made = new Refusal(refusal.reason, MESSAGES[refusal.reason] ?? refusal.reason, {
      metadata: metadataOf(refusal, promotionId),
    });
    this.kept.set(key, made);
    return made;
  }
}
