import type { CompiledPromotion } from '../compiled-promotion.ts';
import type { Contender } from '../contender.ts';

/** An automatic promotion as the index holds it. */
export interface IndexEntry {
  /** The promotion's, by which what is found is put in order. */
  readonly ref: number;
  readonly promotion: CompiledPromotion;
  readonly contender: Contender;
  /** First and last valid instant; infinite where there is none. */
  readonly startsAtMs: number;
  readonly endsAtMs: number;
  /** The user needs one of these; absent: no matter who. */
  readonly anyOfTags?: ReadonlySet<string>;
  /** Number of the last search that met it, so that no search takes it twice. */
  seenIn: number;
}

/**
 * The promotions that one key leads to. It remembers those that are valid now, and from when until when that stays so: time
 * moves on slowly compared with requests, so promotions that are over or have not begun cost nothing.
 */
export class Posting {
  /** Number of the last search that came here. */
  seenIn = 0;
  #entries: readonly IndexEntry[] = [];
  #added: IndexEntry[] = [];
  #valid: readonly IndexEntry[] = [];
  /** The first and the last instant at which exactly `#valid` are valid; none after a change. */
  #fromMs = Infinity;
  #untilMs = -Infinity;

  add(entry: IndexEntry): void {
    this.#added.push(entry);
  }

  /** Takes the gone entries out and the added ones in. */
  settle(gone: ReadonlySet<IndexEntry>): void {
    this.#entries = [...this.#entries, ...this.#added].filter((entry) => !gone.has(entry));
    this.#added = [];
    this.#fromMs = Infinity;
    this.#untilMs = -Infinity;
  }

  /** The entries that are valid at this instant. */
  validAt(atMs: number): readonly IndexEntry[] {
    if (atMs < this.#fromMs || atMs > this.#untilMs) this.#lookAt(atMs);
    return this.#valid;
  }

  #lookAt(atMs: number): void {
    const valid: IndexEntry[] = [];
    let fromMs = -Infinity;
    let untilMs = Infinity;
    for (const entry of this.#entries) {
      if (entry.startsAtMs > atMs) {
        untilMs = Math.min(untilMs, entry.startsAtMs - 1);
      } else if (entry.endsAtMs < atMs) {
        fromMs = Math.max(fromMs, entry.endsAtMs + 1);
      } else {
        fromMs = Math.max(fromMs, entry.startsAtMs);
        untilMs = Math.min(untilMs, entry.endsAtMs);
        valid.push(entry);
      }
    }
    this.#valid = valid;
    this.#fromMs = fromMs;
    this.#untilMs = untilMs;
  }
}
