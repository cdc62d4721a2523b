/** The shopper and the carts of the benchmark. */
import type { Cart, CartLine } from '../../src/domain/cart.ts';
import type { EvaluationInput, HeldCoupon } from '../../src/engine/evaluation-input.ts';
import { Dice } from './dice.ts';
import { SHOPPER_CHANNEL, SHOPPER_TAG } from './live-promotions.ts';
import { AT_MS, CURRENCY } from './promotion-parts.ts';

/** Numbers of lines measured. */
export const CART_SIZES = [5, 20, 100] as const;

/** Carts of one size differ in prices and quantities, so that no measurement is of one cart alone. */
export const CART_VARIANTS = 32;

const CATEGORIES = 8;
const BRANDS = 5;
const SHIPPING_MINOR = 1_200;

/** A cart; the variant decides prices and quantities, the first lines are of the same items at every size. */
export function benchCart(lines: number, variant: number): Cart {
  const dice = new Dice(lines * 1_000 + variant);
  return {
    currency: CURRENCY,
    taxMode: 'included',
    lines: Array.from({ length: lines }, (_, index) => cartLine(index + 1, dice)),
    shippingMinor: SHIPPING_MINOR,
    channel: SHOPPER_CHANNEL,
    region: 'CN-SH',
    paymentMethod: 'wallet',
    attributes: new Map(),
  };
}

function cartLine(number: number, dice: Dice): CartLine {
  return {
    lineId: `line-${number}`,
    itemId: `item-${number}`,
    categoryIds: [`category-${number % CATEGORIES}`, `brand-${number % BRANDS}`],
    quantity: dice.between(1, 4),
    unitPriceMinor: dice.between(2_000, 30_000),
    isOnSale: dice.isLucky(0.1),
  };
}

/** What is evaluated: a cart of the shopper, with these coupons. */
export function benchInput(
  cart: Cart,
  coupons: readonly HeldCoupon[] = [],
  couponsPerOrder = 1,
): EvaluationInput {
  return {
    cart,
    offers: new Map(),
    facts: {
      tags: new Set([SHOPPER_TAG, 'app-user']),
      registeredAtMs: AT_MS - 400 * 86_400_000,
      ordersCompleted: 12,
      attributes: new Map(),
    },
    atMs: AT_MS,
    coupons,
    codes: [],
    selection: { kind: 'best' },
    couponsPerOrder,
    wantsTrace: false,
  };
}

/** The inputs without coupons of one cart size, one per variant. */
export function benchInputs(lines: number): EvaluationInput[] {
  return Array.from({ length: CART_VARIANTS }, (_, variant) => benchInput(benchCart(lines, variant)));
}
