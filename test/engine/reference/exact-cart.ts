import type { Cart, CartLine, ItemOffer } from '../../../src/domain/cart.ts';
import type { ItemSelection } from '../../../src/domain/promotion.ts';
import { sum } from './exact-money.ts';

/** A line with exact amounts. */
export interface ExactLine {
  readonly line: CartLine;
  /** Place of the line in the cart as it was given. */
  readonly inputIndex: number;
  readonly price: bigint;
  readonly amount: bigint;
}

/** A cart with its lines in line order; their numbers in it are called places. */
export interface ExactCart {
  readonly cart: Cart;
  readonly lines: readonly ExactLine[];
  readonly offers: ReadonlyMap<string, ItemOffer>;
}

/** Lays the lines out in line order: shorter ids first, then by code units. */
export function exactCart(cart: Cart, offers: ReadonlyMap<string, ItemOffer>): ExactCart {
  const lines = cart.lines.map((line, inputIndex) => {
    const price = BigInt(line.unitPriceMinor);
    return { line, inputIndex, price, amount: price * BigInt(line.quantity) };
  });
  return { cart, lines: lines.sort((one, other) => byLineId(one.line.lineId, other.line.lineId)), offers };
}

function byLineId(one: string, other: string): number {
  return one.length - other.length || byCodeUnits(one, other);
}

/** Negative, zero or positive as a comparator: the order of texts by code units. */
export function byCodeUnits(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** Whether a line's item or one of its categories is listed. */
export function isIn({ line }: ExactLine, selection: ItemSelection): boolean {
  return (
    selection.itemIds.includes(line.itemId) ||
    selection.categoryIds.some((categoryId) => line.categoryIds.includes(categoryId))
  );
}

/** The places of the lines that pass. */
export function placesWhere({ lines }: ExactCart, passes: (line: ExactLine) => boolean): number[] {
  return lines.flatMap((line, place) => (passes(line) ? [place] : []));
}

/** What the lines at these places cost before any discount. */
export function spendOf({ lines }: ExactCart, places: readonly number[]): bigint {
  return sum(places.map((place) => lines[place]?.amount ?? 0n));
}

/** How many units the lines at these places have. */
export function unitsOf({ lines }: ExactCart, places: readonly number[]): number {
  return places.reduce((units, place) => units + (lines[place]?.line.quantity ?? 0), 0);
}
