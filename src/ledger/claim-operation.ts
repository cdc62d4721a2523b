/** One claim on its way to the ledger, and what the script said about it. */
import type { Acknowledgement } from '../domain/live-definition.ts';
import type { RefusalReason } from '../domain/refusal.ts';
import { encodeTags } from './live-definition.ts';

/** Facts about the user that a trusted caller asserted; an absent one is unknown. */
export interface ClaimFacts {
  readonly registeredAtMs?: number;
  readonly ordersCompleted?: number;
  readonly tags: readonly string[];
}

/** A claim that was carried out, now or by an earlier attempt with the same request id. Times in ms since the epoch. */
export interface ClaimedCoupon {
  readonly couponId: string;
  readonly promotionVersion: number;
  readonly issuedAtMs: number;
  readonly validFromMs: number;
  /** 0 = never. */
  readonly expiresAtMs: number;
  readonly isReplay: boolean;
  /** The level this answer really met. */
  readonly acknowledgement: Acknowledgement;
}

/** A claim that was not carried out, or whose outcome is unknown. `needed` and `seen` are what the check compared. */
export interface ClaimRefusal {
  readonly reason: RefusalReason;
  readonly needed: number;
  readonly seen: number;
  /** True when the user was not targeted because a fact about him is missing. */
  readonly isFactMissing: boolean;
}

/** Receives the one answer of a claim. */
export interface ClaimListener {
  claimed(coupon: ClaimedCoupon): void;
  refused(refusal: ClaimRefusal): void;
}

/** What a claim asks for. */
export interface ClaimRequest {
  readonly promotionRef: number;
  readonly userId: string;
  /** The wallet field in hex; see `coupon-field.ts`. */
  readonly fieldHex: string;
  /** Local time in ms since the epoch after which no answer is wanted. */
  readonly deadlineMs: number;
  readonly facts: ClaimFacts | undefined;
  readonly listener: ClaimListener;
}

/** The outcomes of `scripts/claim.lua` that are refusals, by their code. */
const REFUSALS: Readonly<Record<number, RefusalReason>> = {
  3: 'PROMOTION_NOT_FOUND',
  4: 'PROMOTION_NOT_CLAIMABLE',
  5: 'PROMOTION_INACTIVE',
  6: 'PROMOTION_NOT_STARTED',
  7: 'PROMOTION_ENDED',
  8: 'USER_NOT_TARGETED',
  9: 'USER_NOT_TARGETED',
  10: 'USER_LIMIT_REACHED',
  11: 'SOLD_OUT',
  12: 'WALLET_FULL',
  13: 'REQUEST_ID_REUSED',
  14: 'DEADLINE_EXCEEDED',
  15: 'ARCHIVE_BACKLOG',
  16: 'PROMOTION_NOT_FOUND',
  17: 'DURABILITY_UNMET',
  18: 'INTERNAL',
  19: 'USER_NOT_FOUND',
};

/** An earlier attempt with the same request id had carried it out. */
export const OUTCOME_REPLAYED = 2;
/** A fact the target asks for is unknown. */
export const OUTCOME_FACT_MISSING = 9;
/** Nothing is left in the partition. */
export const OUTCOME_SOLD_OUT = 11;
/** The deadline of the attempt had passed. */
export const OUTCOME_LATE = 14;
/** The partition has no record of the promotion. */
export const OUTCOME_UNDEFINED = 16;
/** The server or its replicas do not keep what the promotion asks for. */
export const OUTCOME_DURABILITY_UNMET = 17;
/** A record the claim needs cannot be read. */
export const OUTCOME_CORRUPT = 18;

/** Bytes per claim in the script's reply, and of the reply's head. */
export const REPLY_STRIDE = 32;
export const REPLY_HEAD = 19;

/** The refusal a reply's outcome code stands for. */
export function refusalOf(outcome: number, needed: number, seen: number): ClaimRefusal {
  const reason = REFUSALS[outcome] ?? 'INTERNAL';
  return { reason, needed, seen, isFactMissing: outcome === OUTCOME_FACT_MISSING };
}

/** Facts in the form `scripts/claim.lua` reads. */
export function encodeFacts(facts: ClaimFacts): Buffer {
  const head = Buffer.alloc(12);
  const isRegistered = facts.registeredAtMs === undefined ? 0 : 1;
  head.writeUInt8(isRegistered + (facts.ordersCompleted === undefined ? 0 : 2), 0);
  head.writeUIntBE(facts.registeredAtMs ?? 0, 1, 6);
  head.writeUInt32BE(facts.ordersCompleted ?? 0, 7);
  head.writeUInt8(facts.tags.length, 11);
  return Buffer.concat([head, encodeTags(facts.tags)]);
}
