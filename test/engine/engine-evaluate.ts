import type { Decision } from '../../src/domain/decision.ts';
import type { PromotionDefinition } from '../../src/domain/promotion.ts';
import { evaluateCart } from '../../src/engine/evaluate-cart.ts';
import type { EvaluationInput } from '../../src/engine/evaluation-input.ts';
import { RuleTable } from '../../src/engine/rule-table.ts';

/** A table of these promotions; throws when one of them cannot be compiled, since tests mean what they write. */
export function tableOf(
  current: readonly PromotionDefinition[],
  older: readonly PromotionDefinition[],
  ruleSetVersion = 1,
): RuleTable {
  const table = new RuleTable();
  const faults = table.change(
    current.map((definition) => ({ ref: definition.ref, definition })),
    ruleSetVersion,
  );
  const found = [...faults, ...older.flatMap((definition) => table.addVersion(definition) ?? [])];
  if (found.length > 0) throw new Error(`promotions that do not compile: ${JSON.stringify(found)}`);
  return table;
}

/** The engine with the signature of the reference. */
export function engineEvaluate(
  current: readonly PromotionDefinition[],
  older: readonly PromotionDefinition[],
  input: EvaluationInput,
  ruleSetVersion = 1,
): Decision {
  return evaluateCart(tableOf(current, older, ruleSetVersion), input);
}
