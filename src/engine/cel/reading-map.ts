import type { CelInput } from '@bufbuild/cel';

/** The keys a map may have; one whose value is undefined is not in it. */
export interface PossibleKeys {
  keys(): Iterable<string>;
}

/** Gives the value of a key; undefined when there is none. */
export type Reader = (key: string) => CelInput | undefined;

/** A map whose values are made when they are read: an expression reads a few fields of a line, not all. */
export class ReadingMap implements ReadonlyMap<string, CelInput> {
  readonly #possible: PossibleKeys;
  readonly #read: Reader;

  constructor(possible: PossibleKeys, read: Reader) {
    this.#possible = possible;
    this.#read = read;
  }

  get(key: string): CelInput | undefined {
    return this.#read(key);
  }

  has(key: string): boolean {
    return this.#read(key) !== undefined;
  }

  get size(): number {
    return [...this.entries()].length;
  }

  *entries(): MapIterator<[string, CelInput]> {
    for (const key of this.#possible.keys()) {
      const value = this.#read(key);
      if (value !== undefined) yield [key, value];
    }
  }

  *keys(): MapIterator<string> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<CelInput> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[string, CelInput]> {
    return this.entries();
  }

  forEach(visit: (value: CelInput, key: string, map: ReadonlyMap<string, CelInput>) => void): void {
    for (const [key, value] of this.entries()) visit(value, key, this);
  }
}
