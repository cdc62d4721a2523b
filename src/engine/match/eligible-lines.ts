import { sumAt } from '../../domain/money.ts';
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
  if (excluded.length === 0) return measured(inScope, cart, cart.subtotalMinor);
  const out = new Set(excluded.flatMap((matcher) => [...matcher.linesOf(cart)]));
  const isIn = (place: number): boolean => !out.has(place);
  return measured(inScope.filter(isIn), cart, sumAt(cart.allLines.filter(isIn), cart.amounts));
}

function wholeCart(cart: PreparedCart): Eligibility {
  const { allLines, subtotalMinor, units } = cart;
  return { eligible: allLines, spendMinor: subtotalMinor, units, orderSpendMinor: subtotalMinor };
}

function measured(eligible: LineList, cart: PreparedCart, orderSpendMinor: number): Eligibility {
  const { amounts, quantities } = cart;
  let units = 0;
  for (let at = 0; at < eligible.length; at += 1) units += quantities[eligible[at] ?? 0] ?? 0;
  return { eligible, spendMinor: sumAt(eligible, amounts), units, orderSpendMinor };
}
