/** Wallets full of coupons that can all be used on the carts of the benchmark, alone at least. */
import type { Effect, PromotionDefinition, Rule } from '../../src/domain/promotion.ts';
import type { HeldCoupon } from '../../src/engine/evaluation-input.ts';
import { Dice } from './dice.ts';
import {
  AT_MS,
  amountOff,
  automaticPromotion,
  categories,
  items,
  minimumSpend,
  percentOff,
  scope,
  stackability,
} from './promotion-parts.ts';

const SEED = 618;

/** Promotions that wallets hold coupons of; two coupons of a wallet are seldom of the same one. */
export const COUPON_PROMOTIONS = 400;

const HOUR_MS = 3_600_000;

/** Below the subtotal of every cart of 20 lines, in minor units. */
const HIGHEST_THRESHOLD_MINOR = 30_000;

/** Promotions whose coupons people take, of mixed kinds and with mixed habits of combining. */
export function couponPromotions(count: number): PromotionDefinition[] {
  const dice = new Dice(SEED);
  return Array.from({ length: count }, (_, index) => ({
    ...automaticPromotion(index + 1, {
      effect: effect(dice),
      rules: [...conditions(dice), ...stacking(dice)],
      priority: dice.between(0, 20),
    }),
    reach: { kind: 'claimable' },
  }));
}

/** A wallet of usable coupons; the variant decides which. */
export function wallet(coupons: number, variant: number): HeldCoupon[] {
  const dice = new Dice(SEED + coupons * 1_000 + variant);
  return dice.several(coupons, 1, COUPON_PROMOTIONS).map((promotionRef, index) => ({
    couponId: `c0ffee${String(variant).padStart(4, '0')}${String(index).padStart(34, '0')}`,
    promotionRef,
    promotionVersion: 1,
    state: 'unused',
    validFromMs: AT_MS - HOUR_MS,
    expiresAtMs: AT_MS + dice.between(1, 500) * HOUR_MS,
  }));
}

function effect(dice: Dice): Effect {
  const kind = dice.between(1, 10);
  if (kind <= 4) return amountOff(dice.between(1, 60) * 50);
  if (kind <= 7) return percentOff(dice.between(1, 30) * 100, dice.between(5, 80) * 100);
  if (kind === 8) return percentOff(dice.between(1, 20) * 100);
  if (kind === 9) return { kind: 'shipping_off', amountMinor: dice.between(2, 15) * 100 };
  return {
    kind: 'every_amount_off',
    everyMinor: 10_000,
    amountMinor: dice.between(1, 10) * 50,
    maxTimes: 5,
    thresholdBasis: 'before',
  };
}

/** A third works on some lines only; most ask for some spend. */
function conditions(dice: Dice): Rule[] {
  const scopes = dice.isLucky(0.35) ? [scope(lines(dice))] : [];
  const highest = scopes.length === 0 ? HIGHEST_THRESHOLD_MINOR : 2_000;
  return dice.isLucky(0.7) ? [...scopes, minimumSpend(dice.between(1, highest / 100) * 100)] : scopes;
}

function lines(dice: Dice): ReturnType<typeof items> {
  return dice.isLucky(0.5)
    ? categories(`category-${dice.between(0, 7)}`)
    : items(...dice.several(3, 1, 20).map((number) => `item-${number}`));
}

/** Half combine with everything; the others are alone, in a group, or not with percentages. */
function stacking(dice: Dice): Rule[] {
  const habit = dice.between(1, 10);
  if (habit <= 5) return [];
  if (habit <= 6) return [stackability({ mode: 'alone' })];
  if (habit <= 9) return [stackability({ exclusiveGroups: [`group-${dice.between(1, 4)}`] })];
  return [stackability({ excludedKinds: ['percent_off'] })];
}
