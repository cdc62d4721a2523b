/** Random numbers that are the same in every run: rule sets and carts of a benchmark must not differ between runs. */

/** A source of random numbers with a seed. */
export class Dice {
  #state: number;

  /** `seed` is any 32-bit integer. */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A number from 0 (in) to 1 (out); the mixing steps of splitmix32. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let mixed = this.#state ^ (this.#state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return (mixed >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends in. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** One of the values; throws when there are none. */
  pick<T>(values: readonly T[]): T {
    const value = values[this.between(0, values.length - 1)];
    if (value === undefined) throw new Error('nothing to pick from');
    return value;
  }

  /** Whether something with this probability happens. */
  isLucky(probability: number): boolean {
    return this.next() < probability;
  }

  /** Different whole numbers, both ends in. The range must hold that many. */
  several(count: number, low: number, high: number): number[] {
    const chosen = new Set<number>();
    while (chosen.size < count) chosen.add(this.between(low, high));
    return [...chosen];
  }
}
