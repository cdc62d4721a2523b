/**
 * The promotions that concern the carts of the benchmark: some whose conditions hold for each of them, and a few that come close.
 * They are the same in rule sets of every size. What they name (items 1 to 5, categories and brands) is in every cart.
 */
import type { PromotionDefinition } from '../../src/domain/promotion.ts';
import {
  amountOff,
  automaticPromotion,
  categories,
  forTags,
  inGroup,
  items,
  minimumSpend,
  onChannels,
  type PromotionSketch,
  percentOff,
  requires,
  scope,
} from './promotion-parts.ts';

/** A tag the shopper of the benchmark carries, and the channel he buys on. */
export const SHOPPER_TAG = 'member-gold';
export const SHOPPER_CHANNEL = 'app';

/** No cart of the benchmark costs as much, in minor units. */
const OUT_OF_REACH_MINOR = 1_000_000_000;

/** Of promotions that take an amount off the whole order a shop lets people have one. */
const ORDER_GROUP = 'order-discount';

const ON_ITEMS: readonly PromotionSketch[] = [1, 2, 3, 4, 5].map((item) => ({
  effect: percentOff(300 + item * 100),
  rules: [scope(items(`item-${item}`, `item-elsewhere-${item}`))],
  priority: 60 + item,
}));

const ON_CATEGORIES: readonly PromotionSketch[] = [1, 2, 3, 4, 5].map((category) => ({
  effect: percentOff(200 + category * 100, 5_000),
  rules: [scope(categories(`category-${category}`)), minimumSpend(1_000)],
  priority: 50 + category,
}));

const ON_BRANDS: readonly PromotionSketch[] = [1, 2].map((brand) => ({
  effect: amountOff(brand * 150),
  rules: [scope(categories(`brand-${brand}`)), onChannels(SHOPPER_CHANNEL, 'mini-program')],
  priority: 40,
}));

const ON_ORDERS: readonly PromotionSketch[] = [
  { effect: amountOff(600), rules: [minimumSpend(5_000), inGroup(ORDER_GROUP)], priority: 30 },
  {
    effect: {
      kind: 'tiered_off',
      thresholdKind: 'spend',
      tiers: [
        { threshold: 1, off: { kind: 'amount', amountMinor: 300 } },
        { threshold: 60_000, off: { kind: 'amount', amountMinor: 3_000 } },
      ],
      base: 'remaining',
      thresholdBasis: 'before',
    },
    rules: [inGroup(ORDER_GROUP)],
    priority: 30,
  },
  {
    effect: percentOff(150, 4_000),
    rules: [minimumSpend(8_000), inGroup(ORDER_GROUP)],
    audience: forTags('member-silver', SHOPPER_TAG),
    priority: 30,
  },
  { effect: percentOff(100), audience: forTags(SHOPPER_TAG), priority: 20 },
];

const ON_THE_REST: readonly PromotionSketch[] = [
  { effect: { kind: 'free_shipping' }, rules: [minimumSpend(8_000), onChannels(SHOPPER_CHANNEL)] },
  {
    effect: {
      kind: 'gift_items',
      items: [{ itemId: 'gift-1', quantity: 1 }],
      placement: 'added_line',
      onlyDearest: false,
    },
    rules: [requires({ itemIds: ['item-2'], categoryIds: ['category-3'] })],
  },
  { effect: { kind: 'bonus_points', points: 50 }, rules: [minimumSpend(2_000)] },
  {
    effect: { kind: 'points_multiplier', multiplierBasisPoints: 20_000 },
    audience: forTags(SHOPPER_TAG, 'member-platinum'),
  },
];

const NEAR: readonly PromotionSketch[] = [
  { effect: amountOff(90_000), rules: [minimumSpend(OUT_OF_REACH_MINOR)] },
  { effect: amountOff(2_000), rules: [scope(categories('category-2')), minimumSpend(OUT_OF_REACH_MINOR)] },
  { effect: percentOff(5_000), rules: [scope(items('item-3')), onChannels('shop')] },
  { effect: { kind: 'free_shipping' }, rules: [onChannels('phone', 'shop')] },
];

const MATCHING: readonly PromotionSketch[] = [
  ...ON_ITEMS,
  ...ON_CATEGORIES,
  ...ON_BRANDS,
  ...ON_ORDERS,
  ...ON_THE_REST,
];

/** Promotions whose conditions hold for every cart, and then those that come close. */
export const MATCHING_COUNT: number = MATCHING.length;
export const LIVE_COUNT: number = MATCHING.length + NEAR.length;

/** All of them; refs count from 1, the matching ones first. */
export function livePromotions(): PromotionDefinition[] {
  return [...MATCHING, ...NEAR].map((sketch, index) => automaticPromotion(index + 1, sketch));
}
