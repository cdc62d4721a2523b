/**
 * The product's engine. Unlike the others it is given the cart itself, not facts worked out before, and it goes on where they end:
 * the best legal combination, the share of every line, and why each other candidate did not apply.
 */
import type { Decision } from '../../../src/domain/decision.ts';
import type { PromotionDefinition } from '../../../src/domain/promotion.ts';
import type { CheckedContender } from '../../../src/engine/check/judge.ts';
import { checkContenders, evaluateCart } from '../../../src/engine/evaluate-cart.ts';
import { RuleTable } from '../../../src/engine/rule-table.ts';
import type { EngineLoader } from './engine.ts';

/** Reasons of candidates whose own conditions hold, but which others kept out. */
const KEPT_OUT: ReadonlySet<string> = new Set([
  'NOT_COMBINABLE',
  'COUPON_COUNT_EXCEEDED',
  'BETTER_COMBINATION',
]);

/** Loads the product's engine. */
export const loadOurs: EngineLoader = (promotions) => {
  const table = loadTable(promotions);
  return {
    prepare: (input) => ({
      run: () => evaluateCart(table, input),
      matchesOf: (answer) => (isDecision(answer) ? matchesOf(answer) : []),
    }),
  };
};

/** Only the question the others are asked, which promotions match, from the same cart: laid out, looked up, checked. */
export const loadOursMatching: EngineLoader = (promotions) => {
  const table = loadTable(promotions);
  return {
    prepare: (input) => ({
      run: () => checkContenders(table, input).checked,
      matchesOf: (answer) => (Array.isArray(answer) ? answer.flatMap(idOfMatch).toSorted() : []),
    }),
  };
};

function idOfMatch({ candidate }: CheckedContender): string[] {
  return candidate === undefined ? [] : [candidate.promotion.definition.id];
}

/** A table of these promotions; throws when one of them is faulty. */
export function loadTable(promotions: readonly PromotionDefinition[]): RuleTable {
  const table = new RuleTable();
  const changes = promotions.map((definition) => ({ ref: definition.ref, definition }));
  const [fault] = table.change(changes, 1);
  if (fault !== undefined) throw new Error(`${fault.promotionId}: ${fault.field}: ${fault.reason}`);
  return table;
}

function isDecision(answer: unknown): answer is Decision {
  return typeof answer === 'object' && answer !== null && 'applied' in answer;
}

function matchesOf({ applied, rejected }: Decision): string[] {
  return [...applied, ...rejected.filter(({ reason }) => KEPT_OUT.has(reason))]
    .map(({ promotionId }) => promotionId)
    .toSorted();
}
