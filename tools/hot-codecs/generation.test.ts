import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DescMessage } from '@bufbuild/protobuf';
import { pathToString } from '@bufbuild/protobuf/reflect';
import { createValidator } from '@bufbuild/protovalidate';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ODD_NANOS } from '../../src/wire/checks.ts';
import { compileProto } from './compile-proto.ts';
import { emittedDecoder } from './emitted-module.ts';
import { HOT_MODULES } from './hot-modules.ts';
import { moduleSource } from './module-source.ts';
import { messages } from './random-messages.ts';
import { UnsupportedError } from './unsupported.ts';

test.each(HOT_MODULES)('$file is what the contract gives now', (module) => {
  expect(moduleSource(module)).toBe(readFileSync(join('src/gen/hot', module.file), 'utf8'));
});

const Violations = z.array(z.object({ field: z.string(), description: z.string() }));

const SUPPORTED = `
enum Color { COLOR_UNSPECIFIED = 0; COLOR_RED = 1; COLOR_BLUE = 5; }
message Inner { string name = 1 [(buf.validate.field).string.min_len = 2]; }
message Everything {
  int32 a = 1 [(buf.validate.field).int32 = {gte: 1, lte: 9}];
  uint32 b = 2 [(buf.validate.field).uint32.gt = 3];
  int64 c = 3 [(buf.validate.field).int64 = {gt: -5, lt: 9007199254740992}];
  uint64 d = 4 [(buf.validate.field).uint64.lte = 100];
  optional int32 e = 5 [(buf.validate.field).int32.gte = 1];
  int32 f = 6 [(buf.validate.field).ignore = IGNORE_IF_ZERO_VALUE, (buf.validate.field).int32.gte = 5];
  string g = 7 [(buf.validate.field).required = true, (buf.validate.field).string.max_len = 5];
  string h = 8 [(buf.validate.field).ignore = IGNORE_ALWAYS, (buf.validate.field).string.min_len = 5];
  bytes i = 9 [(buf.validate.field).bytes = {min_len: 2, max_len: 10}];
  Color j = 10 [(buf.validate.field).enum = {defined_only: true, not_in: [0]}];
  Color k = 11 [(buf.validate.field).enum = {in: [1, 5]}];
  repeated int32 l = 12 [(buf.validate.field).repeated = {unique: true, min_items: 1, max_items: 2, items: {int32: {gte: 0}}}];
  repeated Color m = 13 [(buf.validate.field).repeated.items.enum.defined_only = true];
  map<string, int32> n = 14 [(buf.validate.field).map = {min_pairs: 1, max_pairs: 2}];
  Inner o = 15 [(buf.validate.field).required = true];
  repeated Inner p = 16 [(buf.validate.field).ignore = IGNORE_IF_ZERO_VALUE, (buf.validate.field).repeated.min_items = 2];
  oneof kind {
    option (buf.validate.oneof).required = true;
    Inner q = 17;
    string r = 18 [(buf.validate.field).string.pattern = "^[a-c]/x+$"];
    int64 s = 19 [(buf.validate.field).int64.gte = 7];
  }
  google.protobuf.Timestamp t = 20 [(buf.validate.field).timestamp.gte = {seconds: 100}];
  optional bool u = 21 [(buf.validate.field).required = true];
  repeated string v = 22 [(buf.validate.field).required = true];
  bool w = 23 [(buf.validate.field).required = true];
}`;

test.each([
  { field: 'c', type: 'number' },
  { field: 'd', type: 'number' },
  { field: 's', type: 'bigint' },
])('the 64-bit field $field is a $type, as its rules allow', ({ field, type }) => {
  const desc = compileProto(SUPPORTED).get('Everything') ?? expect.fail();
  const source = moduleSource({ file: '', direction: 'decode', messages: [desc], checked: true });
  expect(source).toMatch(new RegExp(`(?: ${field}: |case: '${field}'; value: )${type}\\b`));
});

test('every supported rule says what protovalidate says', async () => {
  const desc = compileProto(SUPPORTED).get('Everything') ?? expect.fail();
  const violationsOf = (await emittedDecoder(desc, true)).get('violationsOfEverything') ?? expect.fail();
  const validator = createValidator();
  const violated = new Set<string>();
  fc.assert(
    fc.property(messages(desc), (message) => {
      const result = validator.validate(desc, message);
      const theirs = result.kind === 'invalid' ? result.violations : [];
      const expected = theirs.map((violation) => ({
        field: pathToString(violation.field),
        description: violation.message,
      }));
      expect(result.kind).not.toBe('error');
      const found = Violations.parse(violationsOf(message as never));
      expect(found.filter(({ description }) => description !== ODD_NANOS)).toEqual(expected);
      for (const { field } of expected) violated.add(field.charAt(0));
    }),
    { numRuns: 600 },
  );
  const unruled = ['h', 'q', 'r', 's'];
  for (const field of desc.fields) if (!unruled.includes(field.name)) expect(violated).toContain(field.name);
});

const REFUSED: readonly { what: string; declarations: string }[] = [
  {
    what: 'a CEL rule on a message',
    declarations: 'message M { option (buf.validate.message).cel_expression = "this.a > 0"; int32 a = 1; }',
  },
  {
    what: 'a CEL rule on a field',
    declarations: 'message M { int32 a = 1 [(buf.validate.field).cel_expression = "this > 0"]; }',
  },
  {
    what: 'a CEL rule on elements',
    declarations:
      'message M { repeated int32 a = 1 [(buf.validate.field).repeated.items.cel_expression = "this > 0"]; }',
  },
  {
    what: 'a oneof rule on a message',
    declarations: 'message M { option (buf.validate.message).oneof = {fields: ["a"]}; int32 a = 1; }',
  },
  {
    what: 'a CEL rule in a nested message',
    declarations:
      'message N { int32 a = 1 [(buf.validate.field).cel_expression = "this > 0"]; } message M { repeated N n = 1; }',
  },
  {
    what: 'a string format',
    declarations: 'message M { string a = 1 [(buf.validate.field).string.email = true]; }',
  },
  {
    what: 'a length in bytes',
    declarations: 'message M { string a = 1 [(buf.validate.field).string.max_bytes = 5]; }',
  },
  {
    what: 'a constant number',
    declarations: 'message M { int32 a = 1 [(buf.validate.field).int32.const = 5]; }',
  },
  {
    what: 'a range turned inside out',
    declarations: 'message M { int32 a = 1 [(buf.validate.field).int32 = {gt: 9, lt: 1}]; }',
  },
  {
    what: 'rules of a bool',
    declarations: 'message M { bool a = 1 [(buf.validate.field).bool.const = true]; }',
  },
  {
    what: 'rules relative to now',
    declarations:
      'message M { google.protobuf.Timestamp a = 1 [(buf.validate.field).timestamp.lt_now = true]; }',
  },
  {
    what: 'an open bound of a time',
    declarations:
      'message M { google.protobuf.Timestamp a = 1 [(buf.validate.field).timestamp.gt = {seconds: 1}]; }',
  },
  {
    what: 'ignored elements',
    declarations:
      'message M { repeated int32 a = 1 [(buf.validate.field).repeated.items = {ignore: IGNORE_IF_ZERO_VALUE, int32: {gte: 1}}]; }',
  },
  {
    what: 'rules of map keys',
    declarations:
      'message M { map<string, int32> a = 1 [(buf.validate.field).map.keys.string.min_len = 1]; }',
  },
  {
    what: 'rules of map values',
    declarations: 'message M { map<string, int32> a = 1 [(buf.validate.field).map.values.int32.gte = 1]; }',
  },
  {
    what: 'unique bytes',
    declarations: 'message M { repeated bytes a = 1 [(buf.validate.field).repeated.unique = true]; }',
  },
  {
    what: 'a pattern with an escape',
    declarations: 'message M { string a = 1 [(buf.validate.field).string.pattern = "^\\\\d+$"]; }',
  },
  {
    what: 'a pattern with a wildcard',
    declarations: 'message M { string a = 1 [(buf.validate.field).string.pattern = "^.+$"]; }',
  },
  {
    what: 'a pattern with a negated class',
    declarations: 'message M { string a = 1 [(buf.validate.field).string.pattern = "^[^a]$"]; }',
  },
  {
    what: 'a pattern that can explode',
    declarations: 'message M { string a = 1 [(buf.validate.field).string.pattern = "^(a+)+$"]; }',
  },
  { what: 'a floating-point number', declarations: 'message M { double a = 1; }' },
  { what: 'a map by number', declarations: 'message M { map<int32, string> a = 1; }' },
  { what: 'a map of messages', declarations: 'message N {} message M { map<string, N> a = 1; }' },
  { what: 'a recursive message', declarations: 'message M { M a = 1; }' },
  { what: 'a library message', declarations: 'message M { google.protobuf.FieldMask a = 1; }' },
  { what: 'a number as text', declarations: 'message M { int64 a = 1 [jstype = JS_STRING]; }' },
];

test.each(['M.b', 'M.c', 'a'])('generation stops at sharing %s, which is no text', (name) => {
  const desc = compileProto('message M { string a = 1; int32 b = 2; }').get('M') ?? expect.fail();
  const module = { file: '', direction: 'decode', messages: [desc], checked: true } as const;
  expect(moduleSource({ ...module, sharedTexts: ['M.a'] })).toContain('sharedString');
  expect(() => moduleSource({ ...module, sharedTexts: [name] })).toThrow(UnsupportedError);
});

test.each(REFUSED)('generation stops at $what', ({ declarations }) => {
  const desc: DescMessage = compileProto(declarations).get('M') ?? expect.fail();
  const generate = (): string =>
    moduleSource({ file: '', direction: 'decode', messages: [desc], checked: true });
  expect(generate).toThrow(UnsupportedError);
});
