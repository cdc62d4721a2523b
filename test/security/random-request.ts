/** Random requests of any method, from its descriptor: mostly plausible, with hostile texts and numbers at the edges. */
import {
  create,
  type DescField,
  type DescMessage,
  type JsonValue,
  type Message,
  ScalarType,
  toBinary,
  toJson,
} from '@bufbuild/protobuf';
import type { Dice } from '../../bench/rule-sets/dice.ts';

/** Texts that have broken something somewhere: separators of Redis, SQL, Lua, paths, formats, prototypes, scripts of the world. */
export const HOSTILE_TEXTS: readonly string[] = [
  '',
  '{p0}',
  '}{',
  'a}b{c',
  'line\r\nline',
  '\r\n*1\r\n$8\r\nFLUSHALL\r\n',
  'nul\u0000nul',
  '%s%n%x',
  "' OR '1'='1",
  "'; DROP TABLE coupon; --",
  '$1',
  '\\x00',
  "]] redis.call('flushall') --",
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'toString',
  '\u{feff}bom',
  '\u202edetrevni',
  'é'.repeat(64),
  '😀'.repeat(33),
  'a'.repeat(65),
  'a'.repeat(5_000),
  '(a+)+$',
  'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!',
  '<script>alert(1)</script>',
  '-1',
  '1e309',
  'null',
];

const PLAUSIBLE: Readonly<Record<string, readonly string[]>> = {
  user_id: ['alice', 'bob', 'A.b_c:d@e-1'],
  promotion_id: ['fuzzed', 'no-such-promotion'],
  coupon_id: ['0'.repeat(44), 'f'.repeat(44)],
  coupon_ids: ['0'.repeat(44), 'a1'.repeat(22)],
  order_id: ['order-1', 'order-2'],
  currency: ['CNY', 'USD'],
  time_zone: ['UTC', 'Asia/Shanghai'],
  etag: ['"1"', '"2"'],
  job_id: ['018f2f3e-0000-7000-8000-000000000000'],
  page_token: [''],
  cursor: [''],
  url: ['https://127.0.0.1/hook', 'http://169.254.169.254/latest', 'file:///etc/passwd'],
};

const NUMBERS = [0, 1, 2, 100, -1, 2 ** 31 - 1, -(2 ** 31)];
const BIG_NUMBERS = [0n, 1n, 100n, -1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), 253_402_300_800n];
const TIMES = /^google\.protobuf\.(Timestamp|Duration)$/;
/** Seconds and nanoseconds that each look well and make up no time together. */
const ODD_NANOS = [-1, -(2 ** 31), 2 ** 31 - 1, 1_000_000_000];
const MAX_DEPTH = 6;
const MAX_ELEMENTS = 3;
/** Depth at which a nested message stops a reader that counts. */
const DEEP = 400;

/** A random message; `hostility` is the share of texts that are hostile. */
export function randomMessage(dice: Dice, desc: DescMessage, hostility: number, depth = 0): Message {
  const values: Record<string, unknown> = {};
  for (const member of desc.members) {
    if (member.kind === 'oneof') {
      const field = dice.pick(member.fields);
      if (depth < MAX_DEPTH || field.message === undefined)
        values[member.localName] = { case: field.localName, value: one(dice, field, hostility, depth) };
    } else if (member.proto.proto3Optional ? dice.isLucky(0.4) : depth < MAX_DEPTH) {
      values[member.localName] = fieldValue(dice, member, hostility, depth);
    }
  }
  return create(desc, values);
}

function fieldValue(dice: Dice, field: DescField, hostility: number, depth: number): unknown {
  const several = () =>
    Array.from({ length: dice.between(0, MAX_ELEMENTS) }, () => one(dice, field, hostility, depth));
  if (field.fieldKind === 'list') return several();
  if (field.fieldKind === 'map')
    return Object.fromEntries(several().map((value, index) => [text(dice, 'key', 0.3) + index, value]));
  return field.fieldKind === 'message' && dice.isLucky(0.2) ? undefined : one(dice, field, hostility, depth);
}

function one(dice: Dice, field: DescField, hostility: number, depth: number): unknown {
  if (field.message !== undefined) {
    const isOdd = TIMES.test(field.message.typeName) && dice.isLucky(hostility);
    if (isOdd)
      return create(field.message, { seconds: BigInt(dice.between(0, 3)), nanos: dice.pick(ODD_NANOS) });
    return randomMessage(dice, field.message, hostility, depth + 1);
  }
  if (field.enum !== undefined)
    return dice.isLucky(0.9) ? dice.pick(field.enum.values).number : dice.pick([...NUMBERS, 9_999]);
  switch (field.scalar) {
    case ScalarType.STRING:
      return text(dice, field.name, hostility);
    case ScalarType.BOOL:
      return dice.isLucky(0.5);
    case ScalarType.BYTES:
      return bytes(dice, dice.between(0, 40));
    case ScalarType.INT32:
      return dice.isLucky(0.7) ? dice.between(0, 100) : dice.pick(NUMBERS);
    case ScalarType.UINT32:
      return dice.isLucky(0.7) ? dice.between(0, 100) : Math.abs(dice.pick(NUMBERS));
    case ScalarType.INT64:
      return dice.isLucky(0.7) ? BigInt(dice.between(0, 10_000)) : dice.pick(BIG_NUMBERS);
    case ScalarType.UINT64:
      return dice.isLucky(0.7) ? BigInt(dice.between(0, 10_000)) : BigInt.asUintN(64, dice.pick(BIG_NUMBERS));
    default:
      throw new Error(`no random values for ${field}`);
  }
}

function text(dice: Dice, name: string, hostility: number): string {
  if (dice.isLucky(hostility)) return dice.pick(HOSTILE_TEXTS);
  const known = PLAUSIBLE[name];
  return known === undefined
    ? `${name.slice(0, 20)}-${dice.between(0, 999_999)}`.replaceAll('_', '-')
    : dice.pick(known);
}

/** Random bytes. */
export function bytes(dice: Dice, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => dice.between(0, 255)));
}

/** Bytes that look like a request and mostly are not quite one. */
export function brokenBytes(dice: Dice, desc: DescMessage): Buffer {
  const valid = Buffer.from(toBinary(desc, randomMessage(dice, desc, 0.2)));
  const at = dice.between(0, Math.max(0, valid.length - 1));
  switch (dice.between(0, 6)) {
    case 0:
      return bytes(dice, dice.between(0, 60));
    case 1:
      return valid.subarray(0, at);
    case 2:
      valid[at] = dice.between(0, 255);
      return valid;
    case 3:
      return Buffer.concat([valid.subarray(0, at), bytes(dice, 5), valid.subarray(at)]);
    case 4:
      return Buffer.concat([valid, valid]);
    case 5:
      return nested(dice.between(1, 20), DEEP);
    default:
      // An unknown field that says it is longer than everything.
      return Buffer.concat([valid, Buffer.from('fa3fffffffff0f', 'hex')]);
  }
}

/** A message inside itself, over and over, in one field. */
function nested(fieldNumber: number, depth: number): Buffer {
  let inner = Buffer.alloc(0);
  for (let level = 0; level < depth; level += 1) {
    const length = inner.length < 0x80 ? [inner.length] : [(inner.length & 0x7f) | 0x80, inner.length >> 7];
    inner = Buffer.concat([
      Buffer.from(fieldNumber < 16 ? [(fieldNumber << 3) | 2, ...length] : [0xa2, 0x01, ...length]),
      inner,
    ]);
  }
  return inner;
}

/** JSON that looks like a request and mostly is not quite one, as text. */
export function brokenJson(dice: Dice, desc: DescMessage): string {
  const json = validJson(dice, desc);
  const whole = JSON.stringify(json);
  switch (dice.between(0, 6)) {
    case 0:
      return whole.slice(0, dice.between(0, whole.length));
    case 1:
      return whole.replace(
        /^\{/,
        '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}},',
      );
    case 2:
      return whole.replaceAll(/"[^"]*"(?=[,}\]])/g, () =>
        dice.pick(['1e400', '{}', '[]', 'null', '-0', '""']),
      );
    case 3:
      return '['.repeat(DEEP * 10);
    case 4:
      return whole.replace(/\{/, '{"noSuchField":1,');
    case 5:
      return dice.pick(['null', '0', '"x"', '[]', '{"a":', '\u0000', '{"\\u005f_proto__":1}', '{}{}']);
    default:
      return whole;
  }
}

/** What cannot be written as JSON (an unknown enum is fine, a lone surrogate is not) becomes an empty request. */
function validJson(dice: Dice, desc: DescMessage): JsonValue {
  try {
    return toJson(desc, randomMessage(dice, desc, 0.3));
  } catch {
    return {};
  }
}
