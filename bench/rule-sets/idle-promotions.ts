/**
 * Promotions that no cart of the benchmark gets: for other items and categories, for users with other tags, over or not begun. In a
 * shop with thousands of promotions nearly all are like that for any one cart.
 */
import type { Effect, ItemSelection, PromotionDefinition, Rule } from '../../src/domain/promotion.ts';
import { Dice } from './dice.ts';
import {
  AT_MS,
  amountOff,
  automaticPromotion,
  categories,
  forTags,
  items,
  minimumSpend,
  onChannels,
  type PromotionSketch,
  percentOff,
  requires,
  scope,
} from './promotion-parts.ts';

const SEED = 20_271_111;

/** How many other items, categories and tags there are to be named. */
const OTHER_ITEMS = 200_000;
const OTHER_CATEGORIES = 2_000;
const OTHER_TAGS = 500;

/** A promotion for items names up to so many of them. */
const MOST_ITEMS = 10;
const MOST_CATEGORIES = 3;
const MOST_TAGS = 3;

const DAY_MS = 86_400_000;

/** Ended or not begun by at least a day, at most about three years. */
const FARTHEST_DAYS = 1_000;

/** How the idle ones are made up: shares of items, categories and tags; the rest has the wrong time. */
const SHARES: readonly (readonly [share: number, sketch: (dice: Dice) => PromotionSketch])[] = [
  [0.45, forOtherItems],
  [0.25, forOtherCategories],
  [0.15, forOtherUsers],
  [0.15, atAnotherTime],
];

/** So many idle promotions; the first ones are the same whatever the number. Refs count from `firstRef`. */
export function idlePromotions(count: number, firstRef: number): PromotionDefinition[] {
  const dice = new Dice(SEED);
  return Array.from({ length: count }, (_, index) => automaticPromotion(firstRef + index, sketch(dice)));
}

function sketch(dice: Dice): PromotionSketch {
  let rest = dice.next();
  for (const [share, make] of SHARES) {
    if (rest < share) return { ...make(dice), priority: dice.between(0, 100) };
    rest -= share;
  }
  return atAnotherTime(dice);
}

function forOtherItems(dice: Dice): PromotionSketch {
  const numbers = dice.several(dice.between(1, MOST_ITEMS), 1, OTHER_ITEMS);
  return forSelection(dice, items(...numbers.map((number) => `other-item-${number}`)));
}

function forOtherCategories(dice: Dice): PromotionSketch {
  return forSelection(dice, otherCategories(dice));
}

function otherCategories(dice: Dice): ItemSelection {
  const numbers = dice.several(dice.between(1, MOST_CATEGORIES), 1, OTHER_CATEGORIES);
  return categories(...numbers.map((number) => `other-category-${number}`));
}

/** One in five only asks for the items and gives something else; a threshold inside a scope needs a scope of one item or category. */
function forSelection(dice: Dice, selection: ItemSelection): PromotionSketch {
  if (dice.isLucky(0.2)) return { effect: reward(dice), rules: [requires(selection), ...channelRule(dice)] };
  const isSingle = selection.itemIds.length + selection.categoryIds.length === 1;
  const spend = isSingle && dice.isLucky(0.5) ? [minimumSpend(dice.between(10, 500) * 100)] : [];
  return { effect: discount(dice), rules: [scope(selection), ...spend, ...channelRule(dice)] };
}

function forOtherUsers(dice: Dice): PromotionSketch {
  const numbers = dice.several(dice.between(1, MOST_TAGS), 1, OTHER_TAGS);
  return {
    effect: discount(dice),
    rules: [minimumSpend(dice.between(1, 80) * 100)],
    audience: forTags(...numbers.map((number) => `other-tag-${number}`)),
  };
}

function atAnotherTime(dice: Dice): PromotionSketch {
  const daysOff = dice.between(1, FARTHEST_DAYS) * DAY_MS;
  const spanMs = dice.between(1, 60) * DAY_MS;
  const window = dice.isLucky(0.5)
    ? { startsAtMs: AT_MS - daysOff - spanMs, endsAtMs: AT_MS - daysOff }
    : { startsAtMs: AT_MS + daysOff, endsAtMs: AT_MS + daysOff + spanMs };
  return { effect: discount(dice), rules: [minimumSpend(dice.between(1, 80) * 100)], ...window };
}

function channelRule(dice: Dice): Rule[] {
  return dice.isLucky(0.15) ? [onChannels(dice.pick(['app', 'web', 'shop']))] : [];
}

function discount(dice: Dice): Effect {
  const kind = dice.between(1, 4);
  if (kind === 1) return amountOff(dice.between(1, 50) * 100);
  if (kind === 2) return percentOff(dice.between(1, 60) * 50, dice.between(10, 100) * 100);
  if (kind === 3) {
    return {
      kind: 'buy_x_get_y',
      buyQuantity: 2,
      getQuantity: 1,
      basisPoints: 10_000,
      maxGroups: 5,
      rewardChoice: 'cheapest',
    };
  }
  return percentOff(dice.between(1, 60) * 50);
}

function reward(dice: Dice): Effect {
  if (dice.isLucky(0.5)) return { kind: 'bonus_points', points: dice.between(1, 20) * 10 };
  const gift = { itemId: `gift-${dice.between(1, 50)}`, quantity: 1 };
  return { kind: 'gift_items', items: [gift], placement: 'added_line', onlyDearest: false };
}
