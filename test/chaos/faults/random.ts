/** Chance that a seed repeats. */

/** Draws of one run, all from its seed. */
export interface Random {
  /** 0 ≤ x < 1. */
  next(): number;
  /** A whole number, both ends possible. */
  between(least: number, most: number): number;
  /** One of them; throws when there are none. */
  pick<Item>(items: readonly Item[]): Item;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** Draws of their own for one part of the run, so that the others' number of draws does not matter. */
  fork(name: string): Random;
}

const UINT32 = 2 ** 32;

/** Draws that follow from a seed and a name. */
export function createRandom(seed: number, name = ''): Random {
  let state = hash(`${seed}/${name}`);
  // mulberry32: small, even enough for choosing faults, and the same on every machine.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / UINT32;
  };
  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1));
  return {
    next,
    between,
    pick(items) {
      const item = items[between(0, items.length - 1)];
      if (item === undefined) throw new RangeError('nothing to choose from');
      return item;
    },
    chance: (probability) => next() < probability,
    fork: (child) => createRandom(seed, `${name}/${child}`),
  };
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}
