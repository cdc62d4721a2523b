import type { CompiledPromotion } from '../compiled-promotion.ts';
import type { LineList, PreparedCart } from '../prepared-cart.ts';

/** The lines a promotion works on, and what they and the order cost before any discount. */
export interface Eligibility {
  readonly eligible: LineList;
  /** Sum of the eligible lines, and their units. */
  readonly spendMinor: number;
  readonly units: number;
  /** Sum of all lines that are not excluded, whatever the scope. */
  readonly orderSpendMinor: number;
}

/** The lines inside the scope, without the excluded ones. */
export function eligibilityOf(promotion: CompiledPromotion, cart: PreparedCart): Eligibility {
  const { scope, excluded } = promotion;
  if (scope === undefined && excluded.length === 0) return wholeCart(cart);
  const inScope = scope === undefined ? cart.allLines : scope.linesOf(cart);
  if (excluded.length === 0) return { ...measured(inScope, cart), orderSpendMinor: cart.subtotalMinor };
  const out = new Set(excluded.flatMap((matcher) => [...matcher.linesOf(cart)]));
  const isIn = (place: number): boolean => !out.has(place);
  return {
    ...measured(inScope.filter(isIn), cart),
    orderSpendMinor: measured(cart.allLines.filter(isIn), cart).spendMinor,
  };
}

function wholeCart(cart: PreparedCart): Eligibility {
  const { allLines, subtotalMinor, units } = cart;
  return { eligible: allLines, spendMinor: subtotalMinor, units, orderSpendMinor: subtotalMinor };
}

function measured(eligible: LineList, cart: PreparedCart): Omit<Eligibility, 'orderSpendMinor'> {
  let spendMinor = 0;
  let units = 0;
  for (const place of eligible) {
    spendMinor += cart.amounts[place] ?? 0;
    units += cart.lines[place]?.quantity ?? 0;
  }
  return { eligible, spendMinor, units };
}
