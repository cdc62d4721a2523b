// SPEC P2, SPEC R14
import { describe, expect, it } from 'vitest';
import type { EffectOf, Tier } from '../../domain/promotion.ts';
import { trialOf, tryEffect } from './effect-trial.ts';

type Tiered = EffectOf<'tiered_off'>;

const amountTier = (threshold: number, amountMinor: number): Tier => ({
  threshold,
  off: { kind: 'amount', amountMinor },
});
const percentTier = (threshold: number, basisPoints: number): Tier => ({
  threshold,
  off: { kind: 'percent', basisPoints },
});
const tiered = (tiers: readonly Tier[], more: Partial<Tiered> = {}): Tiered => ({
  kind: 'tiered_off',
  thresholdKind: 'spend',
  tiers,
  base: 'remaining',
  thresholdBasis: 'before',
  ...more,
});
const amounts = tiered([amountTier(10_000, 1000), amountTier(20_000, 3000)]);

describe('tiers', () => {
  it.each([
    [10_000, 1000],
    [19_999, 1000],
    [20_000, 3000],
    [500_000, 3000],
  ])('at a spend of %i take %i off', (price, off) => {
    expect(tryEffect(amounts, [{ price }]).itemsOff).toBe(off);
  });

  it('below the first threshold take nothing and say what is missing', () => {
    const { failure, itemsOff } = tryEffect(amounts, [{ price: 9999 }]);
    expect(itemsOff).toBe(0);
    expect(failure).toEqual({
      reason: 'TIER_NOT_REACHED',
      needed: 10_000,
      seen: 9999,
      shortfall: { kind: 'minor', missing: 1 },
    });
  });

  it('count units when thresholds are quantities', () => {
    const byUnits = tiered([percentTier(2, 1000), percentTier(5, 2000)], { thresholdKind: 'quantity' });
    expect(tryEffect(byUnits, [{ price: 100, quantity: 4 }]).itemsOff).toBe(40);
    expect(tryEffect(byUnits, [{ price: 100, quantity: 4 }, { price: 50 }]).off).toEqual([80, 10]);
    expect(tryEffect(byUnits, [{ price: 100 }]).failure).toEqual({
      reason: 'TIER_NOT_REACHED',
      needed: 2,
      seen: 1,
      shortfall: { kind: 'units', missing: 1 },
    });
  });

  it('count eligible lines only', () => {
    const lines = [{ price: 12_000 }, { price: 12_000 }];
    expect(tryEffect(amounts, lines, { eligible: [1] }).off).toEqual([0, 1000]);
  });

  it('are measured before other discounts, or after them on request', () => {
    const lines = [{ price: 20_000, left: 15_000 }];
    expect(tryEffect(amounts, lines).itemsOff).toBe(3000);
    expect(tryEffect({ ...amounts, thresholdBasis: 'after' }, lines).itemsOff).toBe(1000);
    expect(tryEffect({ ...amounts, thresholdBasis: 'after' }, [{ price: 20_000, left: 500 }]).itemsOff).toBe(
      0,
    );
  });

  it('keep percentages to the ceiling, and amounts not', () => {
    const mixed = tiered([amountTier(1000, 500), percentTier(5000, 2000)], { maxOffMinor: 300 });
    expect(tryEffect(mixed, [{ price: 1000 }]).itemsOff).toBe(500);
    expect(tryEffect(mixed, [{ price: 5000 }]).itemsOff).toBe(300);
  });

  it('take a percentage from the original price on request', () => {
    const original = tiered([percentTier(100, 1000), percentTier(200, 2000)], { base: 'original' });
    expect(tryEffect(original, [{ price: 1000, left: 400 }]).itemsOff).toBe(200);
  });

  it('say what they take off at a spend', () => {
    const { effect } = trialOf(amounts, []);
    expect([9999, 10_000, 20_000].map((spend) => effect.offAtSpend(spend))).toEqual([0, 1000, 3000]);
    const byUnits = tiered([percentTier(2, 1000), percentTier(5, 2000)], { thresholdKind: 'quantity' });
    expect(trialOf(byUnits, []).effect.offAtSpend(1000)).toBeUndefined();
  });

  it('measured after discounts may give more when less is left, which the upper bound allows for', () => {
    const mixed = tiered([amountTier(10_000, 3000), percentTier(20_000, 500)], { thresholdBasis: 'after' });
    const trial = trialOf(mixed, [{ price: 20_000 }]);
    expect(trial.run([20_000]).itemsOff).toBe(1000);
    expect(trial.run([19_999]).itemsOff).toBe(3000);
    expect(trial.run([20_000], true).itemsOff).toBe(3000);
  });
});
