import type { Decision } from '../domain/decision.ts';
import { type CheckedContender, checkContender } from './check/judge.ts';
import { choose } from './choose.ts';
import { decide } from './decide.ts';
import type { EvaluationInput } from './evaluation-input.ts';
import { explain, traceOf } from './explain.ts';
import { gatherContenders } from './gather.ts';
import { occasionOf } from './occasion.ts';
import type { PreparedCart } from './prepared-cart.ts';
import type { RuleTable } from './rule-table.ts';

/**
 * Decides about a cart: which promotions and coupons apply, what each line pays, and why every other candidate does not. A
 * function of its arguments alone; `input` is valid (unique line ids, sums within the safe integers) and the table holds the
 * versions of all its coupons.
 */
export function evaluateCart(table: RuleTable, input: EvaluationInput): Decision {
  const { cart, checked } = checkContenders(table, input);
  const choice = choose(checked, cart, input);
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
  };
  return input.wantsTrace ? { ...decision, trace: traceOf(choice) } : decision;
}

/** The cart laid out, and everybody who asks to be applied to it with what the rules of each say, as if nothing else were used. */
export function checkContenders(
  table: RuleTable,
  input: EvaluationInput,
): { readonly cart: PreparedCart; readonly checked: readonly CheckedContender[] } {
  const occasion = occasionOf(table.vocabulary, input);
  return {
    cart: occasion.cart,
    checked: gatherContenders(table, input, occasion).map((each) => checkContender(each, occasion)),
  };
}
