import type { Decision } from '../domain/decision.ts';
import type { LiveLimit } from '../domain/live-limit.ts';
import { type CheckedContender, checkContender } from './check/judge.ts';
import { choose } from './choose.ts';
import { decide } from './decide.ts';
import type { EvaluationInput } from './evaluation-input.ts';
import { explain, traceOf } from './explain.ts';
import { gatherContenders } from './gather.ts';
import { type Occasion, occasionOf } from './occasion.ts';
import { ration } from './ration.ts';
import type { RuleTable } from './rule-table.ts';

/**
 * Decides about a cart: which promotions and coupons apply, what each line pays, and why every other candidate does not. A
 * function of its arguments alone; `input` is valid (unique line ids, sums within the safe integers) and the table holds the
 * versions of all its coupons.
 */
export function evaluateCart(table: RuleTable, input: EvaluationInput): Decision {
  const { occasion, checked } = checkContenders(table, input);
  const { cart, limits } = occasion;
  const choice = choose(ration(checked, cart, limits, input), cart, input);
  const { lines, totals, applied, bonusPoints } = decide(cart, choice.applications);
  const { rejected, nearMisses } = explain(choice);
  const decision: Decision = {
    ruleSetVersion: table.version,
    lines,
    totals,
    applied,
    rejected,
    nearMisses,
    bonusPoints,
    isProvenOptimal: choice.combination.isProvenOptimal,
    ...(limits.size > 0 && { limits: limitsSeen(checked, limits) }),
  };
  return input.wantsTrace ? { ...decision, trace: traceOf(choice) } : decision;
}

/** The cart laid out, and everybody who asks to be applied to it with what the rules of each say, as if nothing else were used. */
export function checkContenders(
  table: RuleTable,
  input: EvaluationInput,
): { readonly occasion: Occasion; readonly checked: readonly CheckedContender[] } {
  const occasion = occasionOf(table.vocabulary, input);
  return {
    occasion,
    checked: gatherContenders(table, input, occasion).map((each) => checkContender(each, occasion)),
  };
}

/** What was known of the limits of those that asked: the others had no part in the decision. */
function limitsSeen(
  checked: readonly CheckedContender[],
  limits: ReadonlyMap<number, LiveLimit>,
): readonly LiveLimit[] {
  const seen = new Set<LiveLimit>();
  for (const { contender } of checked) {
    const limit = contender.promotion && limits.get(contender.promotion.definition.ref);
    if (limit !== undefined) seen.add(limit);
  }
  return [...seen].sort((left, right) => left.promotionRef - right.promotionRef);
}
