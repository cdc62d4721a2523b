// SPEC P2, SPEC R14
import { describe, expect, it } from 'vitest';
import { trialOf, tryEffect } from './effect-trial.ts';

describe('shipping', () => {
  it.each([
    [300, 800, 300],
    [800, 800, 800],
    [900, 800, 800],
    [900, 0, 0],
  ])('less %i of %i is less %i', (amountMinor, shipping, off) => {
    const result = tryEffect({ kind: 'shipping_off', amountMinor }, [{ price: 100 }], { shipping });
    expect(result).toMatchObject({ shippingOff: off, itemsOff: 0, off: [0] });
  });

  it('for free is all of it, or the ceiling', () => {
    expect(tryEffect({ kind: 'free_shipping' }, [], { shipping: 800 }).shippingOff).toBe(800);
    expect(tryEffect({ kind: 'free_shipping', maxOffMinor: 500 }, [], { shipping: 800 }).shippingOff).toBe(
      500,
    );
    expect(tryEffect({ kind: 'free_shipping', maxOffMinor: 500 }, [], { shipping: 300 }).shippingOff).toBe(
      300,
    );
  });

  it('is a class of its own, and its saving cannot be told from a spend', () => {
    const effects = [
      trialOf({ kind: 'shipping_off', amountMinor: 1 }, []),
      trialOf({ kind: 'free_shipping' }, []),
    ];
    for (const { effect } of effects) {
      expect([effect.target, effect.isSpread, effect.offAtSpend(1000)]).toEqual([
        'shipping',
        false,
        undefined,
      ]);
    }
  });
});
