import type { Cart } from '../domain/cart.ts';
import type { AppliedPromotion, LineDecision, LineShare, Totals } from '../domain/decision.ts';
import { unitRuns } from '../domain/money.ts';
import type { PreparedCart } from './prepared-cart.ts';
import type { Application } from './tally.ts';

/** What the applied promotions make of the order. */
export interface Outcome {
  readonly lines: readonly LineDecision[];
  readonly totals: Totals;
  readonly applied: readonly AppliedPromotion[];
  readonly bonusPoints: number;
}

/** Adds up what each application takes off, line by line, in the order in which the caller listed the lines. */
export function decide(cart: PreparedCart, applications: readonly Application[]): Outcome {
  const offByLine = new Float64Array(cart.lines.length);
  const applied = applications.map((application) => appliedPromotion(cart, application, offByLine));
  const lines = lineDecisions(cart, offByLine);
  return {
    lines,
    totals: totalsOf(cart.cart, lines, applied),
    applied,
    bonusPoints: applied.reduce((sum, { bonusPoints }) => sum + bonusPoints, 0),
  };
}

function appliedPromotion(
  cart: PreparedCart,
  application: Application,
  offByLine: Float64Array,
): AppliedPromotion {
  const { candidate, itemsOffMinor, shippingOffMinor, gifts, bonusPoints } = application;
  const { definition, class: discountClass } = candidate.promotion;
  return {
    promotionId: definition.id,
    promotionRef: definition.ref,
    promotionVersion: definition.version,
    source: candidate.source,
    class: discountClass,
    discountMinor: itemsOffMinor + shippingOffMinor,
    shares: itemsOffMinor === 0 ? [] : sharesOf(cart, application, offByLine),
    shippingDiscountMinor: shippingOffMinor,
    gifts,
    bonusPoints,
  };
}

function sharesOf(cart: PreparedCart, { shares }: Application, offByLine: Float64Array): LineShare[] {
  const result: LineShare[] = [];
  for (const { place, amountMinor, units } of shares) {
    const lineIndex = cart.inputIndex[place] ?? 0;
    offByLine[lineIndex] = (offByLine[lineIndex] ?? 0) + amountMinor;
    result.push({ lineIndex, amountMinor, units: unitRuns(amountMinor, units) });
  }
  return isInOrder(result) ? result : result.sort((left, right) => left.lineIndex - right.lineIndex);
}

function isInOrder(shares: readonly LineShare[]): boolean {
  return shares.every(({ lineIndex }, at) => at === 0 || (shares[at - 1]?.lineIndex ?? 0) < lineIndex);
}

function lineDecisions({ cart }: PreparedCart, offByLine: Float64Array): LineDecision[] {
  return cart.lines.map(({ unitPriceMinor, quantity }, lineIndex) => {
    const originalMinor = unitPriceMinor * quantity;
    const discountMinor = offByLine[lineIndex] ?? 0;
    return { originalMinor, discountMinor, payableMinor: originalMinor - discountMinor };
  });
}

function totalsOf(
  { shippingMinor }: Cart,
  lines: readonly LineDecision[],
  applied: readonly AppliedPromotion[],
): Totals {
  const itemsMinor = lines.reduce((sum, { originalMinor }) => sum + originalMinor, 0);
  const itemsDiscountMinor = lines.reduce((sum, { discountMinor }) => sum + discountMinor, 0);
  const shippingDiscountMinor = applied.reduce((sum, each) => sum + each.shippingDiscountMinor, 0);
  const payableMinor = itemsMinor - itemsDiscountMinor + shippingMinor - shippingDiscountMinor;
  return { itemsMinor, shippingMinor, itemsDiscountMinor, shippingDiscountMinor, payableMinor };
}
