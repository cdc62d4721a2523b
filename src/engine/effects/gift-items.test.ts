// SPEC P2, SPEC R5
import { describe, expect, it } from 'vitest';
import type { ItemOffer } from '../../domain/cart.ts';
import type { EffectOf } from '../../domain/promotion.ts';
import { trialOf, tryEffect } from './effect-trial.ts';

type Gifts = EffectOf<'gift_items'>;

const mug = { itemId: 'mug', quantity: 1 };
const tea = { itemId: 'tea', quantity: 2 };
const gifts = (more: Partial<Gifts> = {}): Gifts => ({
  kind: 'gift_items',
  items: [mug, tea],
  placement: 'added_line',
  onlyDearest: false,
  ...more,
});
const offers = (list: Record<string, ItemOffer>) => ({ offers: new Map(Object.entries(list)) });
const gone: ItemOffer = { unitPriceMinor: 1, isAvailable: false };
const priced = (unitPriceMinor: number): ItemOffer => ({ unitPriceMinor, isAvailable: true });

describe('gifts that are added', () => {
  it('are listed and take nothing off', () => {
    const result = tryEffect(gifts(), [{ price: 100, item: 'mug' }]);
    expect(result).toMatchObject({ gifts: [mug, tea], off: [0], itemsOff: 0, failure: undefined });
  });

  it('leave out what is not available', () => {
    expect(tryEffect(gifts(), [], offers({ mug: gone })).gifts).toEqual([tea]);
  });

  it('are refused when none is available', () => {
    const result = tryEffect(gifts(), [], offers({ mug: gone, tea: gone }));
    expect(result).toMatchObject({ gifts: [], failure: { reason: 'GIFT_UNAVAILABLE' } });
  });
});

describe('only the dearest gift', () => {
  const dearest = gifts({ onlyDearest: true });

  it.each([
    ['by the stated price', offers({ mug: priced(500), tea: priced(900) }), [], [tea]],
    ['by listing order when equal', offers({ mug: priced(900), tea: priced(900) }), [], [mug]],
    ['by listing order when nothing is known', {}, [], [mug]],
    ['by the highest price in the cart when none is stated', {}, [{ price: 5, item: 'tea' }], [tea]],
    [
      'by the stated price before that in the cart',
      offers({ tea: priced(1), mug: priced(2) }),
      [{ price: 5, item: 'tea' }],
      [mug],
    ],
    [
      'among those available',
      offers({ mug: priced(500), tea: { ...priced(900), isAvailable: false } }),
      [],
      [mug],
    ],
  ])('is given %s', (_, setting, lines, given) => {
    expect(tryEffect(dearest, lines, setting).gifts).toEqual(given);
  });

  it('is refused when none is available', () => {
    const result = tryEffect(dearest, [], offers({ mug: gone, tea: gone }));
    expect(result).toMatchObject({ gifts: [], failure: { reason: 'GIFT_UNAVAILABLE' } });
  });
});

describe('gifts that are discounted in the cart', () => {
  const inCart = gifts({ placement: 'discount_in_cart', items: [{ itemId: 'tea', quantity: 3 }] });

  it('are taken off whole, in line order, and added as far as they are missing', () => {
    const lines = [{ price: 70, item: 'tea' }, { price: 99 }, { price: 80, item: 'tea' }];
    expect(tryEffect(inCart, lines)).toMatchObject({
      off: [70, 0, 80],
      units: [1, 0, 1],
      itemsOff: 150,
      gifts: [{ itemId: 'tea', quantity: 1 }],
    });
  });

  it('take no more units than are given', () => {
    expect(tryEffect(inCart, [{ price: 70, item: 'tea', quantity: 5 }])).toMatchObject({
      off: [210],
      units: [3],
      gifts: [],
    });
  });

  it('take what is left of these units', () => {
    expect(tryEffect(inCart, [{ price: 70, item: 'tea', quantity: 4, left: 101 }]).off).toEqual([76]);
  });

  it('touch eligible lines only', () => {
    const lines = [
      { price: 70, item: 'tea' },
      { price: 80, item: 'tea' },
    ];
    expect(tryEffect(inCart, lines, { eligible: [1] })).toMatchObject({
      off: [0, 80],
      gifts: [{ itemId: 'tea', quantity: 2 }],
    });
  });

  it('know no saving at a spend', () => {
    expect(trialOf(inCart, []).effect.offAtSpend(1000)).toBeUndefined();
  });
});
