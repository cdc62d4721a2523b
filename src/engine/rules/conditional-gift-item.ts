import { presenceCheck } from '../presence-check.ts';
import type { RuleCompiler } from '../rule-parts.ts';
import { compileSelection } from '../selection.ts';

/** A gift is given for buying certain items. */
export const conditionalGiftItem: RuleCompiler<'conditional_gift_item'> = {
  kind: 'conditional_gift_item',
  compile({ selection, match }, vocabulary) {
    const { keys } = compileSelection(selection, vocabulary);
    return { check: presenceCheck(selection, keys, match, 'GIFT_CONDITION_NOT_MET'), anyOfKeys: keys };
  },
};
