import { hasTag, type UserFacts } from '../../domain/cart.ts';
import type { CompiledPromotion } from '../compiled-promotion.ts';
import { automaticContender, type Contender } from '../contender.ts';
import type { Occasion } from '../occasion.ts';
import type { PreparedCart } from '../prepared-cart.ts';
import { isPresent, type SelectionKeys } from '../selection.ts';
import { UNKNOWN_KEY } from '../vocabulary.ts';
import { type IndexEntry, Posting } from './posting.ts';

/** What of an occasion decides which promotions are worth a look. */
type Circumstances = Pick<Occasion, 'cart' | 'facts' | 'atMs'>;

/**
 * Finds the automatic promotions a cart could get: from its items and categories, the user's tags and the moment. The cost
 * follows what is found, not what exists.
 *
 * A promotion stands under the keys of its shortest list of required items and categories; without such a list under its
 * tags; otherwise among those that every cart meets.
 */
export class CandidateIndex {
  /** By number of the item and of the category: numbers are given one after the other. */
  readonly #byItem: Posting[] = [];
  readonly #byCategory: Posting[] = [];
  readonly #byTag = new Map<string, Posting>();
  readonly #everywhere = new Posting();
  readonly #entries = new Map<CompiledPromotion, IndexEntry>();
  #searches = 0;

  /** Exchanges promotions; the cost follows the lists they stand in. */
  change(gone: Iterable<CompiledPromotion>, added: Iterable<CompiledPromotion>): void {
    const touched = new Set<Posting>();
    const removed = new Set<IndexEntry>();
    for (const promotion of gone) this.#remove(promotion, removed, touched);
    for (const promotion of added) this.#add(promotion, touched);
    for (const posting of touched) posting.settle(removed);
  }

  #remove(promotion: CompiledPromotion, removed: Set<IndexEntry>, touched: Set<Posting>): void {
    const entry = this.#entries.get(promotion);
    if (entry === undefined) return;
    this.#entries.delete(promotion);
    removed.add(entry);
    for (const posting of this.#postingsOf(promotion)) touched.add(posting);
  }

  #add(promotion: CompiledPromotion, touched: Set<Posting>): void {
    const { ref, startsAtMs = -Infinity, endsAtMs = Infinity, audience } = promotion.definition;
    const tags = audience.kind === 'tagged_users' ? { anyOfTags: new Set(audience.anyOf) } : {};
    const contender = automaticContender(promotion);
    const entry = { ref, promotion, contender, startsAtMs, endsAtMs, seenIn: 0, ...tags };
    this.#entries.set(promotion, entry);
    for (const posting of this.#postingsOf(promotion)) {
      posting.add(entry);
      touched.add(posting);
    }
  }

  #postingsOf(promotion: CompiledPromotion): Posting[] {
    const keys = shortest(promotion.requiredKeys);
    if (keys !== undefined) {
      return [
        ...keys.items.map((key) => postingAt(this.#byItem, key)),
        ...keys.categories.map((key) => postingAt(this.#byCategory, key)),
      ];
    }
    const { audience } = promotion.definition;
    if (audience.kind !== 'tagged_users') return [this.#everywhere];
    return audience.anyOf.map((tag) => postingUnder(this.#byTag, tag));
  }

  /** The promotions to look at, by ref. */
  find(occasion: Circumstances): Contender[] {
    this.#searches += 1;
    const found: IndexEntry[] = [];
    const { itemKeys, categoryKeys } = occasion.cart;
    this.#collect(this.#everywhere, occasion, found);
    for (let at = 0; at < itemKeys.length; at += 1) {
      const key = itemKeys[at] ?? UNKNOWN_KEY;
      if (key !== UNKNOWN_KEY) this.#collect(this.#byItem[key], occasion, found);
    }
    for (let at = 0; at < categoryKeys.length; at += 1) {
      const key = categoryKeys[at] ?? UNKNOWN_KEY;
      if (key !== UNKNOWN_KEY) this.#collect(this.#byCategory[key], occasion, found);
    }
    const { tags, level } = occasion.facts;
    for (const tag of tags ?? []) this.#collect(this.#byTag.get(tag), occasion, found);
    if (level !== undefined) this.#collect(this.#byTag.get(level), occasion, found);
    return found.sort(byRef).map(({ contender }) => contender);
  }

  #collect(posting: Posting | undefined, occasion: Circumstances, found: IndexEntry[]): void {
    if (posting === undefined || posting.seenIn === this.#searches) return;
    posting.seenIn = this.#searches;
    const { cart, facts, atMs } = occasion;
    for (const entry of posting.validAt(atMs)) {
      if (entry.seenIn === this.#searches) continue;
      entry.seenIn = this.#searches;
      if (isWorthALook(entry, cart, facts)) found.push(entry);
    }
  }
}

function isWorthALook(entry: IndexEntry, cart: PreparedCart, facts: UserFacts): boolean {
  if (entry.anyOfTags !== undefined && !sharesTag(entry.anyOfTags, facts)) return false;
  const { requiredKeys } = entry.promotion;
  return requiredKeys.length < 2 || requiredKeys.every((keys) => isPresent(keys, 'any', cart));
}

function sharesTag(wanted: ReadonlySet<string>, facts: UserFacts): boolean {
  if (facts.tags === undefined && facts.level === undefined) return false;
  for (const tag of wanted) if (hasTag(facts, tag)) return true;
  return false;
}

function shortest(lists: readonly SelectionKeys[]): SelectionKeys | undefined {
  const lengthOf = ({ items, categories }: SelectionKeys): number => items.length + categories.length;
  return lists.reduce<SelectionKeys | undefined>(
    (best, keys) => (best === undefined || lengthOf(keys) < lengthOf(best) ? keys : best),
    undefined,
  );
}

function postingUnder(postings: Map<string, Posting>, key: string): Posting {
  const known = postings.get(key);
  if (known !== undefined) return known;
  const posting = new Posting();
  postings.set(key, posting);
  return posting;
}

/** Fills the list up to the number, so that it stays without holes and quick to read. */
function postingAt(postings: Posting[], key: number): Posting {
  while (postings.length < key) postings.push(new Posting());
  const posting = postings[key] ?? new Posting();
  postings[key] = posting;
  return posting;
}

function byRef(left: IndexEntry, right: IndexEntry): number {
  return left.ref - right.ref;
}
