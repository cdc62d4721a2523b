/** What thresholds of an effect are compared with. */
import type { Failure } from '../../domain/decision.ts';
import { sumAt } from '../../domain/money.ts';
import type { ThresholdBasis } from '../../domain/promotion.ts';
import type { EffectInput } from '../effect-parts.ts';
import { fellShort } from '../fell-short.ts';

/** The spend a threshold sees: before discounts, or what is left when the promotion's turn comes. */
export function spendSeen(basis: ThresholdBasis, input: EffectInput): number {
  return basis === 'before' || input.isOptimistic ? input.spendMinor : sumAt(input.eligible, input.left);
}

/** Too little of something for the first step of a promotion. */
export function notReached(needed: number, seen: number, kind: 'minor' | 'units'): Failure {
  return fellShort('TIER_NOT_REACHED', kind, needed, seen);
}
