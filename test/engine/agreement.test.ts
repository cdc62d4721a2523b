import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { engineEvaluate } from './engine-evaluate.ts';
import {
  CROWDED,
  DETAILED,
  type Focus,
  LARGE,
  MIXED,
  PENNIES,
  type Situation,
  situations,
} from './random-carts.ts';
import { referenceEvaluate } from './reference/reference-evaluate.ts';

/** Long enough for a slow machine that does something else besides. */
const TIMEOUT_MS = 240_000;

// SPEC R11, R14: 10,000 random situations per run, of which the engine must say exactly what the reference says.
it.each<[string, Focus, number]>([
  ['a bit of everything', MIXED, 3000],
  ['many that exclude each other', CROWDED, 2500],
  ['the details of a few discounts', DETAILED, 1750],
  ['many discounts of pennies', PENNIES, 2000],
  ['the largest amounts', LARGE, 750],
])(
  'engine and reference agree on %s',
  (_, focus, numRuns) => {
    fc.assert(fc.property(situations(focus), expectAgreement), { numRuns });
  },
  TIMEOUT_MS,
);

function expectAgreement({ current, older, input }: Situation): void {
  const [ours, theirs] = [engineEvaluate(current, older, input), referenceEvaluate(current, older, input)];
  // Comparing as tests do is slow; it is only wanted for its message.
  if (!isDeepStrictEqual(ours, theirs)) expect(ours).toStrictEqual(theirs);
}
