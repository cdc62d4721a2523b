/** The sizes of one evaluation: lines of the cart, the most categories of a line, the user's tags, the most attributes. */
export interface CollectionSizes {
  readonly lines: number;
  readonly categories: number;
  readonly tags: number;
  readonly attributes: number;
}

/** A number that follows from the sizes, never too small: elements of a collection, or steps. */
export type Estimate = (sizes: CollectionSizes) => number;

/** Names of single values, as the CEL library writes them. */
export type ScalarName =
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'null_type'
  | 'google.protobuf.Timestamp'
  | 'google.protobuf.Duration';

/**
 * The type of an expression, known before it runs. `dyn` is a single value of unknown type, such as an attribute; `nothing` is
 * the element of an empty list.
 */
export type ValueType =
  | { readonly kind: 'scalar'; readonly name: ScalarName }
  | { readonly kind: 'list'; readonly element: ValueType; readonly size: Estimate }
  | { readonly kind: 'map'; readonly value: ValueType; readonly size: Estimate }
  | { readonly kind: 'record'; readonly name: string; readonly fields: ReadonlyMap<string, ValueType> }
  | { readonly kind: 'dyn' }
  | { readonly kind: 'nothing' };

const scalar = (name: ScalarName): ValueType => ({ kind: 'scalar', name });

/** The single types. */
export const BOOL = scalar('bool');
/** Whole number. */
export const INT = scalar('int');
/** Text. */
export const STRING = scalar('string');
/** A moment. */
export const TIMESTAMP = scalar('google.protobuf.Timestamp');
/** A single value of unknown type. */
export const DYN: ValueType = { kind: 'dyn' };
/** What an empty list is made of. */
export const NOTHING: ValueType = { kind: 'nothing' };

/** A type in words, for messages. */
export function describeType(type: ValueType): string {
  switch (type.kind) {
    case 'scalar':
      return type.name.replace('google.protobuf.', '').toLowerCase();
    case 'list':
      return `list of ${describeType(type.element)}`;
    case 'map':
      return `map of ${describeType(type.value)}`;
    case 'record':
      return type.name;
    case 'dyn':
      return 'dyn';
    case 'nothing':
      return 'nothing';
  }
}

/** True when a value may be of either type. */
export function isSameType(one: ValueType, other: ValueType): boolean {
  if (one.kind === 'dyn' || other.kind === 'dyn') return isSingle(one) && isSingle(other);
  if (one.kind === 'nothing' || other.kind === 'nothing') return true;
  if (one.kind === 'list' && other.kind === 'list') return isSameType(one.element, other.element);
  if (one.kind === 'map' && other.kind === 'map') return isSameType(one.value, other.value);
  if (one.kind === 'scalar' && other.kind === 'scalar') return one.name === other.name;
  return one === other;
}

function isSingle(type: ValueType): boolean {
  return type.kind === 'scalar' || type.kind === 'dyn';
}

/** The type of a value that is of one of two types; undefined when they have none in common. */
export function joinTypes(one: ValueType, other: ValueType): ValueType | undefined {
  if (one.kind === 'nothing') return other;
  if (other.kind === 'nothing') return one;
  if (one.kind === 'list' && other.kind === 'list') {
    const element = joinTypes(one.element, other.element);
    return element && { kind: 'list', element, size: larger(one.size, other.size) };
  }
  if (isSameType(one, other)) return one.kind === 'dyn' ? one : other;
  return isSingle(one) && isSingle(other) ? DYN : undefined;
}

function larger(one: Estimate, other: Estimate): Estimate {
  return (sizes) => Math.max(one(sizes), other(sizes));
}
