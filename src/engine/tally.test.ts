import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryCase } from '../../test/engine/arbitrary-table.ts';
import { applySet } from '../../test/engine/brute-force.ts';
import { layTable } from '../../test/engine/sample-candidates.ts';
import { sampleDefinition } from '../../test/engine/sample-definition.ts';
import { sampleCart, sampleLine } from '../../test/engine/sample-input.ts';
import type { PromotionDefinition } from '../domain/promotion.ts';
import { applyAlone, applyInOrder } from './apply.ts';
import type { Candidate } from './candidate.ts';
import { compareByApplication } from './combine/application-order.ts';
import type { PreparedCart } from './prepared-cart.ts';
import { Tally, tallyOf } from './tally.ts';

/** Lines of 30.00 (three units), 20.00 and nothing; shipping 8.00. */
const CART = sampleCart({
  shippingMinor: 800,
  lines: [
    sampleLine({ lineId: '1', quantity: 3, unitPriceMinor: 1_000 }),
    sampleLine({ lineId: '2', unitPriceMinor: 2_000 }),
    sampleLine({ lineId: '3', unitPriceMinor: 0 }),
  ],
});

function tableOf(...changes: Partial<PromotionDefinition>[]): {
  cart: PreparedCart;
  candidates: Candidate[];
} {
  const offered = changes.map((each, at) => ({ definition: sampleDefinition({ ref: at + 1, ...each }) }));
  const { cart, candidates } = layTable(CART, offered);
  return { cart, candidates: [...candidates] };
}

function alone(changes: Partial<PromotionDefinition>): ReturnType<typeof applyAlone> {
  const { cart, candidates } = tableOf(changes);
  return applyAlone(candidateAt(candidates, 0), cart);
}

function candidateAt(candidates: readonly Candidate[], at: number): Candidate {
  const candidate = candidates[at];
  if (candidate === undefined) throw new RangeError(`no candidate ${at}`);
  return candidate;
}

// SPEC R14
describe('applying in order', () => {
  it('takes each discount from what the ones before have left, in shares that sum', () => {
    const { cart, candidates } = tableOf(
      { effect: { kind: 'fixed_amount_off', amountMinor: 501 } },
      { effect: { kind: 'percent_off', basisPoints: 1_000, base: 'remaining' } },
      { effect: { kind: 'free_shipping' } },
    );
    const [fixed, percent, shipping] = applyInOrder(candidates, cart);
    expect(fixed?.shares).toEqual([
      {
        lineIndex: 0,
        amountMinor: 301,
        units: [
          { units: 1, amountMinor: 101 },
          { units: 2, amountMinor: 100 },
        ],
      },
      { lineIndex: 1, amountMinor: 200, units: [{ units: 1, amountMinor: 200 }] },
    ]);
    expect(percent?.shares).toEqual([
      { lineIndex: 0, amountMinor: 270, units: [{ units: 3, amountMinor: 90 }] },
      { lineIndex: 1, amountMinor: 180, units: [{ units: 1, amountMinor: 180 }] },
    ]);
    expect(percent?.itemsOffMinor).toBe(450);
    expect([shipping?.shippingOffMinor, shipping?.shares]).toEqual([800, []]);
  });

  it('refuses a set that is not legal', () => {
    const { cart, candidates } = tableOf(
      { effect: { kind: 'percent_off', basisPoints: 10_000, base: 'remaining' } },
      { effect: { kind: 'fixed_amount_off', amountMinor: 1 } },
    );
    expect(() => applyInOrder(candidates, cart)).toThrow('promotion-2: GIVES_NOTHING');
  });

  it('agrees with a plain calculation from the beginning', () => {
    fc.assert(
      fc.property(arbitraryCase(6), ({ cart, candidates }) => {
        const ordered = candidates.toSorted(compareByApplication);
        const tally = new Tally(cart);
        const applied = ordered.filter((candidate) => tally.apply(candidate) === undefined);
        // Legality of pairs is not the tally's business: the plain calculation is asked about money only.
        const free = applied.map((each) => ({ ...each, promotion: { ...each.promotion, stacking: FREE } }));
        const expected = applySet(free, cart, free.length);
        expect([tally.savedMinor, tally.giftUnits, tally.bonusPoints]).toEqual([
          expected?.savedMinor,
          expected?.giftUnits,
          expected?.bonusPoints,
        ]);
      }),
      { numRuns: 300 },
    );
  });
});

const FREE = {
  isAlone: false,
  excludedKinds: new Set<never>(),
  exclusiveGroups: new Set<never>(),
  isFirstByPriority: false,
};

// SPEC R14
describe('undoing', () => {
  it('restores lines, shipping and all sums, whatever was applied', () => {
    fc.assert(
      fc.property(arbitraryCase(6), ({ cart, candidates }) => {
        const tally = new Tally(cart);
        const states = candidates.map((candidate) => {
          const before = [...tally.left, tally.shippingLeftMinor, tally.savedMinor, tally.giftUnits];
          tally.applyOptimistically(candidate);
          return before;
        });
        for (const before of states.toReversed()) {
          tally.undo();
          expect([...tally.left, tally.shippingLeftMinor, tally.savedMinor, tally.giftUnits]).toEqual(before);
        }
        expect(tally.depth).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same tally to one purpose after the other', () => {
    const { cart, candidates } = tableOf({});
    const tally = tallyOf(cart);
    applyAlone(candidateAt(candidates, 0), cart);
    expect(tallyOf(cart)).toBe(tally);
    expect([...tally.left]).toEqual([3_000, 2_000, 0]);
  });
});

// SPEC R9
describe('a candidate alone', () => {
  it('tells what it gives', () => {
    expect(alone({ effect: { kind: 'fixed_amount_off', amountMinor: 700 } })).toMatchObject({
      savedMinor: 700,
    });
  });

  it('fails when it gives nothing', () => {
    const effect = { kind: 'percent_off', basisPoints: 1, base: 'remaining' } as const;
    const rules = [{ kind: 'item_discount_scope', selection: { itemIds: ['b'], categoryIds: [] } } as const];
    const { cart, candidates } = tableOf({ effect, rules });
    expect(applyAlone(candidateAt(candidates, 0), cart).failure).toEqual({ reason: 'NOTHING_TO_DISCOUNT' });
  });

  it('fails when too little is left for its threshold, and says how much', () => {
    const rules = [
      { kind: 'first_order' } as const,
      { kind: 'minimum_spend', amountMinor: 5_001, basis: 'after' } as const,
    ];
    expect(alone({ rules }).failure).toMatchObject({
      reason: 'MINIMUM_SPEND_NOT_MET',
      ruleIndex: 1,
      needed: 5_001,
      seen: 5_000,
      shortfall: { kind: 'minor', missing: 1 },
    });
    expect(alone({ rules: [{ kind: 'minimum_spend', amountMinor: 5_000, basis: 'after' }] }).failure).toBe(
      undefined,
    );
  });

  it('over its budget is refused, or cut and spread over lines', () => {
    const effect = { kind: 'fixed_amount_off', amountMinor: 700 } as const;
    const refused = alone({ effect, budget: { amountMinor: 699, shortfall: 'refuse' } });
    expect(refused.failure).toMatchObject({ reason: 'BUDGET_EXCEEDED', needed: 700, seen: 699 });
    expect(alone({ effect, budget: { amountMinor: 700, shortfall: 'refuse' } }).failure).toBe(undefined);
    const { cart, candidates } = tableOf({ effect, budget: { amountMinor: 101, shortfall: 'cut' } });
    expect(applyInOrder(candidates, cart)[0]).toMatchObject({
      itemsOffMinor: 101,
      shares: [
        { lineIndex: 0, amountMinor: 61 },
        { lineIndex: 1, amountMinor: 40 },
      ],
    });
  });

  it('on shipping is cut to its budget, too', () => {
    const { cart, candidates } = tableOf({
      effect: { kind: 'free_shipping' },
      budget: { amountMinor: 300, shortfall: 'cut' },
    });
    expect(applyInOrder(candidates, cart)[0]).toMatchObject({ itemsOffMinor: 0, shippingOffMinor: 300 });
  });
});
