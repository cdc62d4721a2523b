import type { Cart, ItemOffer, UserFacts } from '../domain/cart.ts';
import type { CouponState } from '../domain/coupon.ts';
import type { LiveLimit } from '../domain/live-limit.ts';

/** A coupon of the user's wallet, in any state. Times in epoch milliseconds, both valid; no end means for ever. */
export interface HeldCoupon {
  readonly couponId: string;
  readonly promotionRef: number;
  /** The version it was claimed under, whose effect and rules it keeps. */
  readonly promotionVersion: number;
  readonly state: CouponState;
  readonly validFromMs: number;
  readonly expiresAtMs?: number;
}

/** A single-use code that exists. */
export interface ResolvedCode {
  /** As it is compared: without outer blanks, in lower case. */
  readonly code: string;
  readonly promotionRef: number;
  /** `taken`: used, or held for an unpaid order. */
  readonly state: 'free' | 'taken';
}

/** Which coupons and codes to use: the best legal combination, or the caller's own choice. */
export type Selection =
  | { readonly kind: 'best' }
  | { readonly kind: 'own'; readonly couponIds: readonly string[]; readonly codes: readonly string[] };

/** Everything a decision depends on beside the rules. */
export interface EvaluationInput {
  readonly cart: Cart;
  /** Prices and availability of items that may be given, as far as the caller knows them. */
  readonly offers: ReadonlyMap<string, ItemOffer>;
  readonly facts: UserFacts;
  /** The moment the decision is for, in epoch milliseconds. */
  readonly atMs: number;
  readonly coupons: readonly HeldCoupon[];
  /** As typed; letter case and outer blanks are ignored. */
  readonly codes: readonly string[];
  /** Those of the codes that are single-use; the others are public or unknown. */
  readonly resolvedCodes?: readonly ResolvedCode[];
  /** What is known of limits, each promotion once; without it every limit is taken as untouched. */
  readonly limits?: readonly LiveLimit[];
  readonly selection: Selection;
  /** Coupons and codes one order may use. */
  readonly couponsPerOrder: number;
  readonly wantsTrace: boolean;
}
