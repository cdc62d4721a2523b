import { roundHalfUpShare } from '../../domain/money.ts';
import type { EffectOf, Tier } from '../../domain/promotion.ts';
import type { EffectCompiler, EffectInput, EffectOutcome } from '../effect-parts.ts';
import { takeAmount } from './take-amount.ts';
import { takePercent } from './take-percent.ts';
import { notReached, spendSeen } from './threshold.ts';

/** What the highest reached tier says. */
export const tieredOff: EffectCompiler<'tiered_off'> = {
  kind: 'tiered_off',
  compile: (effect) => {
    const tiers = effect.tiers.map((tier) => compileTier(tier, effect));
    return {
      kind: effect.kind,
      target: 'items',
      isSpread: effect.maxOffMinor !== undefined || effect.tiers.some(({ off }) => off.kind === 'amount'),
      check: ({ spendMinor, units }) => {
        const seen = effect.thresholdKind === 'spend' ? spendMinor : units;
        const first = tiers[0]?.threshold ?? 0;
        const unit = effect.thresholdKind === 'spend' ? 'minor' : 'units';
        return seen < first ? notReached(first, seen, unit) : undefined;
      },
      apply: (input, outcome) => {
        tiers[tierFor(effect, tiers, input, outcome)]?.take(input, outcome);
      },
      offAtSpend: (spendMinor) =>
        effect.thresholdKind === 'spend'
          ? (tiers[lastReached(tiers, spendMinor)]?.offAtSpend(spendMinor) ?? 0)
          : undefined,
    };
  },
};

interface CompiledTier {
  readonly threshold: number;
  take(input: EffectInput, outcome: EffectOutcome): void;
  offAtSpend(spendMinor: number): number;
}

function compileTier({ threshold, off }: Tier, { maxOffMinor, base }: EffectOf<'tiered_off'>): CompiledTier {
  if (off.kind === 'amount') {
    return {
      threshold,
      take: (input, outcome) => takeAmount(off.amountMinor, input, outcome),
      offAtSpend: (spendMinor) => Math.min(off.amountMinor, spendMinor),
    };
  }
  const terms = { basisPoints: off.basisPoints, maxOffMinor: maxOffMinor ?? Number.POSITIVE_INFINITY, base };
  return {
    threshold,
    take: (input, outcome) => takePercent(terms, input, outcome),
    offAtSpend: (spendMinor) => Math.min(terms.maxOffMinor, roundHalfUpShare(spendMinor, terms.basisPoints)),
  };
}

/** Place of the tier that applies; −1 when none is reached. */
function tierFor(
  { thresholdKind, thresholdBasis }: EffectOf<'tiered_off'>,
  tiers: readonly CompiledTier[],
  input: EffectInput,
  outcome: EffectOutcome,
): number {
  if (thresholdKind === 'quantity') return lastReached(tiers, input.units);
  const reached = lastReached(tiers, spendSeen(thresholdBasis, input));
  return thresholdBasis === 'after' && input.isOptimistic ? dearest(reached, tiers, input, outcome) : reached;
}

function lastReached(tiers: readonly CompiledTier[], measure: number): number {
  let reached = -1;
  while (reached + 1 < tiers.length && (tiers[reached + 1]?.threshold ?? 0) <= measure) reached += 1;
  return reached;
}

/**
 * Discounts that go first may lower the tier, and where amounts and percentages are mixed a lower tier can take off more. So
 * an upper bound has to look at every tier that may be the one.
 */
function dearest(
  reached: number,
  tiers: readonly CompiledTier[],
  input: EffectInput,
  outcome: EffectOutcome,
): number {
  let best = reached;
  let mostMinor = -1;
  for (let at = 0; at <= reached; at += 1) {
    tiers[at]?.take(input, outcome);
    if (outcome.itemsOffMinor < mostMinor) continue;
    mostMinor = outcome.itemsOffMinor;
    best = at;
  }
  return best;
}
