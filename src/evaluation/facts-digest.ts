import { hash } from 'node:crypto';
import type { UserFacts } from '../domain/cart.ts';
import type { LiveLimit, UseCount } from '../domain/live-limit.ts';
import type { HeldCoupon, ResolvedCode } from '../engine/evaluation-input.ts';

/** Enough that two different inputs never share one by chance. */
const DIGEST_BYTES = 16;

/** What a decision is made from beside the cart and the rules. */
export interface DigestedInputs {
  readonly facts: UserFacts;
  /** Sorted by id. */
  readonly coupons: readonly HeldCoupon[];
  /** Sorted by code. */
  readonly codes: readonly ResolvedCode[];
  /** Sorted by promotion. */
  readonly limits: readonly LiveLimit[];
}

/** Facts in one form, whatever the order in which they were stated. What came later to the contract is left out while unknown. */
function canonicalFacts(facts: UserFacts): unknown[] {
  const { tags, registeredAtMs, ordersCompleted, attributes, level, birthday } = facts;
  return [
    tags ? [...tags].sort() : null,
    registeredAtMs ?? null,
    ordersCompleted ?? null,
    attributes ? [...attributes].sort(([left], [right]) => (left < right ? -1 : 1)) : null,
    ...(level === undefined && birthday === undefined ? [] : [level ?? null, birthday ?? null]),
  ];
}

function canonicalCoupon(coupon: HeldCoupon): unknown[] {
  const { couponId, promotionRef, promotionVersion, state, validFromMs, expiresAtMs } = coupon;
  return [couponId, promotionRef, promotionVersion, state, validFromMs, expiresAtMs ?? null];
}

function canonicalLimit({ promotionRef, uses, userUses, budget }: LiveLimit): unknown[] {
  const count = (of: UseCount | undefined): number[] | null => (of ? [of.allowed, of.seen] : null);
  return [promotionRef, count(uses), count(userUses), budget ? [budget.amountMinor, budget.leftMinor] : null];
}

function digestOf({ facts, coupons, codes, limits }: DigestedInputs): Uint8Array {
  const live = [
    codes.map(({ code, promotionRef, state }) => [code, promotionRef, state]),
    limits.map(canonicalLimit),
  ];
  const isLive = codes.length > 0 || limits.length > 0;
  const inputs = [canonicalFacts(facts), coupons.map(canonicalCoupon), ...(isLive ? live : [])];
  return hash('sha256', JSON.stringify(inputs), 'buffer').subarray(0, DIGEST_BYTES);
}

const NOTHING_KNOWN = digestOf({ facts: {}, coupons: [], codes: [], limits: [] });

/** What a decision was made from beside the cart and the rules, in 16 bytes. */
export function factsDigest(inputs: DigestedInputs): Uint8Array {
  const { facts, coupons, codes, limits } = inputs;
  const isAnythingLive = coupons.length > 0 || codes.length > 0 || limits.length > 0;
  return isAnythingLive || Object.keys(facts).length > 0 ? digestOf(inputs) : NOTHING_KNOWN;
}
