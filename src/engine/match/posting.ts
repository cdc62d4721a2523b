import type { CompiledPromotion } from '../compiled-promotion.ts';

/** An automatic promotion as the index holds it. */
export interface IndexEntry {
  readonly promotion: CompiledPromotion;
  /** First and last valid instant; infinite where there is none. */
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  /** The user needs one of these; absent: no matter who. */
  readonly anyOfTags?: ReadonlySet<string>;
  /** Number of the last search that met it, so that no search takes it twice. */
  seenIn: number;
}

/**
 * The promotions that one key leads to, those that end last first: a search stops at the first one that is over, so what is
 * over costs nothing.
 */
export class Posting {
  #entries: readonly IndexEntry[] = [];
  #added: IndexEntry[] = [];

  /** The entries, after `settle`. */
  get entries(): readonly IndexEntry[] {
    return this.#entries;
  }

  add(entry: IndexEntry): void {
    this.#added.push(entry);
  }

  /** Takes the gone entries out and the added ones in. */
  settle(gone: ReadonlySet<IndexEntry>): void {
    const kept = [...this.#entries, ...this.#added].filter((entry) => !gone.has(entry));
    this.#entries = kept.sort(byEndDescending);
    this.#added = [];
  }
}

function byEndDescending(left: IndexEntry, right: IndexEntry): number {
  if (left.endsAtMs === right.endsAtMs) return left.promotion.definition.ref - right.promotion.definition.ref;
  return left.endsAtMs > right.endsAtMs ? -1 : 1;
}
