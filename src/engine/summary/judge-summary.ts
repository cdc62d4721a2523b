import type { Cart, CartSummary } from '../../domain/cart.ts';
import type { Failure } from '../../domain/decision.ts';
import { applyAlone } from '../apply.ts';
import { checkPromotion, checkUse, isFailure, needsEligibleLine, ofRule } from '../check/check-promotion.ts';
import type { CompiledPromotion } from '../compiled-promotion.ts';
import type { Contender } from '../contender.ts';
import type { EvaluationInput } from '../evaluation-input.ts';
import { namedContenders } from '../gather.ts';
import { type Benefit, benefitOf, type Verdict } from '../judge-coupons.ts';
import { type Occasion, occasionOf } from '../occasion.ts';
import type { RuleTable } from '../rule-table.ts';
import { looksAtLines, mayRoundAway } from './prove-effect.ts';
import { NEEDS_LINES, proveRule } from './prove-rule.ts';

/** An evaluation of which only a summary of the cart is known. */
export interface SummaryInput extends Omit<EvaluationInput, 'cart'> {
  readonly summary: CartSummary;
}

/**
 * A verdict per coupon and code for a cart of which only the total, and perhaps the items, are known. What cannot be proven
 * is NEEDS_LINES, never yes; what surely fails says so even then.
 */
export function judgeSummary(table: RuleTable, { summary, ...rest }: SummaryInput): Verdict[] {
  const input = { ...rest, cart: cartOf(summary) };
  const occasion = occasionOf(table.vocabulary, input);
  return namedContenders(table, input).map((contender) => verdictOn(contender, summary, occasion));
}

/** One line that costs the total: right for everything that does not look at single lines. */
function cartOf({ totalMinor, itemIds: _, ...rest }: CartSummary): Cart {
  const line = { lineId: 'total', itemId: '', categoryIds: [], quantity: 1, isOnSale: false };
  return { ...rest, lines: [{ ...line, unitPriceMinor: totalMinor }] };
}

function verdictOn(contender: Contender, summary: CartSummary, occasion: Occasion): Verdict {
  const { source, promotionId, promotionVersion, promotion } = contender;
  const verdict = { source, promotionId, promotionVersion };
  if (contender.failure !== undefined) return { ...verdict, failure: contender.failure };
  if (promotion === undefined) return { ...verdict, failure: { reason: 'PROMOTION_NOT_FOUND' } };
  const failure = checkUse(promotion.definition, source, occasion) ?? disprove(promotion, summary, occasion);
  if (failure !== undefined) return { ...verdict, failure };
  return { ...verdict, ...savingOf(contender, promotion, summary, occasion) };
}

/** The first rule that surely fails; when none does, NEEDS_LINES if any rule or the effect cannot be judged. */
function disprove(
  promotion: CompiledPromotion,
  summary: CartSummary,
  occasion: Occasion,
): Failure | undefined {
  const { rules, effect } = promotion.definition;
  let unproven = looksAtLines(effect) ? NEEDS_LINES : undefined;
  const isLineNeeded = needsEligibleLine(promotion.effect);
  for (const [ruleIndex, rule] of rules.entries()) {
    const proof = proveRule(rule, summary, isLineNeeded);
    if (proof === 'holds') continue;
    const failure = proof === 'no_lines_asked' ? checkOf(promotion, ruleIndex, occasion) : proof;
    if (failure === undefined) continue;
    if (failure.reason !== 'NEEDS_LINES') return ofRule(failure, promotion.definition, ruleIndex);
    unproven ??= ofRule(failure, promotion.definition, ruleIndex);
  }
  return unproven;
}

function checkOf(promotion: CompiledPromotion, ruleIndex: number, occasion: Occasion): Failure | undefined {
  const { allLines: eligible, subtotalMinor: spendMinor, units } = occasion.cart;
  const context = { ...occasion, eligible, spendMinor, units, orderSpendMinor: spendMinor };
  return promotion.checks.find((each) => each.ruleIndex === ruleIndex)?.check(context);
}

/** What it takes off, or why the effect gives nothing. Every rule is proven here, but the line stand-in need not pass those on items. */
function savingOf(
  { source, expiresAtMs }: Contender,
  { checks: _, ...promotion }: CompiledPromotion,
  summary: CartSummary,
  occasion: Occasion,
): Benefit | Pick<Verdict, 'failure'> {
  const checked = checkPromotion({ ...promotion, checks: [] }, source, expiresAtMs, occasion);
  if (isFailure(checked)) return { failure: checked };
  const alone = applyAlone(checked, occasion.cart);
  if (alone.failure !== undefined) return { failure: alone.failure };
  return mayRoundAway(promotion.definition.effect, summary) ? { failure: NEEDS_LINES } : benefitOf(alone);
}
