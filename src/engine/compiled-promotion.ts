import type { DiscountClass } from '../domain/decision.ts';
import type { PromotionDefinition } from '../domain/promotion.ts';
import type { CompiledEffect } from './effect-parts.ts';
import type { LineList, PreparedCart } from './prepared-cart.ts';
import type { RuleCheck, Stacking } from './rule-parts.ts';
import type { LineMatcher, SelectionKeys } from './selection.ts';

/** One check of a promotion with the place of its rule. */
export interface IndexedCheck {
  readonly ruleIndex: number;
  readonly check: RuleCheck;
}

/** One version of a promotion, ready for evaluation. Never changed once made. */
export interface CompiledPromotion {
  readonly definition: PromotionDefinition;
  readonly class: DiscountClass;
  /** The order of application as a number, lower first: the class, then the higher priority. Equal ones go by id. */
  readonly applicationRank: number;
  readonly effect: CompiledEffect;
  /** In the order of the rules. */
  readonly checks: readonly IndexedCheck[];
  readonly scope?: LineMatcher;
  readonly excluded: readonly { linesOf(cart: PreparedCart): LineList }[];
  readonly spendAfter?: { readonly ruleIndex: number; readonly minor: number };
  readonly stacking: Stacking;
  /** Each of these needs one of its keys in the cart; a cart without fails a check, so an index may use any of them. */
  readonly requiredKeys: readonly SelectionKeys[];
}
