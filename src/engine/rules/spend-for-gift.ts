import { fellShort } from '../fell-short.ts';
import type { RuleCompiler } from '../rule-parts.ts';

/** A gift is given for spending an amount on the whole order, inside the scope or not. */
export const spendForGift: RuleCompiler<'spend_for_gift'> = {
  kind: 'spend_for_gift',
  compile: ({ amountMinor }) => ({
    check({ orderSpendMinor }) {
      if (orderSpendMinor >= amountMinor) return undefined;
      return fellShort('GIFT_CONDITION_NOT_MET', 'minor', amountMinor, orderSpendMinor);
    },
  }),
};
