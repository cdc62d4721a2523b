import type { ItemSelection, MatchMode } from '../domain/promotion.ts';
import type { LineList, PreparedCart } from './prepared-cart.ts';
import type { Vocabulary } from './vocabulary.ts';

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

/** Compiles a selection; what it names gets numbers in the vocabulary. */
export function compileSelection(selection: ItemSelection, vocabulary: Vocabulary): LineMatcher {
  const keys = {
    items: selection.itemIds.map((id) => vocabulary.internItem(id)),
    categories: selection.categoryIds.map((id) => vocabulary.internCategory(id)),
  };
  const items = new Set(keys.items);
  const categories = new Set(keys.categories);
  const isIn = (cart: PreparedCart, place: number): boolean =>
    items.has(cart.itemKeys[place] ?? -1) || hasCategory(cart, place, categories);
  return { keys, linesOf: (cart) => cart.allLines.filter((place) => isIn(cart, place)) };
}

function hasCategory(cart: PreparedCart, place: number, wanted: ReadonlySet<number>): boolean {
  if (wanted.size === 0) return false;
  const end = cart.categoryStarts[place + 1] ?? 0;
  for (let at = cart.categoryStarts[place] ?? 0; at < end; at += 1) {
    if (wanted.has(cart.categoryKeys[at] ?? -1)) return true;
  }
  return false;
}

/** Whether the cart has any, or every one, of the items and categories. */
export function isPresent(keys: SelectionKeys, match: MatchMode, cart: PreparedCart): boolean {
  const hasItem = (key: number): boolean => cart.itemKeys.includes(key);
  const hasCategoryKey = (key: number): boolean => cart.categoryKeys.includes(key);
  return match === 'any'
    ? keys.items.some(hasItem) || keys.categories.some(hasCategoryKey)
    : keys.items.every(hasItem) && keys.categories.every(hasCategoryKey);
}
