import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryCase, type Case } from '../../../test/engine/arbitrary-table.ts';
import { layTable, nameOf } from '../../../test/engine/sample-candidates.ts';
import { sampleDefinition } from '../../../test/engine/sample-definition.ts';
import { sampleCart, sampleLine } from '../../../test/engine/sample-input.ts';
import { PROVEN_COUPONS } from '../limits.ts';
import { tallyOf } from '../tally.ts';
import { combine } from './combine.ts';
import { type Field, layOut } from './field.ts';
import { findGreedily } from './greedy.ts';
import { Search } from './search.ts';

const BEST = { kind: 'best' } as const;

function fieldOf({ cart, candidates, slots }: Case): Field {
  return layOut(candidates, new Set(), slots, cart, tallyOf(cart));
}

/** Coupons of so many promotions, no two of them equal, on a cart of some lines. */
function manyCoupons(count: number): Case {
  const lines = Array.from({ length: 20 }, (_, at) =>
    sampleLine({
      lineId: `${at}`,
      itemId: `item-${at % 5}`,
      quantity: 1 + (at % 3),
      unitPriceMinor: 700 + 331 * at,
    }),
  );
  const offered = Array.from({ length: count }, (_, at) => ({
    definition: sampleDefinition({
      ref: at,
      priority: at % 4,
      effect:
        at % 2 === 0
          ? { kind: 'fixed_amount_off', amountMinor: 900 + 77 * at }
          : { kind: 'percent_off', basisPoints: 20 + at, base: 'remaining' },
      rules:
        at % 3 === 0
          ? [{ kind: 'item_discount_scope', selection: { itemIds: [`item-${at % 5}`], categoryIds: [] } }]
          : [],
    }),
    couponId: `coupon-${at}`,
    expiresAtMs: 1_000 - at,
  }));
  return { ...layTable(sampleCart({ lines }), offered), slots: 20 };
}

// SPEC R11
describe('the search', () => {
  it('leaves the tally as it found it', () => {
    fc.assert(
      fc.property(arbitraryCase(9), (one) => {
        const tally = tallyOf(one.cart);
        new Search(fieldOf(one), tally, Infinity).run();
        expect([tally.depth, tally.savedMinor, tally.giftUnits, tally.bonusPoints]).toEqual([0, 0, 0, 0]);
        expect([...tally.left]).toEqual([...one.cart.amounts]);
      }),
      { numRuns: 200 },
    );
  });

  it('is never worse than the greedy choice', () => {
    fc.assert(
      fc.property(arbitraryCase(12), (one) => {
        const field = fieldOf(one);
        const { incumbent } = new Search(field, tallyOf(one.cart), Infinity).run();
        expect(findGreedily(field, tallyOf(one.cart)).ranksBefore(incumbent)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('says so when it ran out of its budget, and what it has by then is legal', () => {
    const one = manyCoupons(PROVEN_COUPONS);
    const { incumbent, isProven } = new Search(fieldOf({ ...one, slots: 7 }), tallyOf(one.cart), 10).run();
    expect(isProven).toBe(false);
    expect(incumbent.takers).toBeLessThanOrEqual(7);
    expect(incumbent.savedMinor).toBeGreaterThan(0);
  });

  it.each([1, 3, 7, 20])('proves the best of 20 coupons of which %i may be used', (slots) => {
    const { cart, candidates } = manyCoupons(PROVEN_COUPONS);
    const { chosen, isProvenOptimal } = combine(candidates, cart, {
      couponsPerOrder: slots,
      selection: BEST,
    });
    expect(isProvenOptimal).toBe(true);
    expect(chosen).toHaveLength(slots);
  });

  it('tries each free candidate only about twice: its cost does not explode with them', () => {
    const one = manyCoupons(60);
    const small = sampleCart({ lines: one.cart.cart.lines.map((line) => ({ ...line, quantity: 1_000 })) });
    const offered = one.candidates.map(({ promotion: { definition } }) => ({ definition }));
    const table = layTable(small, offered);
    const field = layOut(table.candidates, new Set(), 1, table.cart, tallyOf(table.cart));
    const search = new Search(field, tallyOf(table.cart), Infinity);
    expect(search.run().incumbent.members).toHaveLength(60);
    expect(search.applications).toBeLessThanOrEqual(3 * 60);
  });

  it('finds the same set whatever the order of the candidates', () => {
    fc.assert(
      fc.property(
        arbitraryCase(9).chain((one) =>
          fc.shuffledSubarray([...one.candidates], { minLength: one.candidates.length }).map((shuffled) => ({
            ...one,
            shuffled,
          })),
        ),
        ({ cart, candidates, shuffled, slots }) => {
          const options = { couponsPerOrder: slots, selection: BEST };
          const names = (of: typeof shuffled): string[] => combine(of, cart, options).chosen.map(nameOf);
          expect(names(shuffled)).toEqual(names([...candidates]));
        },
      ),
      { numRuns: 200 },
    );
  });
});
