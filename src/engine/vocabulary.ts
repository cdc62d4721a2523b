/** Small numbers for the items and categories that any promotion names; what no promotion names has none and matches nothing. */

/** The number of an id that no promotion names. */
export const UNKNOWN_KEY = -1;

/** Numbers are given once and never change, so compiled promotions of several rule-set versions share one vocabulary. */
export class Vocabulary {
  readonly #items = new Map<string, number>();
  readonly #categories = new Map<string, number>();

  /** The number of an item, new if need be. For compiling. */
  internItem(itemId: string): number {
    return intern(this.#items, itemId);
  }

  /** The number of a category, new if need be. For compiling. */
  internCategory(categoryId: string): number {
    return intern(this.#categories, categoryId);
  }

  /** The number of an item of a cart; {@link UNKNOWN_KEY} when no promotion names it. */
  itemKey(itemId: string): number {
    return this.#items.get(itemId) ?? UNKNOWN_KEY;
  }

  /** The number of a category of a cart; {@link UNKNOWN_KEY} when no promotion names it. */
  categoryKey(categoryId: string): number {
    return this.#categories.get(categoryId) ?? UNKNOWN_KEY;
  }
}

function intern(keys: Map<string, number>, id: string): number {
  const known = keys.get(id);
  if (known !== undefined) return known;
  const next = keys.size;
  keys.set(id, next);
  return next;
}
