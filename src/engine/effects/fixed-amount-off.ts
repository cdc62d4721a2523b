import type { EffectCompiler } from '../effect-parts.ts';
import { amountOff } from './amount-off.ts';

/** A fixed amount off the eligible lines, at most what is left of them. */
export const fixedAmountOff: EffectCompiler<'fixed_amount_off'> = {
  kind: 'fixed_amount_off',
  compile: ({ kind, amountMinor }) => amountOff(kind, amountMinor),
};
