/** Random messages and random bytes for the tests of the generated codecs, driven by descriptors. */
import {
  create,
  type DescField,
  type DescMessage,
  type Message,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf';
import fc from 'fast-check';
import { isKeptSafe } from './safe-integers.ts';

const MAX_ELEMENTS = 3;

const texts = fc.oneof(
  { weight: 5, arbitrary: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,30}$/) },
  { weight: 2, arbitrary: fc.stringMatching(/^[A-Za-z0-9._:@-]{60,70}$/) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 70 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 60, maxLength: 140 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      '\u{feff}bom',
      '\ud800',
      'é'.repeat(64),
      '😀'.repeat(64),
      '😀'.repeat(65),
      '__proto__',
    ),
  },
);

const int32s = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: -3, max: 300 }));
const uint32s = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 300 }));
const int64s = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -3n, max: 300n }),
  fc.constantFrom(253_402_300_799n, 253_402_300_800n, -1n, 2n ** 53n, 2n ** 32n),
);

const uint64s = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom(0n, 1n, 2n ** 53n - 1n, 2n ** 53n),
);
const safeInt64s = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -3, max: 300 })).map(BigInt);
const safeUint64s = fc.oneof(fc.maxSafeNat(), fc.nat(300)).map(BigInt);

/**
 * Random messages of a type: valid ones, invalid ones, and ones at the edges of the rules. `safe`: 64-bit numbers are safe
 * integers, as encoders take them.
 */
export function messages(desc: DescMessage, safe = false): fc.Arbitrary<Message> {
  const members = desc.members.map((member): [string, fc.Arbitrary<unknown>] => [
    member.localName,
    member.kind === 'oneof'
      ? fc.oneof(fc.constant({ case: undefined }), ...member.fields.map((field) => oneofCases(field, safe)))
      : fieldValues(member, safe),
  ]);
  return fc.record(Object.fromEntries(members)).map((values) => create(desc, withoutUndefined(values)));
}

function oneofCases(field: DescField, safe: boolean): fc.Arbitrary<unknown> {
  return elements(field, safe).map((value) => ({ case: field.localName, value }));
}

function fieldValues(field: DescField, safe: boolean): fc.Arbitrary<unknown> {
  switch (field.fieldKind) {
    case 'list':
      return fc.array(elements(field, safe), { maxLength: MAX_ELEMENTS });
    case 'map':
      return fc.dictionary(texts, elements(field, safe), { maxKeys: MAX_ELEMENTS, noNullPrototype: true });
    case 'message':
      return fc.option(elements(field, safe), { nil: undefined });
    default:
      return field.proto.proto3Optional
        ? fc.option(elements(field, safe), { nil: undefined })
        : elements(field, safe);
  }
}

function elements(field: DescField, safe: boolean): fc.Arbitrary<unknown> {
  if (field.message !== undefined) return messages(field.message, safe);
  if (field.enum !== undefined)
    return fc.oneof(fc.constantFrom(...field.enum.values.map(({ number }) => number)), int32s);
  switch (field.scalar) {
    case ScalarType.STRING:
      return texts;
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.INT32:
      return int32s;
    case ScalarType.UINT32:
      return uint32s;
    case ScalarType.INT64:
      return safe ? safeInt64s : int64s;
    case ScalarType.UINT64:
      return safe ? safeUint64s : uint64s;
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 20 });
    default:
      throw new Error(`no random values for ${field}`);
  }
}

function withoutUndefined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** Bytes that look like a message of a type and mostly are not quite one. */
export function hostileBytes(desc: DescMessage): fc.Arbitrary<Uint8Array> {
  const valid = messages(desc).map((message) => toBinary(desc, message));
  return fc.oneof(
    { weight: 4, arbitrary: edited(valid) },
    { weight: 3, arbitrary: fc.tuple(valid, records, valid).map((parts) => Buffer.concat(parts)) },
    { weight: 3, arbitrary: records },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  );
}

function edited(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({ at: fc.nat(), remove: fc.nat(3), insert: fc.uint8Array({ maxLength: 3 }) });
  return fc.tuple(valid, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([bytes, edits]) =>
    edits.reduce<Uint8Array>((current, { at, remove, insert }) => {
      const position = at % (current.length + 1);
      return Buffer.concat([current.subarray(0, position), insert, current.subarray(position + remove)]);
    }, bytes),
  );
}

/** A varint, at times longer than it needs to be, or than it may be. */
const varints = fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 66n }), fc.nat(11)).map(([value, padding]) => {
  const bytes: number[] = [];
  for (let rest = value; rest > 0n || bytes.length === 0; rest >>= 7n)
    bytes.push(Number(rest & 0x7fn) | 0x80);
  for (let count = 0; count < padding - 8; count++) bytes.push(0x80);
  bytes.push((bytes.pop() ?? 0) & 0x7f);
  return Uint8Array.from(bytes);
});
const smallVarints = fc.nat(127).map((value) => Uint8Array.of(value));

/** Wire records: known and unknown fields of every wire type, groups and nested messages. */
const records: fc.Arbitrary<Uint8Array> = fc.letrec<{ record: Uint8Array; list: Uint8Array }>((tie) => ({
  record: fc.oneof(
    { maxDepth: 4 },
    fc.tuple(tags(0), fc.oneof(varints, smallVarints)).map((parts) => Buffer.concat(parts)),
    fc.tuple(tags(1), fc.uint8Array({ minLength: 8, maxLength: 8 })).map((parts) => Buffer.concat(parts)),
    fc.tuple(tags(5), fc.uint8Array({ minLength: 4, maxLength: 4 })).map((parts) => Buffer.concat(parts)),
    fc.tuple(tags(2), texts).map(([tag, text]) => Buffer.concat([tag, sized(Buffer.from(text))])),
    fc
      .tuple(tags(2), fc.uint8Array({ maxLength: 6 }))
      .map(([tag, bytes]) => Buffer.concat([tag, sized(bytes)])),
    fc
      .tuple(fc.nat({ max: 7 }), smallVarints)
      .map(([wireType, bytes]) => Buffer.concat([Uint8Array.of(8 + wireType), bytes])),
    fc.tuple(tags(2), tie('list')).map(([tag, list]) => Buffer.concat([tag, sized(list)])),
    fc
      .tuple(fc.integer({ min: 1, max: 12 }), tie('list'))
      .map(([number, list]) =>
        Buffer.concat([Uint8Array.of(number * 8 + 3), list, Uint8Array.of(number * 8 + 4)]),
      ),
  ),
  list: fc.array(tie('record'), { maxLength: 4 }).map((parts) => Buffer.concat(parts)),
})).list;

function tags(wireType: number): fc.Arbitrary<Uint8Array> {
  return fc.integer({ min: 0, max: 12 }).map((number) => Uint8Array.of(number * 8 + wireType));
}

function sized(bytes: Uint8Array): Uint8Array {
  return bytes.length < 0x80
    ? Buffer.concat([Uint8Array.of(bytes.length), bytes])
    : Buffer.concat([Uint8Array.of((bytes.length & 0x7f) | 0x80, bytes.length >> 7), bytes]);
}

/**
 * What a message holds, whoever made it: known members only, bytes as text, numbers as the hot decoders give them.
 * `plain`: as the hot encoders take it, with times in milliseconds and 64-bit numbers as numbers.
 */
export function contentOf(desc: DescMessage, message: object, plain = false): unknown {
  if (plain && TIMES.has(desc.typeName)) return millisecondsOf(message);
  const values = new Map(Object.entries(message));
  const members = desc.members.map((member) => {
    const value: unknown = values.get(member.localName);
    return [
      member.localName,
      member.kind === 'oneof'
        ? oneofContent(member.fields, value, plain)
        : fieldContent(member, value, plain),
    ];
  });
  return Object.fromEntries(members);
}

const TIMES = new Set(['google.protobuf.Timestamp', 'google.protobuf.Duration']);

function millisecondsOf(time: object): number {
  const { seconds, nanos } = { seconds: 0n, nanos: 0, ...time };
  return Number(seconds) * 1000 + Math.trunc(nanos / 1_000_000);
}

function oneofContent(fields: readonly DescField[], value: unknown, plain: boolean): unknown {
  if (typeof value !== 'object' || value === null || !('case' in value) || !('value' in value))
    return { case: undefined };
  const field = fields.find((candidate) => candidate.localName === value.case);
  return field
    ? { case: field.localName, value: elementContent(field, value.value, plain) }
    : { case: undefined };
}

function fieldContent(field: DescField, value: unknown, plain: boolean): unknown {
  if (field.fieldKind === 'list' && Array.isArray(value))
    return value.map((item) => elementContent(field, item, plain));
  return elementContent(field, value, plain);
}

function elementContent(field: DescField, value: unknown, plain: boolean): unknown {
  if (value instanceof Uint8Array) return plain ? value : Buffer.from(value).toString('hex');
  if (typeof value === 'bigint' && (plain || isKeptSafe(field))) return Number(value);
  const isMessage = field.message !== undefined && typeof value === 'object' && value !== null;
  return isMessage ? contentOf(field.message, value, plain) : value;
}
