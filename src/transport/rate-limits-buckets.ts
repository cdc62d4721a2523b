/**
 * Token buckets for any number of names in constant memory: a name has a slot in each of two rows, by a hash that nobody outside
 * knows, and is refused when it is short of tokens in both. Two names share both slots once in billions of pairs. A limit never
 * comes out higher than stated; it comes out lower only for a name whose two slots are both used up by others.
 */
import { randomInt } from 'node:crypto';
import { BUCKET_SLOTS, DEFAULT_BURST_SECONDS } from './security-limits.ts';

const MS_PER_SECOND = 1000;
const FNV_PRIME = 0x01000193;
const MAX_SEED = 0x7fffffff;

/** One row of slots: tokens spent, and when they were last counted, by slot. */
class Row {
  readonly #seed: number;
  /** Tokens short of a full bucket. */
  readonly #spent = new Float64Array(BUCKET_SLOTS);
  readonly #countedAtMs = new Float64Array(BUCKET_SLOTS);

  constructor(seed: number) {
    this.#seed = seed;
  }

  slotOf(name: string): number {
    let hash = this.#seed;
    for (let index = 0; index < name.length; index += 1)
      hash = Math.imul(hash ^ name.charCodeAt(index), FNV_PRIME);
    hash ^= hash >>> 15;
    return Math.imul(hash, 0x2c1b3c6d) >>> 16;
  }

  /** Tokens short of a full bucket now, before this call. */
  spentAt(slot: number, nowMs: number, tokensPerMs: number): number {
    const since = Math.max(0, nowMs - (this.#countedAtMs[slot] ?? 0));
    const spent = Math.max(0, (this.#spent[slot] ?? 0) - since * tokensPerMs);
    this.#countedAtMs[slot] = nowMs;
    this.#spent[slot] = spent;
    return spent;
  }

  spend(slot: number): void {
    this.#spent[slot] = (this.#spent[slot] ?? 0) + 1;
  }
}

/** How often a name may call. */
export interface Rate {
  readonly perSecond: number;
  /** Calls at once after a pause; 0 = two seconds of them. */
  readonly burst: number;
}

/** The buckets of one kind of name. */
export class TokenBuckets {
  readonly perSecond: number;
  readonly #tokensPerMs: number;
  readonly #burst: number;
  readonly #rows: readonly [Row, Row];

  /** Seeds are chosen by chance unless a test brings its own. */
  constructor({ perSecond, burst }: Rate, seeds = [randomInt(MAX_SEED), randomInt(MAX_SEED)]) {
    this.perSecond = perSecond;
    this.#tokensPerMs = perSecond / MS_PER_SECOND;
    this.#burst = Math.max(1, burst === 0 ? perSecond * DEFAULT_BURST_SECONDS : burst);
    this.#rows = [new Row(seeds[0] ?? 0), new Row(seeds[1] ?? 1)];
  }

  /**
   * Takes a token.
   *
   * @returns 0 when there was one; otherwise the time until there is one, in milliseconds, and nothing was taken.
   */
  take(name: string, nowMs: number): number {
    const [first, second] = this.#rows;
    const [here, there] = [first.slotOf(name), second.slotOf(name)];
    const spent = Math.min(
      first.spentAt(here, nowMs, this.#tokensPerMs),
      second.spentAt(there, nowMs, this.#tokensPerMs),
    );
    const short = spent + 1 - this.#burst;
    if (short > 0) return Math.max(1, Math.ceil(short / this.#tokensPerMs));
    first.spend(here);
    second.spend(there);
    return 0;
  }
}
