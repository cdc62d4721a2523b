/** A plain evaluation to vary in tests. */
import type { Cart, CartLine } from '../../src/domain/cart.ts';
import type { EvaluationInput, HeldCoupon } from '../../src/engine/evaluation-input.ts';

/** The moment of the plain evaluation: Wednesday 2026-07-01 04:00 UTC, noon in Shanghai. */
export const SAMPLE_AT_MS = Date.UTC(2026, 6, 1, 4);

/** A line of one unit at 100.00 of item `a` without a category, with these changes. */
export function sampleLine(changes: Partial<CartLine> = {}): CartLine {
  return {
    lineId: '1',
    itemId: 'a',
    categoryIds: [],
    quantity: 1,
    unitPriceMinor: 10_000,
    isOnSale: false,
    ...changes,
  };
}

/** A cart in CNY without shipping, with these changes. */
export function sampleCart(changes: Partial<Cart> = {}): Cart {
  return {
    currency: 'CNY',
    taxMode: 'included',
    lines: [sampleLine()],
    shippingMinor: 0,
    attributes: new Map(),
    ...changes,
  };
}

/** An evaluation of the plain cart for nobody in particular, with these changes. */
export function sampleInput(changes: Partial<EvaluationInput> = {}): EvaluationInput {
  return {
    cart: sampleCart(),
    offers: new Map(),
    facts: {},
    atMs: SAMPLE_AT_MS,
    coupons: [],
    codes: [],
    selection: { kind: 'best' },
    couponsPerOrder: 1,
    wantsTrace: false,
    ...changes,
  };
}

/** An unused coupon without an end, with these changes. */
export function sampleCoupon(changes: Partial<HeldCoupon> = {}): HeldCoupon {
  return {
    couponId: 'coupon-1',
    promotionRef: 1,
    promotionVersion: 1,
    state: 'unused',
    validFromMs: 0,
    ...changes,
  };
}
