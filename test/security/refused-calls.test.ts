/**
 * What no request can be, sent to every method on every way in: each is refused with a reason, and what is refused leaves nothing
 * behind. The seed is in every failure; put it into `SEED` of `fuzzed-product.ts` to see the same again.
 */
// SPEC S1; F30
import { isDeepStrictEqual } from 'node:util';
import type { DescMethod } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Answered,
  type Attempt,
  carryOut,
  dice,
  type FuzzedProduct,
  LIMIT_MS,
  METHODS,
  onEveryWay,
  seed,
  startFuzzedProduct,
  unforeseen,
} from './fuzzed-product.ts';
import { brokenBytes, brokenJson } from './random-request.ts';

/** Requests of each method on each way in. */
const BROKEN_PER_WAY = 2;
/** Codes after which a write may have been done. */
const DONE_OR_UNKNOWN = /^(OK|CANCELLED|DEADLINE_EXCEEDED|UNAVAILABLE)$/;

let fuzzed: FuzzedProduct;

beforeAll(async () => {
  fuzzed = await startFuzzedProduct();
}, LIMIT_MS);
afterAll(() => fuzzed.close());

/** Requests of a method that are no requests, on every way in. */
function brokenAttempts(method: DescMethod): Attempt[] {
  return onEveryWay(fuzzed.ways, method, {
    bodies: () => brokenBytes(dice, method.input),
    json: () => Buffer.from(brokenJson(dice, method.input)),
    times: BROKEN_PER_WAY,
  });
}

function mayHaveWritten({ attempt: { method }, answer }: Answered): boolean {
  const isWrite = method.idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  return isWrite && DONE_OR_UNKNOWN.test(answer.code);
}

test(
  `requests that are broken leave nothing behind; seed ${seed}`,
  async () => {
    let before = await fuzzed.settledState();
    let refusedMethods = 0;
    for (const method of METHODS) {
      const done = await carryOut(brokenAttempts(method));
      expect(unforeseen(done)).toEqual([]);
      if (done.some(mayHaveWritten)) {
        // By luck one was a request after all; what those do is another test's.
        before = await fuzzed.settledState();
        continue;
      }
      refusedMethods += 1;
      const after = await fuzzed.state();
      // Comparing as tests do is slow; it is only wanted for its message.
      if (!isDeepStrictEqual(after, before)) expect(after, `after ${method.name}`).toEqual(before);
    }
    expect(fuzzed.errorLines).toEqual([]);
    expect(refusedMethods).toBeGreaterThan(METHODS.length / 2);
  },
  LIMIT_MS,
);
