import type { CandidateSource, Failure } from '../../domain/decision.ts';
import type { PromotionDefinition } from '../../domain/promotion.ts';
import type { Candidate } from '../candidate.ts';
import type { CompiledPromotion } from '../compiled-promotion.ts';
import type { CompiledEffect, EffectInput } from '../effect-parts.ts';
import { type Eligibility, eligibilityOf } from '../match/eligible-lines.ts';
import type { Occasion } from '../occasion.ts';
import { checkAudience } from './check-audience.ts';
import { checkLimits } from './check-limits.ts';

/**
 * Whether a promotion may be used on a cart, before it is known what else is used: the candidate, or the first check that
 * fails. The order of the checks is part of the contract.
 *
 * @param expiresAtMs End of the coupon; `Infinity` when it has none or the source is no coupon.
 */
export function checkPromotion(
  promotion: CompiledPromotion,
  source: CandidateSource,
  expiresAtMs: number,
  occasion: Occasion,
): Candidate | Failure {
  const failure = checkUse(promotion.definition, source, occasion);
  if (failure !== undefined) return failure;
  const eligibility = eligibilityOf(promotion, occasion.cart);
  const unmet = checkRules(promotion, eligibility, occasion) ?? checkEffect(promotion, eligibility, occasion);
  if (unmet !== undefined) return unmet;
  const { eligible, spendMinor, units } = eligibility;
  return {
    promotion,
    source,
    eligible,
    spendMinor,
    units,
    expiresAtMs,
    takesSlot: source.kind !== 'automatic',
    budgetLeftMinor: budgetLeft(promotion.definition, occasion),
  };
}

/** Tells the two answers of {@link checkPromotion} apart. */
export function isFailure(checked: Candidate | Failure): checked is Failure {
  return 'reason' in checked;
}

/** What the definition says about use as such: suspension, state, window, currency, audience. */
export function checkUse(
  definition: PromotionDefinition,
  source: CandidateSource,
  occasion: Occasion,
): Failure | undefined {
  if (definition.isUseSuspended) return { reason: 'USE_SUSPENDED' };
  const failure = source.kind === 'code' ? checkCodeUse(definition, occasion.atMs) : undefined;
  if (failure !== undefined) return failure;
  const { currency } = occasion.cart.cart;
  if (definition.currency !== currency) {
    return { reason: 'CURRENCY_MISMATCH', needed: definition.currency, seen: currency };
  }
  const isAudienceAsked = source.kind !== 'coupon' || definition.checkAudienceAtUse;
  const untargeted = isAudienceAsked
    ? checkAudience(definition.audience, occasion.facts, occasion.atMs)
    : undefined;
  return untargeted ?? checkLimits(occasion.limits.get(definition.ref));
}

/** What is left of a promotion's money budget; `Infinity` when the whole order costs no more, so that it binds nothing. */
function budgetLeft({ ref, budget }: PromotionDefinition, { cart, limits }: Occasion): number {
  const leftMinor = Math.min(budget?.amountMinor ?? Infinity, limits.get(ref)?.budget?.leftMinor ?? Infinity);
  return leftMinor >= cart.subtotalMinor + cart.cart.shippingMinor ? Infinity : leftMinor;
}

function checkCodeUse(definition: PromotionDefinition, atMs: number): Failure | undefined {
  if (!definition.isActive) return { reason: 'PROMOTION_INACTIVE' };
  if (definition.startsAtMs !== undefined && atMs < definition.startsAtMs) {
    return { reason: 'PROMOTION_NOT_STARTED' };
  }
  if (definition.endsAtMs !== undefined && atMs > definition.endsAtMs) return { reason: 'PROMOTION_ENDED' };
  return undefined;
}

function checkRules(
  { checks, definition }: CompiledPromotion,
  eligibility: Eligibility,
  occasion: Occasion,
): Failure | undefined {
  if (checks.length === 0) return undefined;
  const { cart, facts, atMs, wallClock } = occasion;
  const { eligible, spendMinor, units, orderSpendMinor } = eligibility;
  const context = { cart, facts, atMs, wallClock, eligible, spendMinor, units, orderSpendMinor };
  for (const { ruleIndex, check } of checks) {
    const failure = check(context);
    if (failure !== undefined) return ofRule(failure, definition, ruleIndex);
  }
  return undefined;
}

/** Whether an effect gives nothing to a cart without a line inside its scope; gifts, shipping and points do not look for one. */
export function needsEligibleLine({ target, kind }: CompiledEffect): boolean {
  return target === 'items' && kind !== 'gift_items';
}

function checkEffect(
  { effect }: CompiledPromotion,
  { eligible, spendMinor, units }: Eligibility,
  { cart }: Occasion,
): Failure | undefined {
  if (eligible.length === 0 && needsEligibleLine(effect)) {
    return { reason: 'NO_ELIGIBLE_LINE' };
  }
  const input: EffectInput = {
    cart,
    eligible,
    spendMinor,
    units,
    left: cart.amounts,
    shippingLeftMinor: cart.cart.shippingMinor,
    isOptimistic: false,
  };
  return effect.check(input);
}

/** A failure with the rule it is of. */
export function ofRule(failure: Failure, { rules }: PromotionDefinition, ruleIndex: number): Failure {
  const ruleKind = rules[ruleIndex]?.kind;
  return ruleKind === undefined ? failure : { ...failure, ruleIndex, ruleKind };
}
