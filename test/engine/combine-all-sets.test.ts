import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Candidate } from '../../src/engine/candidate.ts';
import { combine } from '../../src/engine/combine/combine.ts';
import { removeOutranked } from '../../src/engine/combine/legality.ts';
import { arbitraryCase } from './arbitrary-table.ts';
import { applySet, bestOfAllSets } from './brute-force.ts';
import { nameOf } from './sample-candidates.ts';

const BEST = { kind: 'best' } as const;

// SPEC R11
describe('the best combination, against all subsets tried one by one', () => {
  it('is the very same set, ties included, and proven', () => {
    fc.assert(
      fc.property(arbitraryCase(9), ({ cart, candidates, slots }) => {
        const { staying } = removeOutranked(candidates);
        const expected = bestOfAllSets(staying, cart, slots);
        const found = combine(candidates, cart, { couponsPerOrder: slots, selection: BEST });
        expect(found.isProvenOptimal).toBe(true);
        expect(found.chosen.map(nameOf)).toEqual(expected?.members.map(nameOf));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is legal and whole: every candidate is chosen or dropped with a reason that holds', () => {
    fc.assert(
      fc.property(arbitraryCase(9), ({ cart, candidates, slots }) => {
        const { chosen, dropped } = combine(candidates, cart, { couponsPerOrder: slots, selection: BEST });
        expect(applySet(chosen, cart, slots)?.members).toEqual(chosen);
        expect(new Set([...chosen, ...dropped.map(({ candidate }) => candidate)])).toEqual(
          new Set(candidates),
        );
        for (const { reason, candidate, conflictsWith } of dropped) {
          expect(conflictsWith === undefined).toBe(reason !== 'NOT_COMBINABLE');
          if (reason === 'COUPON_COUNT_EXCEEDED') expect(takersOf([...chosen, candidate])).toBe(slots + 1);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('keeps what the caller names as far as that is legal, and fills up with automatic promotions', () => {
    const withNames = arbitraryCase(8).chain((one) =>
      fc
        .shuffledSubarray(one.candidates.filter(({ takesSlot }) => takesSlot))
        .map((named) => ({ ...one, named })),
    );
    fc.assert(
      fc.property(withNames, ({ cart, candidates, slots, named }) => {
        const couponIds = named.flatMap(({ source }) => (source.kind === 'coupon' ? [source.couponId] : []));
        // Ids of coupons are unique in a wallet; here they are not, so only the first of each name counts.
        const known = named.filter(
          ({ source }) =>
            candidates.filter((each) => couponIdOf(each) === couponIdOf({ source })).length === 1,
        );
        fc.pre(known.length === named.length);
        const inPlay = candidates.filter((each) => !each.takesSlot || named.includes(each));
        const { staying } = removeOutranked(inPlay);
        const must: Candidate[] = [];
        for (const each of named.filter((one) => staying.includes(one))) {
          if (applySet([...must, each], cart, slots) !== undefined) must.push(each);
        }
        const around = staying.filter((each) => !each.takesSlot || must.includes(each));
        const expected = bestOfAllSets(around, cart, slots, must);
        const selection = { kind: 'own', couponIds, codes: [] } as const;
        const { chosen, isProvenOptimal } = combine(candidates, cart, { couponsPerOrder: slots, selection });
        expect(isProvenOptimal).toBe(true);
        expect(chosen.map(nameOf)).toEqual(expected?.members.map(nameOf));
      }),
      { numRuns: 500 },
    );
  });
});

function takersOf(candidates: readonly Candidate[]): number {
  return candidates.filter(({ takesSlot }) => takesSlot).length;
}

function couponIdOf({ source }: Pick<Candidate, 'source'>): string {
  return source.kind === 'coupon' ? source.couponId : '';
}
