/** The checker against runs on paper that keep every promise: it must never raise a false alarm. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkHistory } from './check-history.ts';
import { reportOf, reportText } from './report.ts';
import { type Choice, FATE_COUNT, playRun } from './sample/sample-run.ts';

const choice: fc.Arbitrary<Choice> = fc.record({
  act: fc.nat(11),
  user: fc.nat(5),
  what: fc.nat(1_000),
  fate: fc.nat(FATE_COUNT - 1),
});

describe('valid histories (SPEC C3, C4, L5)', () => {
  it.each([1, 2, 4])('pass in %i partitions', (partitions) => {
    fc.assert(
      fc.property(fc.array(choice, { maxLength: 120, size: 'max' }), (choices) => {
        const { history, state } = playRun(choices, partitions);
        const findings = checkHistory(history, state, { clockSlackMs: 0 });
        expect(reportText(reportOf(findings, history, state))).toContain('every promise was kept');
      }),
      { numRuns: 150 },
    );
  });

  it('hold something of every kind', () => {
    const looked = new Map<string, number>();
    const samples = fc.sample(fc.array(choice, { minLength: 100, maxLength: 150 }), { numRuns: 10, seed: 5 });
    for (const choices of samples) {
      const { history, state } = playRun(choices, 2);
      for (const [what, count] of checkHistory(history, state).looked)
        looked.set(what, (looked.get(what) ?? 0) + count);
    }
    const kinds = ['calls refused', 'calls unknown', 'points transactions', 'reservation steps', 'leases'];
    for (const kind of kinds) expect(looked.get(kind)).toBeGreaterThan(20);
  });
});
