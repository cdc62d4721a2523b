/** How a field looks in TypeScript and which reader and writer methods carry it. */
import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { isKeptSafe } from './safe-integers.ts';
import { UnsupportedError } from './unsupported.ts';

/** A moment; seconds and nanoseconds since 1970. */
export const TIMESTAMP = 'google.protobuf.Timestamp';
/** A span; seconds and nanoseconds. */
export const DURATION = 'google.protobuf.Duration';

/**
 * `decode`: objects made from bytes; 64-bit numbers are numbers where the rules of the contract keep them safe, and bigints
 * otherwise. `encode`: objects that become bytes; in them times are plain milliseconds, and 64-bit numbers safe integers.
 */
export type Direction = 'decode' | 'encode';

/** Whether a nested message comes as bytes; see `HotModule.encodedFields`. */
export type IsEncoded = (field: DescField) => boolean;

/** What a value of a scalar or enum type is in TypeScript and on the wire. */
export interface ScalarShape {
  readonly type: string;
  readonly zero: string;
  /** The method of WireReader and WireWriter. */
  readonly method: string;
  readonly wireType: 0 | 2;
}

const SHAPES = new Map<ScalarType, ScalarShape>([
  [ScalarType.STRING, { type: 'string', zero: "''", method: 'string', wireType: 2 }],
  [ScalarType.BYTES, { type: 'Uint8Array', zero: 'new Uint8Array(0)', method: 'bytes', wireType: 2 }],
  [ScalarType.BOOL, { type: 'boolean', zero: 'false', method: 'bool', wireType: 0 }],
  [ScalarType.INT32, { type: 'number', zero: '0', method: 'int32', wireType: 0 }],
  [ScalarType.UINT32, { type: 'number', zero: '0', method: 'uint32', wireType: 0 }],
  [ScalarType.INT64, { type: 'bigint', zero: '0n', method: 'int64', wireType: 0 }],
  [ScalarType.UINT64, { type: 'bigint', zero: '0n', method: 'uint64', wireType: 0 }],
]);

const SAFE_SHAPES = new Map<ScalarType, ScalarShape>([
  [ScalarType.INT64, { type: 'number', zero: '0', method: 'safeInt64', wireType: 0 }],
  [ScalarType.UINT64, { type: 'number', zero: '0', method: 'safeUint64', wireType: 0 }],
]);

const ENUM_SHAPE: ScalarShape = { type: 'number', zero: '0', method: 'int32', wireType: 0 };

/** The shape of a scalar or enum, by itself or as element of a list or map. Throws when there is none. */
export function scalarShape(field: DescField, direction: Direction): ScalarShape {
  if (field.enum !== undefined) {
    if (!field.enum.open) throw new UnsupportedError(field, 'closed enums');
    return ENUM_SHAPE;
  }
  const { scalar } = field;
  const isSafe = direction === 'encode' || isKeptSafe(field);
  const shape =
    scalar === undefined ? undefined : ((isSafe ? SAFE_SHAPES.get(scalar) : undefined) ?? SHAPES.get(scalar));
  if (shape === undefined) throw new UnsupportedError(field, 'this scalar type');
  if ('longAsString' in field && field.longAsString) throw new UnsupportedError(field, 'jstype');
  if (shape.method === 'string' && !field.utf8Validation)
    throw new UnsupportedError(field, 'unverified UTF-8');
  return shape;
}

/** Whether a field or element is a time that `encode` takes as milliseconds. */
export function isTime(message: DescMessage): boolean {
  return message.typeName === TIMESTAMP || message.typeName === DURATION;
}

/** The TypeScript type of one value of the field: the value itself, or an element of its list or map. */
export function elementType(field: DescField, direction: Direction, isEncoded: IsEncoded): string {
  if (isEncoded(field)) return 'Uint8Array';
  if (field.message !== undefined) {
    return direction === 'encode' && isTime(field.message) ? 'number' : field.message.name;
  }
  return field.enum !== undefined && direction === 'encode'
    ? field.enum.name
    : scalarShape(field, direction).type;
}

/** The field's property in an interface, with its comment. */
export function propertySource(field: DescField, direction: Direction, isEncoded: IsEncoded): string {
  const readonly = direction === 'encode' ? 'readonly ' : '';
  const type = elementType(field, direction, isEncoded);
  const comment =
    direction === 'encode' && field.message && isTime(field.message) ? timeComment(field.message) : '';
  switch (field.fieldKind) {
    case 'list':
      return `${comment}  ${readonly}${field.localName}: ${readonly}${type}[];`;
    case 'map':
      if (field.mapKey !== ScalarType.STRING || field.message) throw new UnsupportedError(field, 'this map');
      return `  ${readonly}${field.localName}: ${direction === 'encode' ? `Readonly<Record<string, ${type}>>` : `Record<string, ${type}>`};`;
    default:
      return isOptional(field)
        ? `${comment}  ${readonly}${field.localName}?: ${type} | undefined;`
        : `${comment}  ${readonly}${field.localName}: ${type};`;
  }
}

function timeComment(message: DescMessage): string {
  return message.typeName === TIMESTAMP ? '  /** Milliseconds since 1970. */\n' : '  /** Milliseconds. */\n';
}

/** Whether a singular field may be absent: messages, and scalars marked `optional`. */
export function isOptional(field: DescField): boolean {
  if (field.fieldKind === 'message') return true;
  return (field.fieldKind === 'scalar' || field.fieldKind === 'enum') && field.proto.proto3Optional;
}
