import { fellShort } from '../fell-short.ts';
import type { RuleCompiler } from '../rule-parts.ts';

/** The eligible lines cost at least an amount, before other discounts or, on request, after those that go first. */
export const minimumSpend: RuleCompiler<'minimum_spend'> = {
  kind: 'minimum_spend',
  compile({ amountMinor, basis }) {
    if (basis === 'after') return { spendAfterMinor: amountMinor };
    return {
      check({ spendMinor }) {
        if (spendMinor >= amountMinor) return undefined;
        return fellShort('MINIMUM_SPEND_NOT_MET', 'minor', amountMinor, spendMinor);
      },
    };
  },
};
