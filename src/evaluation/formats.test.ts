import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EVALUATION_KINDS, type EvaluationItem } from './pending-evaluation.ts';
import { decodeResult, encodeResult, type TimedOutcome } from './result-format.ts';
import { decodeTask, encodeTask, frameBytes } from './task-format.ts';

const bytes = fc.uint8Array({ maxLength: 300 });
const versions = fc.array(fc.record({ ref: fc.nat(), version: fc.nat() }), { maxLength: 5 });
const items: fc.Arbitrary<EvaluationItem[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(...EVALUATION_KINDS),
    areFactsBelieved: fc.boolean(),
    nowMs: fc.double({ noNaN: true }),
    request: bytes,
    wallet: bytes,
    bodies: fc.array(bytes, { maxLength: 3 }),
    lookedUp: versions,
    live: fc.option(fc.record({ facts: bytes, limits: bytes, codes: bytes }), { nil: undefined }),
  }),
  { maxLength: 10 },
);
const violation = fc.record({ field: fc.string(), description: fc.string({ unit: 'grapheme' }) });
const outcomes: fc.Arbitrary<TimedOutcome[]> = fc.array(
  fc.record({
    microseconds: fc.nat(),
    outcome: fc.oneof(
      fc.record({ kind: fc.constant('answered' as const), response: bytes }),
      fc.record({
        kind: fc.constant('refused' as const),
        refusal: fc.record({
          reason: fc.constant('INVALID_REQUEST' as const),
          message: fc.string({ unit: 'grapheme' }),
          violations: fc.array(violation, { maxLength: 3 }),
        }),
      }),
      fc.record({ kind: fc.constant('needs' as const), versions }),
    ),
  }),
  { maxLength: 10 },
);

/** Views of larger arrays compare by content. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, part) => {
      const isBuffer = part !== null && typeof part === 'object' && part.type === 'Buffer';
      if (isBuffer) return Object.values(part.data).join();
      return part instanceof Uint8Array ? [...part].join() : part;
    }),
  );
}

test('a batch reads as it was written, and is as long as was said', () => {
  fc.assert(
    fc.property(items, (batch) => {
      const task = encodeTask(batch);
      expect(task.length).toBe(batch.reduce((sum, item) => sum + frameBytes(item), 0));
      expect(task.buffer.byteLength).toBe(task.length);
      expect(plain(decodeTask(task))).toEqual(plain(batch));
    }),
  );
});

test('outcomes read as they were written, also from within a larger array', () => {
  fc.assert(
    fc.property(outcomes, (written) => {
      const result = encodeResult(written);
      const padded = Buffer.concat([Buffer.alloc(3), result]);
      expect(plain(decodeResult(padded.subarray(3)))).toEqual(plain(written));
    }),
  );
});
