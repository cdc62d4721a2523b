import type { UserFacts } from '../../../src/domain/cart.ts';
import type { Failure } from '../../../src/domain/decision.ts';
import type { Audience, PromotionDefinition } from '../../../src/domain/promotion.ts';
import type { EvaluationInput } from '../../../src/engine/evaluation-input.ts';
import { applyTo, classOf, type Usable, untouched } from './application.ts';
import type { Contender } from './contenders.ts';
import { applyEffect } from './effects.ts';
import { type ExactCart, type ExactLine, isIn, placesWhere, spendOf, unitsOf } from './exact-cart.ts';
import { checkLimits, withBudgetLeft } from './limits.ts';
import { checkRule, type RuleView } from './rule-checks.ts';

const MS_PER_DAY = 24 * 60 * 60 * 1000;

/** A contender that can be used, or the first reason why it cannot. */
export function checkContender(
  contender: Contender,
  input: EvaluationInput,
  cart: ExactCart,
): { usable: Usable; failure?: never } | { usable?: never; failure: Failure } {
  const { definition } = contender;
  if (contender.failure !== undefined) return { failure: contender.failure };
  if (definition === undefined) return { failure: { reason: 'PROMOTION_NOT_FOUND' } };
  const limited = withBudgetLeft(definition, input);
  const usable = { ...contender, definition: limited, eligible: eligibleFor(definition, cart) };
  const failure =
    checkUse(usable, input) ??
    checkRules(usable, input, cart) ??
    checkEffect(usable, cart) ??
    checkAlone(usable, cart);
  return failure === undefined ? { usable } : { failure };
}

function isLeftOut({ rules }: PromotionDefinition, line: ExactLine): boolean {
  return rules.some((rule) => {
    if (rule.kind === 'exclusion') return isIn(line, rule.selection);
    return rule.kind === 'sale_items' && rule.handling === 'excluded' && line.line.isOnSale;
  });
}

function eligibleFor(definition: PromotionDefinition, cart: ExactCart): number[] {
  return placesWhere(cart, (line) => {
    const isInScope = definition.rules.every(
      (rule) => rule.kind !== 'item_discount_scope' || isIn(line, rule.selection),
    );
    return isInScope && !isLeftOut(definition, line);
  });
}

function checkUse({ definition, source }: Usable, input: EvaluationInput): Failure | undefined {
  const { cart, facts, atMs } = input;
  const { isUseSuspended, isActive, startsAtMs, endsAtMs, currency, checkAudienceAtUse, audience } =
    definition;
  if (isUseSuspended) return { reason: 'USE_SUSPENDED' };
  if (source.kind === 'code') {
    if (!isActive) return { reason: 'PROMOTION_INACTIVE' };
    if (startsAtMs !== undefined && atMs < startsAtMs) return { reason: 'PROMOTION_NOT_STARTED' };
    if (endsAtMs !== undefined && atMs > endsAtMs) return { reason: 'PROMOTION_ENDED' };
  }
  if (currency !== cart.currency)
    return { reason: 'CURRENCY_MISMATCH', needed: currency, seen: cart.currency };
  const isAsked = source.kind !== 'coupon' || checkAudienceAtUse;
  const untargeted = isAsked ? checkAudience(audience, facts, atMs) : undefined;
  return untargeted ?? checkLimits(definition, input);
}

function checkAudience(audience: Audience, facts: UserFacts, atMs: number): Failure | undefined {
  switch (audience.kind) {
    case 'everyone':
      return undefined;
    case 'tagged_users':
      if (audience.anyOf.some((tag) => facts.level === tag || facts.tags?.has(tag) === true))
        return undefined;
      if (facts.tags === undefined) return { reason: 'FACT_MISSING', needed: 'tags' };
      return { reason: 'USER_NOT_TARGETED' };
    case 'new_users':
      return checkNewUser(audience.registeredWithinDays, facts, atMs);
  }
}

function checkNewUser(days: number | undefined, facts: UserFacts, atMs: number): Failure | undefined {
  const { ordersCompleted: orders, registeredAtMs } = facts;
  if (orders === undefined) return { reason: 'FACT_MISSING', needed: 'orders_completed' };
  if (orders !== 0) return { reason: 'USER_NOT_TARGETED', needed: 0, seen: orders };
  if (days === undefined) return undefined;
  if (registeredAtMs === undefined) return { reason: 'FACT_MISSING', needed: 'registered_at' };
  const ageMs = atMs - registeredAtMs;
  if (ageMs < days * MS_PER_DAY) return undefined;
  return { reason: 'USER_NOT_TARGETED', needed: days, seen: Math.floor(ageMs / MS_PER_DAY) };
}

function checkRules(
  { definition, eligible }: Usable,
  input: EvaluationInput,
  cart: ExactCart,
): Failure | undefined {
  const counted = placesWhere(cart, (line) => !isLeftOut(definition, line));
  const view: RuleView = {
    cart,
    eligible,
    spend: spendOf(cart, eligible),
    units: unitsOf(cart, eligible),
    orderSpend: spendOf(cart, counted),
    facts: input.facts,
    atMs: input.atMs,
  };
  for (const [ruleIndex, rule] of definition.rules.entries()) {
    const failure = checkRule(rule, view);
    if (failure !== undefined) return { ...failure, ruleIndex, ruleKind: rule.kind };
  }
  return undefined;
}

/** What the effect says about the cart before any discount. */
function checkEffect({ definition, eligible }: Usable, cart: ExactCart): Failure | undefined {
  const { effect } = definition;
  const isOnItems = classOf(definition) === 'item' || classOf(definition) === 'order';
  if (eligible.length === 0 && isOnItems && effect.kind !== 'gift_items')
    return { reason: 'NO_ELIGIBLE_LINE' };
  const { failure } = applyEffect(effect, { cart, eligible, ...untouched(cart) });
  return failure;
}

function checkAlone(usable: Usable, cart: ExactCart): Failure | undefined {
  const { failure } = applyTo(untouched(cart), usable, cart);
  return failure;
}
