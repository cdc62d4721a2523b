// SPEC P2, SPEC P3, SPEC R14
import { describe, expect, it } from 'vitest';
import type { EffectOf, UnitCap } from '../../domain/promotion.ts';
import { trialOf, tryEffect } from './effect-trial.ts';

type Percent = EffectOf<'percent_off'>;

const off = (basisPoints: number, more: Partial<Percent> = {}): Percent => ({
  kind: 'percent_off',
  basisPoints,
  base: 'remaining',
  ...more,
});
const cap = (maxUnits: number, more: Partial<UnitCap> = {}): UnitCap => ({
  maxUnits,
  basis: 'cart',
  choice: 'cheapest',
  ...more,
});

describe('a percentage off', () => {
  it('is rounded half up on each line, not on units and not on the sum', () => {
    // 12 % of 3 × 1.05 is 0.378; by unit it would be 3 × 0.13 = 0.39.
    expect(tryEffect(off(1200), [{ price: 105, quantity: 3 }]).off).toEqual([38]);
    expect(tryEffect(off(5000), [{ price: 1 }, { price: 1 }, { price: 3 }]).off).toEqual([1, 1, 2]);
  });

  it('is taken from what is left', () => {
    expect(tryEffect(off(1000), [{ price: 1000, left: 500 }]).off).toEqual([50]);
  });

  it('of the original price never takes more than is left', () => {
    const original = off(2000, { base: 'original' });
    const lines = [
      { price: 1000, left: 500 },
      { price: 1000, left: 150 },
      { price: 1000, left: 0 },
    ];
    expect(tryEffect(original, lines).off).toEqual([200, 150, 0]);
  });

  it('over its ceiling spreads the ceiling by what each line would have got', () => {
    const result = tryEffect(off(1000, { maxOffMinor: 100 }), [
      { price: 1000 },
      { price: 500 },
      { price: 6 },
    ]);
    expect(result).toMatchObject({ off: [66, 33, 1], itemsOff: 100 }); // 66.2, 33.1 and 0.7
    expect(
      tryEffect(off(1000, { maxOffMinor: 151 }), [{ price: 1000 }, { price: 500 }, { price: 6 }]).off,
    ).toEqual([100, 50, 1]);
  });

  it('of everything leaves nothing', () => {
    const lines = [{ price: 7, quantity: 3 }, { price: 0 }, { price: Number.MAX_SAFE_INTEGER - 21 }];
    expect(tryEffect(off(10_000), lines).off).toEqual([21, 0, Number.MAX_SAFE_INTEGER - 21]);
  });

  it('says what it takes off at a spend, unless it takes only some units', () => {
    expect(trialOf(off(1000), []).effect.offAtSpend(1005)).toBe(101);
    expect(trialOf(off(1000, { maxOffMinor: 80 }), []).effect.offAtSpend(1005)).toBe(80);
    expect(trialOf(off(1000, { unitCap: cap(1) }), []).effect.offAtSpend(1005)).toBeUndefined();
  });

  it('hands odd units out over lines only under a ceiling', () => {
    expect(trialOf(off(1000), []).effect.isSpread).toBe(false);
    expect(trialOf(off(1000, { maxOffMinor: 80 }), []).effect.isSpread).toBe(true);
  });
});

describe('a percentage off some units', () => {
  const lines = [
    { price: 500, quantity: 2 },
    { price: 200, quantity: 2 },
    { price: 900, quantity: 2 },
    { price: 200, quantity: 2 },
  ];

  it('takes the cheapest of the cart, equal ones in line order', () => {
    const result = tryEffect(off(5000, { unitCap: cap(3) }), lines);
    expect(result).toMatchObject({ off: [0, 200, 0, 100], units: [0, 2, 0, 1], itemsOff: 300 });
  });

  it('takes the dearest on request', () => {
    const result = tryEffect(off(5000, { unitCap: cap(3, { choice: 'dearest' }) }), lines);
    expect(result).toMatchObject({ off: [250, 0, 900, 0], units: [1, 0, 2, 0] });
  });

  it('counts on each line by itself on request', () => {
    const result = tryEffect(off(5000, { unitCap: cap(1, { basis: 'line' }) }), lines);
    expect(result).toMatchObject({ off: [250, 100, 450, 100], units: [1, 1, 1, 1] });
  });

  it('chooses by the price before discounts, whatever is left', () => {
    const discounted = [
      { price: 500, left: 10 },
      { price: 200, left: 200 },
    ];
    expect(tryEffect(off(10_000, { unitCap: cap(1) }), discounted).off).toEqual([0, 200]);
  });

  it('takes what is left of the first units, which have the odd minor units', () => {
    const uneven = [{ price: 10, quantity: 3, left: 11 }];
    expect(tryEffect(off(10_000, { unitCap: cap(1) }), uneven).off).toEqual([4]);
    expect(tryEffect(off(10_000, { unitCap: cap(2) }), uneven).off).toEqual([8]);
  });

  it('of the original price is bounded by what is left of the line', () => {
    const uneven = [{ price: 10, quantity: 3, left: 11 }];
    expect(tryEffect(off(10_000, { base: 'original', unitCap: cap(1) }), uneven).off).toEqual([10]);
    expect(tryEffect(off(10_000, { base: 'original', unitCap: cap(2) }), uneven).off).toEqual([11]);
  });

  it('takes all units when the cap allows more', () => {
    expect(tryEffect(off(5000, { unitCap: cap(99) }), lines).units).toEqual([2, 2, 2, 2]);
  });

  it('keeps to a ceiling as well', () => {
    const result = tryEffect(off(5000, { unitCap: cap(3), maxOffMinor: 100 }), lines);
    expect(result).toMatchObject({ off: [0, 67, 0, 33], units: [0, 2, 0, 1], itemsOff: 100 });
  });
});
