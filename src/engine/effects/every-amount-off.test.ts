// SPEC P2, SPEC R14
import { describe, expect, it } from 'vitest';
import type { EffectOf } from '../../domain/promotion.ts';
import { trialOf, tryEffect } from './effect-trial.ts';

const every: EffectOf<'every_amount_off'> = {
  kind: 'every_amount_off',
  everyMinor: 10_000,
  amountMinor: 1000,
  maxTimes: 3,
  thresholdBasis: 'before',
};

describe('an amount off for each full amount', () => {
  it.each([
    [9999, 0],
    [10_000, 1000],
    [29_999, 2000],
    [30_000, 3000],
    [99_999, 3000],
  ])('at a spend of %i is %i', (price, off) => {
    expect(tryEffect(every, [{ price }]).itemsOff).toBe(off);
  });

  it('says what is missing for the first time', () => {
    expect(tryEffect(every, [{ price: 8000 }]).failure).toEqual({
      reason: 'TIER_NOT_REACHED',
      needed: 10_000,
      seen: 8000,
      shortfall: { kind: 'minor', missing: 2000 },
    });
  });

  it('is measured before other discounts, or after them on request', () => {
    const lines = [{ price: 30_000, left: 19_000 }];
    expect(tryEffect(every, lines).itemsOff).toBe(3000);
    expect(tryEffect({ ...every, thresholdBasis: 'after' }, lines).itemsOff).toBe(1000);
    expect(tryEffect({ ...every, thresholdBasis: 'after' }, lines, { isOptimistic: true }).itemsOff).toBe(
      3000,
    );
  });

  it('is spread, and never more than is left', () => {
    expect(tryEffect(every, [{ price: 15_000 }, { price: 5000, left: 100 }]).off).toEqual([1987, 13]);
    expect(tryEffect(every, [{ price: 30_000, left: 7 }]).itemsOff).toBe(7);
  });

  it('says what it takes off at a spend', () => {
    const { effect } = trialOf(every, []);
    expect([9999, 20_000, 90_000].map((spend) => effect.offAtSpend(spend))).toEqual([0, 2000, 3000]);
  });

  it('stays exact where the times would leave the range of amounts', () => {
    const huge = { ...every, everyMinor: 2 ** 45, amountMinor: 2 ** 45, maxTimes: 1000 };
    expect(tryEffect(huge, [{ price: Number.MAX_SAFE_INTEGER }]).itemsOff).toBe(255 * 2 ** 45);
  });
});
