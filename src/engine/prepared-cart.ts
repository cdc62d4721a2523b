import type { Cart, CartLine, ItemOffer } from '../domain/cart.ts';
import type { Vocabulary } from './vocabulary.ts';

/**
 * Places of lines in line order, rising. The line order is that of the line ids, shorter first, then by code units, whatever
 * the order in which the caller listed the lines; so an answer does not depend on that.
 */
export type LineList = readonly number[];

/** A cart laid out for evaluation. All arrays are by place in line order; amounts in minor units. Never changed once made. */
export interface PreparedCart {
  readonly cart: Cart;
  readonly lines: readonly CartLine[];
  /** Place of each line in the cart as it was given. */
  readonly inputIndex: readonly number[];
  /** Unit price × quantity. */
  readonly amounts: Float64Array;
  /** Units of each line. */
  readonly quantities: Float64Array;
  /** Number of each line's item in the vocabulary. */
  readonly itemKeys: Int32Array;
  /** Numbers of the categories of all lines, one line after the other; those of line `i` start at `categoryStarts[i]`. */
  readonly categoryKeys: Int32Array;
  readonly categoryStarts: Int32Array;
  readonly allLines: LineList;
  readonly subtotalMinor: number;
  readonly units: number;
  /** Prices and availability of items as the caller stated them. */
  readonly offers: ReadonlyMap<string, ItemOffer>;
}

const NO_OFFERS: ReadonlyMap<string, ItemOffer> = new Map();

/** Lays a cart out. The cart is valid: unique line ids, sums within the safe integers. */
export function prepareCart(
  cart: Cart,
  vocabulary: Vocabulary,
  offers: ReadonlyMap<string, ItemOffer> = NO_OFFERS,
): PreparedCart {
  const inputIndex = lineOrder(cart.lines);
  const lines = inputIndex.map((at) => cart.lines[at]).filter((line) => line !== undefined);
  const amounts = Float64Array.from(lines, (line) => line.unitPriceMinor * line.quantity);
  return {
    cart,
    lines,
    inputIndex,
    amounts,
    quantities: Float64Array.from(lines, (line) => line.quantity),
    itemKeys: Int32Array.from(lines, (line) => vocabulary.itemKey(line.itemId)),
    ...categoriesOf(lines, vocabulary),
    allLines: lines.map((_, place) => place),
    subtotalMinor: amounts.reduce((sum, amount) => sum + amount, 0),
    units: lines.reduce((sum, line) => sum + line.quantity, 0),
    offers,
  };
}

function lineOrder(lines: readonly CartLine[]): number[] {
  const idOf = (at: number): string => lines[at]?.lineId ?? '';
  return lines.map((_, at) => at).sort((left, right) => compareLineIds(idOf(left), idOf(right)));
}

/** The line order: shorter ids first, then by code units. Negative, zero or positive as a comparator. */
export function compareLineIds(left: string, right: string): number {
  if (left.length !== right.length) return left.length - right.length;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function categoriesOf(
  lines: readonly CartLine[],
  vocabulary: Vocabulary,
): Pick<PreparedCart, 'categoryKeys' | 'categoryStarts'> {
  const starts = new Int32Array(lines.length + 1);
  const keys: number[] = [];
  for (const [place, line] of lines.entries()) {
    for (const categoryId of line.categoryIds) keys.push(vocabulary.categoryKey(categoryId));
    starts[place + 1] = keys.length;
  }
  return { categoryKeys: Int32Array.from(keys), categoryStarts: starts };
}
