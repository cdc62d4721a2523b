import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyAlone } from '../../src/engine/apply.ts';
import { chooseQuickly } from '../../src/engine/combine/quick-choice.ts';
import { arbitraryCase } from './arbitrary-table.ts';
import { bestOfAllSets } from './brute-force.ts';
import { nameOf } from './sample-candidates.ts';

// SPEC R11
describe('the combination that is obvious', () => {
  it('is the best of all subsets whenever it is taken, and is taken often', () => {
    let taken = 0;
    fc.assert(
      fc.property(arbitraryCase(7), ({ cart, candidates, slots }) => {
        const quick = chooseQuickly(candidates, cart, slots);
        if (quick === undefined) return;
        taken += 1;
        const expected = bestOfAllSets(candidates, cart, slots);
        expect(quick.applications.map(({ candidate }) => nameOf(candidate))).toEqual(
          expected?.members.map(nameOf),
        );
        expect(quick.applications.length + quick.leftOut.length).toBe(candidates.length);
        for (const { candidate, failure } of quick.leftOut) {
          expect(applyAlone(candidate, cart).failure).toEqual(failure);
        }
      }),
      { numRuns: 5_000 },
    );
    expect(taken).toBeGreaterThan(200);
  });
});
