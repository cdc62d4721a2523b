import { hash } from 'node:crypto';
import type { UserFacts } from '../domain/cart.ts';
import type { HeldCoupon } from '../engine/evaluation-input.ts';

/** Enough that two different inputs never share one by chance. */
const DIGEST_BYTES = 16;

/** Facts in one form, whatever the order in which they were stated. */
function canonicalFacts({ tags, registeredAtMs, ordersCompleted, attributes }: UserFacts): unknown[] {
  return [
    tags ? [...tags].sort() : null,
    registeredAtMs ?? null,
    ordersCompleted ?? null,
    attributes ? [...attributes].sort(([left], [right]) => (left < right ? -1 : 1)) : null,
  ];
}

function canonicalCoupon(coupon: HeldCoupon): unknown[] {
  const { couponId, promotionRef, promotionVersion, state, validFromMs, expiresAtMs } = coupon;
  return [couponId, promotionRef, promotionVersion, state, validFromMs, expiresAtMs ?? null];
}

function digestOf(facts: UserFacts, coupons: readonly HeldCoupon[]): Uint8Array {
  const text = JSON.stringify([canonicalFacts(facts), coupons.map(canonicalCoupon)]);
  return hash('sha256', text, 'buffer').subarray(0, DIGEST_BYTES);
}

const NOTHING_KNOWN = digestOf({}, []);

/** What a decision was made from beside the cart and the rules, in 16 bytes. `coupons` are sorted by id. */
export function factsDigest(facts: UserFacts, coupons: readonly HeldCoupon[]): Uint8Array {
  const isNothingKnown = coupons.length === 0 && Object.keys(facts).length === 0;
  return isNothingKnown ? NOTHING_KNOWN : digestOf(facts, coupons);
}
