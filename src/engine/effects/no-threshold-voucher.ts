import type { EffectCompiler } from '../effect-parts.ts';
import { takeAmount } from './take-amount.ts';

/** A fixed amount off whatever is bought, at most what is left of it. */
export const noThresholdVoucher: EffectCompiler<'no_threshold_voucher'> = {
  kind: 'no_threshold_voucher',
  compile: ({ kind, amountMinor }) => ({
    kind,
    target: 'items',
    isSpread: true,
    check: () => undefined,
    apply: (input, outcome) => takeAmount(amountMinor, input, outcome),
    offAtSpend: (spendMinor) => Math.min(amountMinor, spendMinor),
  }),
};
