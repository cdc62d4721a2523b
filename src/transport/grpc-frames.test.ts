import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frameOf, MessageReader } from './grpc-frames.ts';

const MAX_BYTES = 100;

/** What a reader makes of bytes that come cut at these places; a fault it tells early is the one it ends with. */
function readIn(bytes: Buffer, cuts: readonly number[]): ReturnType<MessageReader['end']> {
  const reader = new MessageReader(MAX_BYTES);
  const places = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length];
  const early = places
    .slice(1)
    .map((place, index) => reader.take(bytes.subarray(places[index], place)))
    .find((fault) => fault !== undefined);
  const end = reader.end();
  if (early !== undefined) expect(end).toBe(early);
  return end;
}

const cuts = fc.array(fc.nat({ max: 220 }), { maxLength: 6 });
const message = fc.uint8Array({ maxLength: MAX_BYTES });

// SPEC C2
test('a message is read however it is cut', () => {
  fc.assert(
    fc.property(message, cuts, (bytes, places) => {
      expect(readIn(frameOf(bytes), places)).toEqual(Buffer.from(bytes));
    }),
  );
});

test('a message that is cut off, and one that is followed by another, are neither taken', () => {
  fc.assert(
    fc.property(message, cuts, fc.nat({ max: 104 }), (bytes, places, length) => {
      const frame = frameOf(bytes);
      const short = frame.subarray(0, Math.min(length, frame.length - 1));
      expect(readIn(short, places)).toBe(short.length === 0 ? 'none' : 'cut');
      expect(readIn(Buffer.concat([frame, frameOf(bytes)]), places)).toBe('two');
    }),
  );
});

test('a message that says it is too long is known by its head alone', () => {
  const frame = frameOf(new Uint8Array(MAX_BYTES + 1));
  const reader = new MessageReader(MAX_BYTES);
  expect(reader.take(frame.subarray(0, 4))).toBeUndefined();
  expect(reader.take(frame.subarray(4, 5))).toBe('excess');
  expect(reader.declaredBytes).toBe(MAX_BYTES + 1);
  expect(reader.take(frame.subarray(5))).toBe('excess');
});

test('a message says whether it is compressed, and nothing else', () => {
  const frame = frameOf(new Uint8Array([1, 2]));
  const read = (flag: number): MessageReader => {
    const reader = new MessageReader(MAX_BYTES);
    frame[0] = flag;
    reader.take(frame);
    return reader;
  };
  expect(read(0).isCompressed).toBe(false);
  expect(read(1).isCompressed).toBe(true);
  expect(read(2).end()).toBe('kind');
  expect(read(255).end()).toBe('kind');
});
