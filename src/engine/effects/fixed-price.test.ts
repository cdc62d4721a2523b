// SPEC P2, SPEC R14
import { describe, expect, it } from 'vitest';
import type { EffectOf } from '../../domain/promotion.ts';
import { trialOf, tryEffect } from './effect-trial.ts';

type FixedPrice = EffectOf<'fixed_price'>;

const price = (priceMinor: number, more: Partial<FixedPrice> = {}): FixedPrice => ({
  kind: 'fixed_price',
  priceMinor,
  ...more,
});

describe('a fixed price per unit', () => {
  it('lowers each unit to it and raises none', () => {
    const lines = [{ price: 1000, quantity: 2 }, { price: 900 }, { price: 500, quantity: 3 }];
    expect(tryEffect(price(900), lines).off).toEqual([200, 0, 0]);
  });

  it('goes on from what is left, so the lowest of several prices wins in any order', () => {
    const lines = [{ price: 1000, quantity: 2, left: 1600 }];
    expect(tryEffect(price(700), lines).off).toEqual([200]);
    expect(tryEffect(price(900), lines).off).toEqual([0]);
  });

  it('of zero gives units away', () => {
    expect(tryEffect(price(0), [{ price: 50, quantity: 2 }]).off).toEqual([100]);
  });

  it('takes the cheapest units up to a cap, or the dearest, or some of each line', () => {
    const lines = [
      { price: 1000, quantity: 2 },
      { price: 950, quantity: 2 },
    ];
    const capped = (more: object): readonly number[] =>
      tryEffect(price(900, { unitCap: { maxUnits: 1, basis: 'cart', choice: 'cheapest', ...more } }), lines)
        .off;
    expect(capped({})).toEqual([0, 50]);
    expect(capped({ choice: 'dearest' })).toEqual([100, 0]);
    expect(capped({ basis: 'line' })).toEqual([100, 50]);
  });

  it('is not fooled by units times price beyond the range', () => {
    expect(tryEffect(price(Number.MAX_SAFE_INTEGER), [{ price: 5, quantity: 1_000_000 }]).off).toEqual([0]);
  });
});

describe('a fixed price per bundle', () => {
  const three = price(9900, { bundleUnits: 3 });

  it('takes what each bundle is worth above it, cheapest units first, and leaves the rest alone', () => {
    const lines = [{ price: 6000 }, { price: 4000, quantity: 3 }];
    expect(tryEffect(three, lines)).toMatchObject({ off: [0, 2100], units: [0, 3], itemsOff: 2100 });
  });

  it('spreads over the lines by the value of their units in bundles', () => {
    const lines = [{ price: 6000 }, { price: 4000 }, { price: 2000 }];
    expect(tryEffect(three, lines)).toMatchObject({
      off: [1050, 700, 350],
      units: [1, 1, 1],
      itemsOff: 2100,
    });
  });

  it('never raises: a bundle worth less takes nothing, and its units no share', () => {
    const lines = [
      { price: 1000, quantity: 3 },
      { price: 5000, quantity: 3 },
    ];
    expect(tryEffect(three, lines)).toMatchObject({ off: [0, 5100], units: [0, 3] });
  });

  it('bundles the dearest units on request, and no more than the cap', () => {
    const lines = [
      { price: 1000, quantity: 3 },
      { price: 5000, quantity: 4 },
    ];
    const unitCap = { maxUnits: 5, basis: 'cart', choice: 'dearest' } as const;
    expect(tryEffect({ ...three, unitCap }, lines)).toMatchObject({ off: [0, 5100], units: [0, 3] });
    const perLine = { maxUnits: 2, basis: 'line', choice: 'cheapest' } as const;
    expect(tryEffect({ ...price(2000, { bundleUnits: 2 }), unitCap: perLine }, lines)).toMatchObject({
      off: [0, 8000],
      units: [0, 2],
    });
  });

  it('counts odd minor units that earlier discounts left on the first units', () => {
    // 4 units of 3, 3, 2, 2: bundles of 6 and 4.
    const two = price(5, { bundleUnits: 2 });
    expect(tryEffect(two, [{ price: 5, quantity: 4, left: 10 }])).toMatchObject({ off: [1], units: [2] });
  });

  it('says how many units are missing', () => {
    expect(tryEffect(three, [{ price: 4000, quantity: 2 }]).failure).toEqual({
      reason: 'GROUP_NOT_COMPLETE',
      needed: 3,
      seen: 2,
      shortfall: { kind: 'units', missing: 1 },
    });
  });

  it('counts a million units at once', () => {
    const result = tryEffect(price(1, { bundleUnits: 2 }), [{ price: 1, quantity: 1_000_000 }]);
    expect(result).toMatchObject({ off: [500_000], units: [1_000_000] });
  });

  it('gives less on one line but may leave more of another when that other line has lost value', () => {
    const two = trialOf(price(10, { bundleUnits: 2 }), [{ price: 10 }, { price: 10 }]);
    expect(two.run([10, 10]).off).toEqual([5, 5]);
    expect(two.run([10, 0]).off).toEqual([0, 0]);
  });
});
