import type { Cart, CartLine, ItemOffer } from '../domain/cart.ts';
import { compareTexts } from './compare-texts.ts';
import type { Vocabulary } from './vocabulary.ts';

/**
 * Places of lines in line order, rising. The line order is that of the line ids, shorter first, then by code units, whatever
 * the order in which the caller listed the lines; so an answer does not depend on that.
 */
export type LineList = readonly number[];

/**
 * A cart laid out for evaluation. All arrays are by place in line order; amounts in minor units. Never changed once made. Only
 * the amounts are a typed array: making a small one costs more than all the plain ones together.
 */
export interface PreparedCart {
  readonly cart: Cart;
  readonly lines: readonly CartLine[];
  /** Place of each line in the cart as it was given. */
  readonly inputIndex: readonly number[];
  /** Unit price × quantity. */
  readonly amounts: Float64Array;
  /** Units of each line. */
  readonly quantities: readonly number[];
  /** Number of each line's item in the vocabulary. */
  readonly itemKeys: readonly number[];
  /** Numbers of the categories of all lines, one line after the other; those of line `i` start at `categoryStarts[i]`. */
  readonly categoryKeys: readonly number[];
  readonly categoryStarts: readonly number[];
  /** The line of each entry of `categoryKeys`. */
  readonly categoryLines: readonly number[];
  readonly allLines: LineList;
  readonly subtotalMinor: number;
  readonly units: number;
  /** Prices and availability of items as the caller stated them. */
  readonly offers: ReadonlyMap<string, ItemOffer>;
}

const NO_OFFERS: ReadonlyMap<string, ItemOffer> = new Map();

/** Longest list of places kept for the next cart. */
const LONGEST_KEPT = 256;

/** Lays a cart out. The cart is valid: unique line ids, sums within the safe integers. Plain loops: this is paid by every evaluation. */
export function prepareCart(
  cart: Cart,
  vocabulary: Vocabulary,
  offers: ReadonlyMap<string, ItemOffer> = NO_OFFERS,
): PreparedCart {
  const allLines = placesUpTo(cart.lines.length);
  const inputIndex = isInLineOrder(cart.lines) ? allLines : lineOrder(cart.lines);
  const lines = inputIndex === allLines ? cart.lines : linesAt(inputIndex, cart.lines);
  const amounts = new Float64Array(lines.length);
  const quantities: number[] = [];
  const itemKeys: number[] = [];
  let subtotalMinor = 0;
  let units = 0;
  for (let place = 0; place < lines.length; place += 1) {
    const line = lines[place];
    if (line === undefined) continue;
    const amount = line.unitPriceMinor * line.quantity;
    amounts[place] = amount;
    quantities.push(line.quantity);
    itemKeys.push(vocabulary.itemKey(line.itemId));
    subtotalMinor += amount;
    units += line.quantity;
  }
  const { categoryKeys, categoryStarts, categoryLines } = categoriesOf(lines, vocabulary);
  return {
    cart,
    lines,
    inputIndex,
    amounts,
    quantities,
    itemKeys,
    categoryKeys,
    categoryStarts,
    categoryLines,
    allLines,
    subtotalMinor,
    units,
    offers,
  };
}

/** Lists 0 to n − 1 made so far, by n: nearly every cart has one of few lengths. */
const PLACES: LineList[] = [];

function placesUpTo(count: number): LineList {
  const known = PLACES[count];
  if (known !== undefined) return known;
  const places = Array.from({ length: count }, (_, place) => place);
  if (count <= LONGEST_KEPT) PLACES[count] = places;
  return places;
}

function isInLineOrder(lines: readonly CartLine[]): boolean {
  for (let at = 1; at < lines.length; at += 1) {
    if (compareLineIds(lines[at - 1]?.lineId ?? '', lines[at]?.lineId ?? '') > 0) return false;
  }
  return true;
}

function lineOrder(lines: readonly CartLine[]): LineList {
  const idOf = (at: number): string => lines[at]?.lineId ?? '';
  return lines.map((_, at) => at).sort((left, right) => compareLineIds(idOf(left), idOf(right)));
}

function linesAt(places: LineList, lines: readonly CartLine[]): CartLine[] {
  return places.map((at) => lines[at]).filter((line) => line !== undefined);
}

/** The line order: shorter ids first, then by code units. Negative, zero or positive as a comparator. */
export function compareLineIds(left: string, right: string): number {
  return left.length !== right.length ? left.length - right.length : compareTexts(left, right);
}

function categoriesOf(
  lines: readonly CartLine[],
  vocabulary: Vocabulary,
): Pick<PreparedCart, 'categoryKeys' | 'categoryStarts' | 'categoryLines'> {
  const categoryStarts = [0];
  const categoryKeys: number[] = [];
  const categoryLines: number[] = [];
  for (let place = 0; place < lines.length; place += 1) {
    for (const categoryId of lines[place]?.categoryIds ?? []) {
      categoryKeys.push(vocabulary.categoryKey(categoryId));
      categoryLines.push(place);
    }
    categoryStarts.push(categoryKeys.length);
  }
  return { categoryKeys, categoryStarts, categoryLines };
}
