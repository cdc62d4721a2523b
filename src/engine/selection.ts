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
  const nextOf = areFew ? nextAmongFew(keys) : nextAmongMany(keys);
  return {
    keys,
    linesOf: (cart) => linesFrom(cart, nextOf),
    firstOf: (cart) => nextOf(cart, 0),
  };
}

/** Place of the first line from a place on that is in a selection; -1 when there is none. */
type NextLine = (cart: PreparedCart, from: number) => number;

function linesFrom(cart: PreparedCart, nextOf: NextLine): LineList {
  const first = nextOf(cart, 0);
  if (first === -1) return NO_LINES;
  const found = [first];
  for (let place = nextOf(cart, first + 1); place !== -1; place = nextOf(cart, place + 1)) found.push(place);
  return found;
}

/** Plain loops over numbers: this runs for every candidate of every evaluation. */
function nextAmongFew(keys: SelectionKeys): NextLine {
  const items = Int32Array.from(keys.items);
  const categories = Int32Array.from(keys.categories);
  return (cart, from) => {
    const { itemKeys } = cart;
    for (let place = from; place < itemKeys.length; place += 1) {
      if (isAmong(items, itemKeys[place])) return place;
      if (categories.length > 0 && hasCategory(cart, place, categories)) return place;
    }
    return -1;
  };
}

function isAmong(keys: Int32Array, key: number | undefined): boolean {
  for (let at = 0; at < keys.length; at += 1) if (keys[at] === key) return true;
  return false;
}

function hasCategory(cart: PreparedCart, place: number, wanted: Int32Array): boolean {
  const { categoryKeys, categoryStarts } = cart;
  const end = categoryStarts[place + 1] ?? 0;
  for (let at = categoryStarts[place] ?? 0; at < end; at += 1) {
    if (isAmong(wanted, categoryKeys[at])) return true;
  }
  return false;
}

function nextAmongMany(keys: SelectionKeys): NextLine {
  const items = new Set(keys.items);
  const categories = new Set(keys.categories);
  return ({ itemKeys, categoryKeys, categoryStarts }, from) => {
    for (let place = from; place < itemKeys.length; place += 1) {
      if (items.has(itemKeys[place] ?? UNKNOWN_KEY)) return place;
      const end = categoryStarts[place + 1] ?? 0;
      for (let slot = categoryStarts[place] ?? 0; slot < end; slot += 1) {
        if (categories.has(categoryKeys[slot] ?? UNKNOWN_KEY)) return place;
      }
    }
    return -1;
  };
}

/** Whether the cart has any, or every one, of the items and categories. */
export function isPresent(keys: SelectionKeys, match: MatchMode, cart: PreparedCart): boolean {
  return match === 'any'
    ? hasAny(keys.items, cart.itemKeys) || hasAny(keys.categories, cart.categoryKeys)
    : hasAll(keys.items, cart.itemKeys) && hasAll(keys.categories, cart.categoryKeys);
}

function hasAny(wanted: readonly number[], present: Int32Array): boolean {
  if (wanted.length > FEW_KEYS) {
    const keys = new Set(present);
    return wanted.some((key) => keys.has(key));
  }
  for (let at = 0; at < wanted.length; at += 1) if (present.includes(wanted[at] ?? UNKNOWN_KEY)) return true;
  return false;
}

function hasAll(wanted: readonly number[], present: Int32Array): boolean {
  if (wanted.length > FEW_KEYS) {
    const keys = new Set(present);
    return wanted.every((key) => keys.has(key));
  }
  for (let at = 0; at < wanted.length; at += 1)
    if (!present.includes(wanted[at] ?? UNKNOWN_KEY)) return false;
  return true;
}
