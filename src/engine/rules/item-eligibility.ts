import { presenceCheck } from '../presence-check.ts';
import type { RuleCompiler } from '../rule-parts.ts';
import { compileSelection } from '../selection.ts';

/** Certain items must be in the cart for the promotion to be used at all; what it discounts is another matter. */
export const itemEligibility: RuleCompiler<'item_eligibility'> = {
  kind: 'item_eligibility',
  compile({ selection, match }, vocabulary) {
    const { keys } = compileSelection(selection, vocabulary);
    return { check: presenceCheck(selection, keys, match, 'REQUIRED_ITEMS_MISSING'), anyOfKeys: keys };
  },
};
