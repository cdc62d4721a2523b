/**
 * An immutable map that takes a small change without copying everything: a large base and a small layer on top.
 *
 * The rule set holds up to 100,000 promotions and is replaced as a whole at each change; copying such a map takes
 * milliseconds in which no request is served. The layer is folded into the base when it has grown.
 */
export class LayeredMap<Key, Value> {
  private readonly base: ReadonlyMap<Key, Value>;
  /** New values; undefined marks a removed key. */
  private readonly layer: ReadonlyMap<Key, Value | undefined>;
  readonly size: number;

  private constructor(
    base: ReadonlyMap<Key, Value>,
    layer: ReadonlyMap<Key, Value | undefined>,
    size: number,
  ) {
    this.base = base;
    this.layer = layer;
    this.size = size;
  }

  /** A map without entries. */
  static empty<Key, Value>(): LayeredMap<Key, Value> {
    return new LayeredMap<Key, Value>(new Map(), new Map(), 0);
  }

  get(key: Key): Value | undefined {
    return this.layer.has(key) ? this.layer.get(key) : this.base.get(key);
  }

  /** Every value, in no stated order. */
  *values(): IterableIterator<Value> {
    for (const [key, value] of this.base) if (!this.layer.has(key)) yield value;
    for (const value of this.layer.values()) if (value !== undefined) yield value;
  }

  /** This map with the given entries set; an undefined value removes its key. The map itself stays as it was. */
  with(changes: Iterable<readonly [Key, Value | undefined]>): LayeredMap<Key, Value> {
    const layer = new Map(this.layer);
    let size = this.size;
    for (const [key, value] of changes) {
      const before = layer.has(key) ? layer.get(key) : this.base.get(key);
      size += Number(value !== undefined) - Number(before !== undefined);
      layer.set(key, value);
    }
    return isGrown(layer.size, this.base.size)
      ? new LayeredMap<Key, Value>(folded(this.base, layer), new Map(), size)
      : new LayeredMap<Key, Value>(this.base, layer, size);
  }
}

const LAYER_MINIMUM = 64;

/** Folding costs the size of the base, each change the size of the layer: the square root balances the two. */
function isGrown(layerSize: number, baseSize: number): boolean {
  return layerSize > Math.max(LAYER_MINIMUM, 4 * Math.sqrt(baseSize));
}

function folded<Key, Value>(
  base: ReadonlyMap<Key, Value>,
  layer: ReadonlyMap<Key, Value | undefined>,
): ReadonlyMap<Key, Value> {
  const result = new Map(base);
  for (const [key, value] of layer) {
    if (value === undefined) result.delete(key);
    else result.set(key, value);
  }
  return result;
}
