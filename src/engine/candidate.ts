import type { CandidateSource } from '../domain/decision.ts';
import type { CompiledPromotion } from './compiled-promotion.ts';
import type { LineList } from './prepared-cart.ts';

/** A promotion that may be used on this cart, by one coupon, one code or by itself: all its rules hold. */
export interface Candidate {
  readonly promotion: CompiledPromotion;
  readonly source: CandidateSource;
  readonly eligible: LineList;
  /** Sum of the eligible lines before any discount, and their units. */
  readonly spendMinor: number;
  readonly units: number;
  /** End of the coupon; `Infinity` when there is none. */
  readonly expiresAtMs: number;
  /** Coupons and codes count towards the number an order may use; automatic promotions do not. */
  readonly takesSlot: boolean;
  /** The most its budget still allows; `Infinity` without one. */
  readonly budgetLeftMinor: number;
}
