/** Random limits that earlier orders have used up in part, and single-use codes. */
import fc from 'fast-check';
import type { LiveLimit, UseCount } from '../../src/domain/live-limit.ts';
import type { ResolvedCode } from '../../src/engine/evaluation-input.ts';
import { mostly } from './random-chances.ts';
import type { Scale } from './random-effects.ts';
import type { Promotions } from './random-promotions.ts';

const useCounts: fc.Arbitrary<UseCount> = fc
  .record({ allowed: fc.integer({ min: 1, max: 3 }), left: mostly(2, 1, 0) })
  .map(({ allowed, left }) => ({ allowed, seen: Math.max(0, allowed - left) }));

function limitOf(promotionRef: number, scale: Scale): fc.Arbitrary<LiveLimit> {
  const budget = fc.record({ amountMinor: fc.constant(scale(900)), leftMinor: budgetsLeft.map(scale) });
  return fc.record(
    { promotionRef: fc.constant(promotionRef), uses: useCounts, userUses: useCounts, budget },
    {
      requiredKeys: ['promotionRef'],
    },
  );
}

const budgetsLeft = fc.oneof(fc.integer({ min: 1, max: 60 }), mostly(400, 900, 0));

/** Limits of some of the promotions and of one that is not there; often none at all, as is usual. */
export function limitLists(scale: Scale, { current }: Promotions): fc.Arbitrary<LiveLimit[]> {
  const refs = [...current.map(({ ref }) => ref), 98];
  const some = fc.subarray(refs).chain((chosen) => fc.tuple(...chosen.map((ref) => limitOf(ref, scale))));
  return fc.oneof(
    fc.constant<LiveLimit[]>([]),
    some.map((list) => [...list].reverse()),
  );
}

/** Single-use codes, two of one promotion among them. */
export const resolvedCodeLists: fc.Arbitrary<ResolvedCode[]> = fc.subarray<ResolvedCode>([
  { code: 's1', promotionRef: 1, state: 'free' },
  { code: 's2', promotionRef: 1, state: 'free' },
  { code: 's3', promotionRef: 2, state: 'taken' },
  { code: 'x', promotionRef: 97, state: 'free' },
]);
