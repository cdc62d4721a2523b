import type { RuleCompiler } from '../rule-parts.ts';
import { compileSelection } from '../selection.ts';

/** The only lines the discount works on, and inside which thresholds are measured. */
export const itemDiscountScope: RuleCompiler<'item_discount_scope'> = {
  kind: 'item_discount_scope',
  compile: ({ selection }, vocabulary) => ({ scope: compileSelection(selection, vocabulary) }),
};
