import type { Decision } from '../domain/decision.ts';
import { judge } from './check/judge.ts';
import type { Occasion } from './check/occasion.ts';
import { combine } from './combine/combine.ts';
import { decide } from './decide.ts';
import type { EvaluationInput } from './evaluation-input.ts';
import { explain, traceOf } from './explain.ts';
import { gatherContenders } from './gather.ts';
import { prepareCart } from './prepared-cart.ts';
import type { RuleTable } from './rule-table.ts';
import { applyInOrder } from './tally.ts';
import { zonedClock } from './zoned-clock.ts';

/**
 * Decides about a cart: which promotions and coupons apply, what each line pays, and why every other candidate does not. A
 * function of its arguments alone; `input` is valid (unique line ids, sums within the safe integers) and the table holds the
 * versions of all its coupons.
 */
export function evaluateCart(table: RuleTable, input: EvaluationInput): Decision {
  const occasion = occasionOf(table, input);
  const { cart } = occasion;
  const judged = gatherContenders(table, input, cart).map((contender) => judge(contender, occasion));
  const usable = judged.flatMap(({ candidate }) => candidate ?? []);
  const combination = combine(usable, cart, input);
  const applications = applyInOrder(combination.chosen, cart);
  return {
    ruleSetVersion: table.version,
    ...decide(cart, applications),
    ...explain(judged, combination),
    isProvenOptimal: combination.isProvenOptimal,
    ...(input.wantsTrace ? { trace: traceOf(judged, combination, applications) } : {}),
  };
}

/** The cart, the user and the moment as checks want them. */
export function occasionOf(table: RuleTable, input: EvaluationInput): Occasion {
  return {
    cart: prepareCart(input.cart, table.vocabulary, input.offers),
    facts: input.facts,
    atMs: input.atMs,
    wallClock: zonedClock(input.atMs),
  };
}
