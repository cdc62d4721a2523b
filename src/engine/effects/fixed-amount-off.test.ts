// SPEC P2, SPEC R4, SPEC R14
import { describe, expect, it } from 'vitest';
import type { Effect } from '../../domain/promotion.ts';
import { trialOf, tryEffect } from './effect-trial.ts';

const off = (amountMinor: number): Effect => ({ kind: 'fixed_amount_off', amountMinor });

describe('a fixed amount off', () => {
  it('is spread by what the lines cost, odd units by largest remainder', () => {
    const result = tryEffect(off(100), [{ price: 100 }, { price: 100 }, { price: 100 }]);
    expect(result).toMatchObject({ off: [34, 33, 33], units: [1, 1, 1], itemsOff: 100, failure: undefined });
  });

  it('takes what is left when that is less', () => {
    const result = tryEffect(off(1000), [
      { price: 300, left: 120 },
      { price: 50, quantity: 2, left: 0 },
    ]);
    expect(result).toMatchObject({ off: [120, 0], itemsOff: 120 });
  });

  it('gives nothing to lines of price zero and to lines outside the scope', () => {
    const lines = [{ price: 0 }, { price: 30 }, { price: 999 }, { price: 60 }];
    expect(tryEffect(off(10), lines, { eligible: [0, 1, 3] }).off).toEqual([0, 3, 0, 7]);
  });

  it('is spread by what earlier discounts left', () => {
    const lines = [
      { price: 1000, left: 900 },
      { price: 1000, left: 100 },
    ];
    expect(tryEffect(off(100), lines).off).toEqual([90, 10]);
  });

  it('is shared by all units of a line', () => {
    const result = tryEffect(off(10), [{ price: 5, quantity: 3 }, { price: 5 }]);
    expect(result).toMatchObject({ off: [8, 2], units: [3, 1] });
  });

  it('is exact for amounts at the end of the range', () => {
    const half = (Number.MAX_SAFE_INTEGER - 1) / 2;
    const result = tryEffect(off(Number.MAX_SAFE_INTEGER - 2), [{ price: half }, { price: half }]);
    expect(result.off).toEqual([half, half - 1]);
  });

  it('says what it takes off at a spend', () => {
    const { effect } = trialOf(off(2000), []);
    expect([effect.offAtSpend(10_000), effect.offAtSpend(1500)]).toEqual([2000, 1500]);
  });

  it('on an empty cart is nothing', () => {
    expect(tryEffect(off(5), [])).toMatchObject({ off: [], itemsOff: 0 });
  });
});
