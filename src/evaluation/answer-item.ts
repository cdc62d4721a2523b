import { Refusal } from '../domain/refusal.ts';
import type { RuleTable } from '../engine/rule-table.ts';
import type { EvaluationItem } from './pending-evaluation.ts';
import type { Outcome } from './result-format.ts';

/** Decides one item. Throws a refusal when it cannot be decided. */
export function answerItem(_item: EvaluationItem, _table: RuleTable, _couponsPerOrder: number): Outcome {
  throw new Refusal('EVALUATION_FAILED', 'Not built yet');
}
