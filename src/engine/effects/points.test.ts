// SPEC P2
import { describe, expect, it } from 'vitest';
import { trialOf, tryEffect } from './effect-trial.ts';

const twice = { kind: 'points_multiplier', multiplierBasisPoints: 20_000 } as const;

describe('points', () => {
  it('of a fixed number are given and take nothing off', () => {
    const result = tryEffect({ kind: 'bonus_points', points: 50 }, [{ price: 100 }]);
    expect(result).toMatchObject({ points: 50, itemsOff: 0, shippingOff: 0, off: [0] });
  });

  it.each([
    ['JPY', 12_345],
    ['CNY', 123],
    ['KWD', 12],
  ])('in %s are earned by the major unit: %i', (currency, points) => {
    expect(tryEffect(twice, [{ price: 12_345 }], { currency }).points).toBe(points);
  });

  it('are earned on what is left to pay, shipping included, on every line', () => {
    const lines = [{ price: 9000, left: 4000 }, { price: 5000 }];
    expect(tryEffect(twice, lines, { shipping: 1050, eligible: [0] }).points).toBe(100);
  });

  it('are multiplied, rounded down and held at the ceiling', () => {
    const half = { ...twice, multiplierBasisPoints: 15_000 };
    expect(tryEffect(half, [{ price: 1399 }]).points).toBe(6); // 13 points, half of them is 6.5
    expect(tryEffect({ ...half, maxBonusPoints: 5 }, [{ price: 1399 }]).points).toBe(5);
  });

  it('never leave the range of whole numbers', () => {
    const hundredfold = { ...twice, multiplierBasisPoints: 1_000_000 };
    const setting = { currency: 'JPY' };
    expect(tryEffect(hundredfold, [{ price: Number.MAX_SAFE_INTEGER }], setting).points).toBe(
      Number.MAX_SAFE_INTEGER,
    );
  });

  it('are a benefit and save no money', () => {
    for (const { effect } of [trialOf(twice, []), trialOf({ kind: 'bonus_points', points: 1 }, [])]) {
      expect([effect.target, effect.offAtSpend(1000)]).toEqual(['benefit', 0]);
    }
  });
});
