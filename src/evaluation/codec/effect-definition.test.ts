import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import type { Effect } from '../../domain/promotion.ts';
import { EffectSchema } from '../../gen/hongbao/v1/effect_pb.ts';
import { effectDefinition } from './effect-definition.ts';

const selection = { itemIds: ['duck'], categoryIds: ['poultry'] };

/** Each effect with as little as it can say, and with all it can say. */
const EFFECTS: readonly { says: string; init: object; effect: Effect }[] = [
  {
    says: 'all',
    init: { kind: { case: 'fixedAmountOff', value: { amountMinor: 500n } } },
    effect: { kind: 'fixed_amount_off', amountMinor: 500 },
  },
  {
    says: 'little',
    init: { kind: { case: 'percentOff', value: { discountBasisPoints: 1_200 } } },
    effect: { kind: 'percent_off', basisPoints: 1_200, base: 'remaining' },
  },
  {
    says: 'all',
    init: {
      kind: { case: 'percentOff', value: { discountBasisPoints: 1_200, maxOffMinor: 900n, base: 2 } },
      unitCap: { maxUnits: 2, basis: 2, choice: 2 },
    },
    effect: {
      kind: 'percent_off',
      basisPoints: 1_200,
      maxOffMinor: 900,
      base: 'original',
      unitCap: { maxUnits: 2, basis: 'line', choice: 'dearest' },
    },
  },
  {
    says: 'little',
    init: { kind: { case: 'giftItems', value: { items: [{ itemId: 'tea', quantity: 2 }] } } },
    effect: {
      kind: 'gift_items',
      items: [{ itemId: 'tea', quantity: 2 }],
      placement: 'added_line',
      onlyDearest: false,
    },
  },
  {
    says: 'all',
    init: {
      kind: {
        case: 'giftItems',
        value: {
          items: [{ itemId: 'tea', quantity: 2, stockQuantity: 5n, name: { en: 'Tea', zh: '茶' } }],
          placement: 2,
          onlyDearest: true,
        },
      },
    },
    effect: {
      kind: 'gift_items',
      items: [{ itemId: 'tea', quantity: 2 }],
      placement: 'discount_in_cart',
      onlyDearest: true,
    },
  },
  {
    says: 'all',
    init: { kind: { case: 'shippingOff', value: { amountMinor: 800n } } },
    effect: { kind: 'shipping_off', amountMinor: 800 },
  },
  {
    says: 'little',
    init: { kind: { case: 'freeShipping', value: {} } },
    effect: { kind: 'free_shipping' },
  },
  {
    says: 'all',
    init: { kind: { case: 'freeShipping', value: { maxOffMinor: 1_000n } } },
    effect: { kind: 'free_shipping', maxOffMinor: 1_000 },
  },
  {
    says: 'all',
    init: { kind: { case: 'noThresholdVoucher', value: { amountMinor: 2n ** 53n - 1n } } },
    effect: { kind: 'no_threshold_voucher', amountMinor: Number.MAX_SAFE_INTEGER },
  },
  {
    says: 'little',
    init: {
      kind: {
        case: 'tieredOff',
        value: {
          tiers: [
            { threshold: { case: 'spendMinor', value: 100n }, off: { case: 'amountOffMinor', value: 10n } },
            {
              threshold: { case: 'spendMinor', value: 200n },
              off: { case: 'discountBasisPoints', value: 1_500 },
            },
          ],
        },
      },
    },
    effect: {
      kind: 'tiered_off',
      thresholdKind: 'spend',
      tiers: [
        { threshold: 100, off: { kind: 'amount', amountMinor: 10 } },
        { threshold: 200, off: { kind: 'percent', basisPoints: 1_500 } },
      ],
      base: 'remaining',
      thresholdBasis: 'before',
    },
  },
  {
    says: 'all',
    init: {
      kind: {
        case: 'tieredOff',
        value: {
          tiers: [
            { threshold: { case: 'quantity', value: 3 }, off: { case: 'discountBasisPoints', value: 500 } },
          ],
          maxOffMinor: 77n,
          base: 2,
          thresholdBasis: 2,
        },
      },
    },
    effect: {
      kind: 'tiered_off',
      thresholdKind: 'quantity',
      tiers: [{ threshold: 3, off: { kind: 'percent', basisPoints: 500 } }],
      maxOffMinor: 77,
      base: 'original',
      thresholdBasis: 'after',
    },
  },
  {
    says: 'all',
    init: {
      kind: {
        case: 'everyAmountOff',
        value: { everyMinor: 100n, amountOffMinor: 10n, maxTimes: 4, thresholdBasis: 2 },
      },
    },
    effect: {
      kind: 'every_amount_off',
      everyMinor: 100,
      amountMinor: 10,
      maxTimes: 4,
      thresholdBasis: 'after',
    },
  },
  {
    says: 'little',
    init: {
      kind: {
        case: 'buyXGetY',
        value: { buyQuantity: 2, getQuantity: 1, discountBasisPoints: 10_000, maxGroups: 3 },
      },
    },
    effect: {
      kind: 'buy_x_get_y',
      buyQuantity: 2,
      getQuantity: 1,
      basisPoints: 10_000,
      maxGroups: 3,
      rewardChoice: 'cheapest',
    },
  },
  {
    says: 'all',
    init: {
      kind: {
        case: 'buyXGetY',
        value: {
          buyQuantity: 2,
          getQuantity: 1,
          discountBasisPoints: 5_000,
          maxGroups: 3,
          buy: selection,
          get: { itemIds: ['tea'] },
          rewardChoice: 2,
        },
      },
    },
    effect: {
      kind: 'buy_x_get_y',
      buyQuantity: 2,
      getQuantity: 1,
      basisPoints: 5_000,
      maxGroups: 3,
      buy: selection,
      get: { itemIds: ['tea'], categoryIds: [] },
      rewardChoice: 'dearest',
    },
  },
  {
    says: 'little',
    init: { kind: { case: 'fixedPrice', value: { priceMinor: 0n } } },
    effect: { kind: 'fixed_price', priceMinor: 0 },
  },
  {
    says: 'all',
    init: {
      kind: { case: 'fixedPrice', value: { priceMinor: 9_900n, bundleUnits: 3 } },
      unitCap: { maxUnits: 6 },
    },
    effect: {
      kind: 'fixed_price',
      priceMinor: 9_900,
      bundleUnits: 3,
      unitCap: { maxUnits: 6, basis: 'cart', choice: 'cheapest' },
    },
  },
  {
    says: 'all',
    init: { kind: { case: 'bonusPoints', value: { points: 50n } } },
    effect: { kind: 'bonus_points', points: 50 },
  },
  {
    says: 'little',
    init: { kind: { case: 'pointsMultiplier', value: { multiplierBasisPoints: 20_000 } } },
    effect: { kind: 'points_multiplier', multiplierBasisPoints: 20_000 },
  },
  {
    says: 'all',
    init: {
      kind: { case: 'pointsMultiplier', value: { multiplierBasisPoints: 20_000, maxBonusPoints: 9n } },
    },
    effect: { kind: 'points_multiplier', multiplierBasisPoints: 20_000, maxBonusPoints: 9 },
  },
];

// SPEC P2: every kind of the contract reaches the engine.
test('every kind of effect is among the examples', () => {
  const kinds = EffectSchema.oneofs.find(({ name }) => name === 'kind')?.fields ?? [];
  expect(new Set(EFFECTS.map(({ effect }) => effect.kind))).toEqual(new Set(kinds.map(({ name }) => name)));
});

test.each(EFFECTS)('$effect.kind that says $says is read field by field', ({ init, effect }) => {
  expect(effectDefinition(create(EffectSchema, init as never))).toEqual(effect);
});
