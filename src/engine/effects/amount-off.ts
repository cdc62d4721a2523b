import type { EffectKind } from '../../domain/promotion.ts';
import type { CompiledEffect } from '../effect-parts.ts';
import { takeAmount } from './take-amount.ts';

/** An effect of any kind that takes an amount off the eligible lines, at most what is left of them. */
export function amountOff(kind: EffectKind, amountMinor: number): CompiledEffect {
  return {
    kind,
    target: 'items',
    isSpread: true,
    check: () => undefined,
    apply: (input, outcome) => takeAmount(amountMinor, input, outcome),
    offAtSpend: (spendMinor) => Math.min(amountMinor, spendMinor),
  };
}
