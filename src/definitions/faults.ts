import type { FieldViolation } from '../domain/refusal.ts';
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import { combinationFaults } from './faults/combination-faults.ts';
import { currencyFaults } from './faults/currency-faults.ts';
import { effectFaults } from './faults/effect-faults.ts';
import { limitFaults } from './faults/limit-faults.ts';
import { reachFaults } from './faults/reach-faults.ts';
import type { FaultFinder } from './faults/report.ts';
import { ruleFaults } from './faults/rule-faults.ts';
import { stockFaults } from './faults/stock-faults.ts';
import { windowFaults } from './faults/window-faults.ts';

const FINDERS: readonly FaultFinder[] = [
  currencyFaults,
  effectFaults,
  ruleFaults,
  combinationFaults,
  reachFaults,
  stockFaults,
  windowFaults,
  limitFaults,
];

/**
 * Every way in which a promotion contradicts itself, by field path (`promotion.stock.quantity`). What a single field may
 * hold is annotated in the contract and checked there; this sees only what needs two fields or the world's lists.
 */
export function promotionFaults(promotion: Promotion): FieldViolation[] {
  const violations: FieldViolation[] = [];
  for (const find of FINDERS) {
    find(promotion, (field, description) => violations.push({ field: `promotion.${field}`, description }));
  }
  return violations;
}
