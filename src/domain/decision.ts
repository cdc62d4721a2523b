/** What an evaluation answers. All amounts are integer minor units; every discount is 0 or more; shares sum exactly. */
import type { LiveLimit } from './live-limit.ts';
import type { RuleKind } from './promotion.ts';

/** Why a candidate did not apply. The names equal the values of `hongbao.v1.RejectionReason` (a test holds them together). */
export const REJECTION_REASONS = [
  'PROMOTION_NOT_FOUND',
  'PROMOTION_INACTIVE',
  'PROMOTION_NOT_STARTED',
  'PROMOTION_ENDED',
  'USE_SUSPENDED',
  'COUPON_NOT_FOUND',
  'COUPON_NOT_STARTED',
  'COUPON_EXPIRED',
  'COUPON_USED',
  'COUPON_RESERVED',
  'COUPON_REVOKED',
  'CODE_UNKNOWN',
  'CURRENCY_MISMATCH',
  'USER_NOT_TARGETED',
  'FACT_MISSING',
  'MINIMUM_SPEND_NOT_MET',
  'REQUIRED_ITEMS_MISSING',
  'EXCLUDED_ITEM_PRESENT',
  'NO_ELIGIBLE_LINE',
  'GIFT_CONDITION_NOT_MET',
  'OUTSIDE_TIME_SLOT',
  'QUANTITY_NOT_MET',
  'NOT_FIRST_ORDER',
  'NOT_NTH_ORDER',
  'CHANNEL_NOT_ALLOWED',
  'REGION_NOT_ALLOWED',
  'PAYMENT_METHOD_NOT_ALLOWED',
  'ATTRIBUTE_NOT_MATCHED',
  'SALE_ITEM_PRESENT',
  'EXPRESSION_FALSE',
  'EXPRESSION_FAILED',
  'TIER_NOT_REACHED',
  'GROUP_NOT_COMPLETE',
  'NOTHING_TO_DISCOUNT',
  'GIFT_UNAVAILABLE',
  'BUDGET_EXCEEDED',
  'NEEDS_LINES',
  'NOT_COMBINABLE',
  'COUPON_COUNT_EXCEEDED',
  'BETTER_COMBINATION',
  'NOT_SELECTED',
  'BUDGET_EXHAUSTED',
  'USES_EXHAUSTED',
  'USER_USES_EXHAUSTED',
  'CODE_USED',
] as const;

/** One of the reasons. */
export type RejectionReason = (typeof REJECTION_REASONS)[number];

/** What a failed check found. `needed` and `seen` are amounts, counts or texts, as the reason says. */
export interface Failure {
  readonly reason: RejectionReason;
  /** Place of the failed rule in the promotion's rules; absent when no rule failed. */
  readonly ruleIndex?: number;
  /** The kind of that rule. */
  readonly ruleKind?: RuleKind;
  readonly needed?: number | string;
  readonly seen?: number | string;
  /** How the cart could come to fulfil it: minor units or units that are missing. */
  readonly shortfall?: { readonly kind: 'minor' | 'units'; readonly missing: number };
}

/** How a candidate came to be one. */
export type CandidateSource =
  | { readonly kind: 'automatic' }
  | { readonly kind: 'coupon'; readonly couponId: string }
  | { readonly kind: 'code'; readonly code: string };

/** Where money is taken off. */
export type DiscountClass = 'item' | 'order' | 'shipping' | 'benefit';

/** Units of one line that got the same discount. */
export interface UnitRun {
  readonly units: number;
  readonly amountMinor: number;
}

/** The share of one line in a discount. */
export interface LineShare {
  /** Place of the line in the cart as it was given. */
  readonly lineIndex: number;
  readonly amountMinor: number;
  /** The share by unit, in order; units without a discount are left out. The runs sum to `amountMinor`. */
  readonly units: readonly UnitRun[];
}

/** A gift to add to the order as a zero-price line. */
export interface Gift {
  readonly itemId: string;
  readonly quantity: number;
}

/** A candidate that applies, in the order of application. */
export interface AppliedPromotion {
  readonly promotionId: string;
  readonly promotionRef: number;
  readonly promotionVersion: number;
  readonly source: CandidateSource;
  readonly class: DiscountClass;
  /** Taken off lines and shipping together. */
  readonly discountMinor: number;
  readonly shares: readonly LineShare[];
  readonly shippingDiscountMinor: number;
  readonly gifts: readonly Gift[];
  readonly bonusPoints: number;
}

/** A candidate that does not apply, and why. */
export interface RejectedCandidate extends Failure {
  /** Empty when the code or coupon is of no known promotion. */
  readonly promotionId: string;
  readonly promotionVersion: number;
  readonly source: CandidateSource;
  /** Ids of the applied promotions it cannot be combined with, for NOT_COMBINABLE. */
  readonly conflictsWith?: readonly string[];
}

/** A candidate that a somewhat larger cart would get. */
export interface NearMiss {
  readonly promotionId: string;
  readonly source: CandidateSource;
  readonly missing: number;
  readonly missingKind: 'minor' | 'units';
  /** What it would take off, or give as a gift, just at the threshold; absent when that cannot be told. */
  readonly wouldSaveMinor?: number;
}

/** What one line costs. */
export interface LineDecision {
  readonly originalMinor: number;
  readonly discountMinor: number;
  readonly payableMinor: number;
}

/** What the order costs. */
export interface Totals {
  readonly itemsMinor: number;
  readonly shippingMinor: number;
  readonly itemsDiscountMinor: number;
  readonly shippingDiscountMinor: number;
  /** Items and shipping after discounts. */
  readonly payableMinor: number;
}

/** The answer to a cart. */
export interface Decision {
  readonly ruleSetVersion: number;
  /** One per line, in the order of the cart as it was given. */
  readonly lines: readonly LineDecision[];
  readonly totals: Totals;
  readonly applied: readonly AppliedPromotion[];
  readonly rejected: readonly RejectedCandidate[];
  /** Nearest first; at most 20. */
  readonly nearMisses: readonly NearMiss[];
  /** Bonus points of all applied promotions together. */
  readonly bonusPoints: number;
  /** The combination is the best legal one, proven; false when the search ran out of its budget. */
  readonly isProvenOptimal: boolean;
  /** What was known of the limits of the candidates' promotions, by ref; absent when nothing was. */
  readonly limits?: readonly LiveLimit[];
  /** Steps in the order they were taken; only when asked for. */
  readonly trace?: readonly TraceStep[];
}

/** One step of an evaluation, for people. */
export interface TraceStep {
  readonly phase: 'match' | 'check' | 'combine' | 'apply';
  readonly promotionId: string;
  readonly source: CandidateSource;
  readonly outcome: 'passed' | 'failed' | 'chosen' | 'dropped' | 'applied';
  readonly failure?: Failure;
  readonly amountMinor?: number;
}
