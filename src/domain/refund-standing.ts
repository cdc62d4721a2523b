/** Which promotions of an order still hold when only a part of it is kept, and what that means for its refund. */
import type { CandidateSource, Gift, RejectionReason } from './decision.ts';
import type { GivenDiscount, RefundPolicy, RestJudgement } from './refund.ts';

/** A promotion of a decision: by itself, by a coupon or by a code. */
export interface NamedPromotion {
  readonly promotionId: string;
  readonly source: CandidateSource;
}

/** A promotion that applied to the order, and what it gave. */
export interface GivenPromotion extends NamedPromotion, GivenDiscount {
  readonly gifts: readonly Gift[];
}

/** What the rules say about the rest of an order. */
export interface RestDecision {
  /** What the rest costs, in minor units. */
  readonly payableMinor: number;
  readonly applied: readonly (NamedPromotion & Pick<GivenPromotion, 'gifts'>)[];
  readonly rejected: readonly (NamedPromotion & { readonly reason: RejectionReason })[];
}

/**
 * Reasons that tell of something else than the rest of the cart: of the other promotions, of what was used up since (the
 * order's own use among it), or that there was nothing left to take off. The conditions of such a promotion still hold.
 */
const NOT_ABOUT_THE_CART: ReadonlySet<RejectionReason> = new Set([
  'PROMOTION_INACTIVE',
  'PROMOTION_NOT_STARTED',
  'PROMOTION_ENDED',
  'USE_SUSPENDED',
  'COUPON_NOT_STARTED',
  'COUPON_EXPIRED',
  'COUPON_USED',
  'COUPON_RESERVED',
  'COUPON_REVOKED',
  'CODE_USED',
  'NOTHING_TO_DISCOUNT',
  'GIFT_UNAVAILABLE',
  'BUDGET_EXCEEDED',
  'BUDGET_EXHAUSTED',
  'USES_EXHAUSTED',
  'USER_USES_EXHAUSTED',
  'NOT_COMBINABLE',
  'COUPON_COUNT_EXCEEDED',
  'BETTER_COMBINATION',
  'NOT_SELECTED',
]);

function keyOf({ promotionId, source }: NamedPromotion): string {
  switch (source.kind) {
    case 'automatic':
      return promotionId;
    case 'coupon':
      return `${promotionId} coupon ${source.couponId}`;
    case 'code':
      return `${promotionId} code ${source.code}`;
  }
}

/** Reads a decision about the rest as the policy wants it; `given` is what applied to the order. */
export function judgementOf(
  policy: Exclude<RefundPolicy, 'keep'>,
  given: readonly GivenPromotion[],
  rest: RestDecision,
): RestJudgement {
  if (policy === 'reevaluate') {
    const gifts = rest.applied.flatMap((each) => each.gifts);
    return { kind: 'reevaluated', payableMinor: rest.payableMinor, gifts };
  }
  const held = new Set(stillHolding(rest).map(keyOf));
  const kept = given.filter((promotion) => held.has(keyOf(promotion)));
  const lost = given.filter((promotion) => !held.has(keyOf(promotion)));
  return { kind: 'judged', lost, gifts: kept.flatMap((each) => each.gifts) };
}

/**
 * The promotions whose conditions the rest meets. One that the decision about the rest does not name has nothing in common
 * with the rest any more.
 */
function stillHolding({ applied, rejected }: RestDecision): NamedPromotion[] {
  return [...applied, ...rejected.filter(({ reason }) => NOT_ABOUT_THE_CART.has(reason))];
}
