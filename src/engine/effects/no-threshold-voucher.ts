import type { EffectCompiler } from '../effect-parts.ts';
import { amountOff } from './amount-off.ts';

/** A fixed amount off whatever is bought, at most what is left of it. */
export const noThresholdVoucher: EffectCompiler<'no_threshold_voucher'> = {
  kind: 'no_threshold_voucher',
  compile: ({ kind, amountMinor }) => amountOff(kind, amountMinor),
};
