import type { Cart } from '../domain/cart.ts';
import type { AppliedPromotion, LineDecision, LineShare, Totals } from '../domain/decision.ts';
import type { Application } from './apply.ts';
import type { PreparedCart } from './prepared-cart.ts';

/** What the applied promotions make of the order. */
export interface Outcome {
  readonly lines: readonly LineDecision[];
  readonly totals: Totals;
  readonly applied: readonly AppliedPromotion[];
  readonly bonusPoints: number;
}

/** Adds up what each application takes off, line by line, in the order in which the caller listed the lines. */
export function decide(cart: PreparedCart, applications: readonly Application[]): Outcome {
  const offByLine = new Array<number>(cart.lines.length).fill(0);
  for (const { shares } of applications) {
    for (const { lineIndex, amountMinor } of shares) {
      offByLine[lineIndex] = (offByLine[lineIndex] ?? 0) + amountMinor;
    }
  }
  const applied = applications.map((application) => appliedPromotion(cart, application));
  const lines = lineDecisions(cart, offByLine);
  return {
    lines,
    totals: totalsOf(cart.cart, lines, applied),
    applied,
    bonusPoints: applied.reduce((sum, { bonusPoints }) => sum + bonusPoints, 0),
  };
}

function appliedPromotion(cart: PreparedCart, application: Application): AppliedPromotion {
  const { candidate, itemsOffMinor, shippingOffMinor, gifts, bonusPoints } = application;
  const { definition, class: discountClass } = candidate.promotion;
  return {
    promotionId: definition.id,
    promotionRef: definition.ref,
    promotionVersion: definition.version,
    source: candidate.source,
    class: discountClass,
    discountMinor: itemsOffMinor + shippingOffMinor,
    shares: sharesOf(cart, application),
    shippingDiscountMinor: shippingOffMinor,
    gifts,
    bonusPoints,
  };
}

/** The shares in the order of the cart as it was given. */
function sharesOf({ allLines, inputIndex }: PreparedCart, { shares }: Application): readonly LineShare[] {
  if (inputIndex === allLines) return shares;
  return shares.toSorted((left, right) => left.lineIndex - right.lineIndex);
}

function lineDecisions({ cart }: PreparedCart, offByLine: number[]): LineDecision[] {
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
