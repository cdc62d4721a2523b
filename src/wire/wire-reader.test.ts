import { describe, expect, test } from 'vitest';
import { MalformedMessageError, WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

const EDGES = [0, 1, 127, 128, 16_383, 16_384, 2 ** 28 - 1, 2 ** 28, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];

function written(write: (writer: WireWriter) => void): Buffer {
  const writer = new WireWriter();
  writer.start();
  write(writer);
  return writer.finish();
}

describe('safe integers', () => {
  test.each(EDGES)('%d is read as it was written', (value) => {
    expect(new WireReader(written((writer) => writer.safeUint64(value))).safeUint64()).toBe(value);
    expect(new WireReader(written((writer) => writer.safeInt64(value))).safeInt64()).toBe(value);
  });

  test.each(EDGES.slice(1))('-%d is read as it was written', (value) => {
    const bytes = written((writer) => writer.safeInt64(-value));
    expect(bytes.length).toBe(10);
    expect(new WireReader(bytes).safeInt64()).toBe(-value);
    expect(new WireReader(bytes).int64()).toBe(BigInt(-value));
  });

  test.each([2 ** 53, -(2 ** 53), 0.5, Number.NaN, Number.POSITIVE_INFINITY])(
    '%d is not written',
    (value) => {
      expect(() => written((writer) => writer.safeInt64(value))).toThrow(RangeError);
      expect(() => written((writer) => writer.safeUint64(value))).toThrow(RangeError);
    },
  );

  test('a negative number is not written without a sign', () => {
    expect(() => written((writer) => writer.safeUint64(-1))).toThrow(RangeError);
  });

  test.each([
    { bytes: [...Array<number>(9).fill(0xff), 0x01], signed: -1, unsigned: 2 ** 64 },
    { bytes: [...Array<number>(8).fill(0xff), 0x7f], signed: 2 ** 63, unsigned: 2 ** 63 },
  ])('a number beyond is read as the nearest one: $signed, $unsigned', ({ bytes, signed, unsigned }) => {
    expect(new WireReader(Uint8Array.from(bytes)).safeInt64()).toBe(signed);
    expect(new WireReader(Uint8Array.from(bytes)).safeUint64()).toBe(unsigned);
  });

  test('a number that ends early is refused', () => {
    const reader = new WireReader(Uint8Array.of(0x80, 0x80));
    expect(() => reader.safeInt64()).toThrow(MalformedMessageError);
  });
});

describe('shared texts', () => {
  const read = (text: string): string =>
    new WireReader(written((writer) => writer.string(text))).sharedString();

  test.each(['', 'a', 'item-4711', 'x'.repeat(32), 'x'.repeat(33), '烤鸭', 'café', '\u{feff}bom', '\0'])(
    '%j is read as it was written, every time',
    (text) => {
      expect([read(text), read(text), read(text)]).toEqual([text, text, text]);
    },
  );

  test('many texts are each read as they were written, whoever shares their place', () => {
    const texts = Array.from({ length: 50_000 }, (_, at) => `item-${at.toString(36)}`);
    for (let round = 0; round < 2; round++) for (const text of texts) expect(read(text)).toBe(text);
  });

  test('invalid UTF-8 is refused', () => {
    expect(() => new WireReader(Uint8Array.of(1, 0xff)).sharedString()).toThrow(MalformedMessageError);
  });
});
