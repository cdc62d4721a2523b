import type { EffectCompiler } from '../effect-parts.ts';
import { takeAmount } from './take-amount.ts';

/** A fixed amount off the eligible lines, at most what is left of them. */
export const fixedAmountOff: EffectCompiler<'fixed_amount_off'> = {
  kind: 'fixed_amount_off',
  compile: ({ kind, amountMinor }) => ({
    kind,
    target: 'items',
    isSpread: true,
    check: () => undefined,
    apply: (input, outcome) => takeAmount(amountMinor, input, outcome),
    offAtSpend: (spendMinor) => Math.min(amountMinor, spendMinor),
  }),
};
