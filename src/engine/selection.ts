import type { ItemSelection, MatchMode } from '../domain/promotion.ts';
import type { LineList, PreparedCart } from './prepared-cart.ts';
import { UNKNOWN_KEY, type Vocabulary } from './vocabulary.ts';

/**
 * Up to this many ids of one sort are compared one by one: below it that is faster than asking a set, and nearly every
 * selection is that small.
 */
const FEW_KEYS = 8;

const NO_LINES: LineList = [];

/** Items and categories as numbers of the vocabulary. */
export interface SelectionKeys {
  readonly items: readonly number[];
  readonly categories: readonly number[];
}

/** A compiled selection: which lines of a cart are in it. */
export interface LineMatcher {
  readonly keys: SelectionKeys;
  linesOf(cart: PreparedCart): LineList;
}

/** A matcher that also finds the first line without listing all. */
export interface SelectionMatcher extends LineMatcher {
  /** Place of the first line that is in the selection; -1 when none is. */
  firstOf(cart: PreparedCart): number;
}

/** Compiles a selection; what it names gets numbers in the vocabulary. */
export function compileSelection(selection: ItemSelection, vocabulary: Vocabulary): SelectionMatcher {
  const keys = {
    items: [...new Set(selection.itemIds.map((id) => vocabulary.internItem(id)))],
    categories: [...new Set(selection.categoryIds.map((id) => vocabulary.internCategory(id)))],
  };
  const areFew = keys.items.length <= FEW_KEYS && keys.categories.length <= FEW_KEYS;
  const isIn = areFew ? isAmongFew(keys) : isAmongMany(keys);
  return {
    keys,
    linesOf: areFew ? linesOfFew(keys, isIn) : (cart) => linesThat(isIn, cart),
    firstOf: (cart) => firstThat(isIn, cart),
  };
}

/** Whether the line at a place is in a selection. */
type LineTest = (cart: PreparedCart, place: number) => boolean;

/** Plain loops, here and below: this runs for every candidate of every evaluation. */
function linesThat(isIn: LineTest, cart: PreparedCart): LineList {
  const { length } = cart.itemKeys;
  let found: number[] | undefined;
  for (let place = 0; place < length; place += 1) {
    if (!isIn(cart, place)) continue;
    if (found === undefined) found = [place];
    else found.push(place);
  }
  return found ?? NO_LINES;
}

function linesOfFew(keys: SelectionKeys, isIn: LineTest): (cart: PreparedCart) => LineList {
  if (keys.categories.length === 0) {
    const wanted = keys.items;
    return ({ itemKeys, allLines }) => linesOfKeys(wanted, itemKeys, allLines);
  }
  if (keys.items.length === 0) {
    const wanted = keys.categories;
    return ({ categoryKeys, categoryLines }) => linesOfKeys(wanted, categoryKeys, categoryLines);
  }
  return (cart) => linesThat(isIn, cart);
}

/** The lines of the entries that have one of a few keys; the entries of a line stand together. No calls: nearly every selection is of this kind. */
function linesOfKeys(
  wanted: readonly number[],
  keys: readonly number[],
  lineOfEntry: readonly number[],
): LineList {
  const count = wanted.length;
  const [only] = wanted;
  if (count === 1 && only !== undefined) return linesOfKey(only, keys, lineOfEntry);
  const { length } = keys;
  let found: number[] | undefined;
  let last = -1;
  for (let entry = 0; entry < length; entry += 1) {
    const key = keys[entry];
    for (let at = 0; at < count; at += 1) {
      if (wanted[at] !== key) continue;
      const place = lineOfEntry[entry] ?? 0;
      if (place === last) continue;
      last = place;
      if (found === undefined) found = [place];
      else found.push(place);
    }
  }
  return found ?? NO_LINES;
}

/** The same for one key. */
function linesOfKey(wanted: number, keys: readonly number[], lineOfEntry: readonly number[]): LineList {
  const { length } = keys;
  let found: number[] | undefined;
  let last = -1;
  for (let entry = 0; entry < length; entry += 1) {
    if (keys[entry] !== wanted) continue;
    const place = lineOfEntry[entry] ?? 0;
    if (place === last) continue;
    last = place;
    if (found === undefined) found = [place];
    else found.push(place);
  }
  return found ?? NO_LINES;
}

function firstThat(isIn: LineTest, cart: PreparedCart): number {
  const { length } = cart.itemKeys;
  for (let place = 0; place < length; place += 1) if (isIn(cart, place)) return place;
  return -1;
}

function isAmongFew(keys: SelectionKeys): LineTest {
  const { items } = keys;
  const { categories } = keys;
  return (cart, place) =>
    includes(items, cart.itemKeys[place]) || (categories.length > 0 && hasCategory(cart, place, categories));
}

function includes(keys: readonly number[], key: number | undefined): boolean {
  for (let at = 0; at < keys.length; at += 1) if (keys[at] === key) return true;
  return false;
}

function hasCategory(
  { categoryKeys, categoryStarts }: PreparedCart,
  place: number,
  wanted: readonly number[],
): boolean {
  const end = categoryStarts[place + 1] ?? 0;
  for (let at = categoryStarts[place] ?? 0; at < end; at += 1) {
    if (includes(wanted, categoryKeys[at])) return true;
  }
  return false;
}

function isAmongMany(keys: SelectionKeys): LineTest {
  const items = new Set(keys.items);
  const categories = new Set(keys.categories);
  return ({ itemKeys, categoryKeys, categoryStarts }, place) => {
    if (items.has(itemKeys[place] ?? UNKNOWN_KEY)) return true;
    const end = categoryStarts[place + 1] ?? 0;
    for (let at = categoryStarts[place] ?? 0; at < end; at += 1) {
      if (categories.has(categoryKeys[at] ?? UNKNOWN_KEY)) return true;
    }
    return false;
  };
}

/** Whether the cart has any, or every one, of the items and categories. */
export function isPresent(keys: SelectionKeys, match: MatchMode, cart: PreparedCart): boolean {
  return match === 'any'
    ? hasAny(keys.items, cart.itemKeys) || hasAny(keys.categories, cart.categoryKeys)
    : hasAll(keys.items, cart.itemKeys) && hasAll(keys.categories, cart.categoryKeys);
}

function hasAny(wanted: readonly number[], present: readonly number[]): boolean {
  if (wanted.length > FEW_KEYS) {
    const keys = new Set(present);
    return wanted.some((key) => keys.has(key));
  }
  for (let at = 0; at < wanted.length; at += 1) if (present.includes(wanted[at] ?? UNKNOWN_KEY)) return true;
  return false;
}

function hasAll(wanted: readonly number[], present: readonly number[]): boolean {
  if (wanted.length > FEW_KEYS) {
    const keys = new Set(present);
    return wanted.every((key) => keys.has(key));
  }
  for (let at = 0; at < wanted.length; at += 1)
    if (!present.includes(wanted[at] ?? UNKNOWN_KEY)) return false;
  return true;
}
