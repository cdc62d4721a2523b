import { describe, expect, it } from 'vitest';
import { layTable, nameOf, type Offered } from '../../../test/engine/sample-candidates.ts';
import { sampleDefinition } from '../../../test/engine/sample-definition.ts';
import { sampleCart, sampleLine } from '../../../test/engine/sample-input.ts';
import type { Effect, Rule } from '../../domain/promotion.ts';
import type { Selection } from '../evaluation-input.ts';
import { type Combination, combine } from './combine.ts';

const FIXED_10: Effect = { kind: 'fixed_amount_off', amountMinor: 1_000 };
const FIXED_20: Effect = { kind: 'fixed_amount_off', amountMinor: 2_000 };
const HALF: Effect = { kind: 'percent_off', basisPoints: 5_000, base: 'remaining' };
const GIFT: Effect = {
  kind: 'gift_items',
  items: [{ itemId: 'tea', quantity: 1 }],
  placement: 'added_line',
  onlyDearest: false,
};

type Stacking = Extract<Rule, { kind: 'stackability' }>;

function stacking(changes: Partial<Stacking>): Rule {
  return {
    kind: 'stackability',
    mode: 'combines',
    excludedKinds: [],
    exclusiveGroups: [],
    choice: 'best_saving',
    ...changes,
  };
}

/** Promotion `promotion-<ref>`; with a coupon id a coupon of it. */
function offer(
  ref: number,
  effect: Effect,
  { rules = [], priority = 0, ...coupon }: Partial<Offered> & { rules?: Rule[]; priority?: number } = {},
): Offered {
  return { definition: sampleDefinition({ ref, effect, rules, priority }), ...coupon };
}

/** Combines on a cart of one line of 100.00. */
function combineOn(
  offered: readonly Offered[],
  couponsPerOrder = 1,
  selection: Selection = { kind: 'best' },
  unitPriceMinor = 10_000,
): Combination {
  const cart = sampleCart({ lines: [sampleLine({ unitPriceMinor })] });
  const table = layTable(cart, offered);
  return combine(table.candidates, table.cart, { couponsPerOrder, selection });
}

function reasons({ dropped }: Combination): Record<string, string> {
  return Object.fromEntries(
    dropped.map(({ candidate, reason, conflictsWith }) => [
      nameOf(candidate),
      [reason, ...(conflictsWith ?? [])].join(' '),
    ]),
  );
}

// SPEC R11
describe('the best set', () => {
  it('is empty and proven without candidates', () => {
    expect(combineOn([])).toEqual({ chosen: [], isProvenOptimal: true, dropped: [] });
  });

  it('holds the coupon that saves most and every automatic promotion beside it', () => {
    const found = combineOn([
      offer(1, FIXED_10),
      offer(2, FIXED_10, { couponId: 'a' }),
      offer(3, HALF, { couponId: 'b' }),
    ]);
    expect(found.chosen.map(nameOf)).toEqual(['promotion-1', 'promotion-3/b']);
    expect(reasons(found)).toEqual({ 'promotion-2/a': 'COUPON_COUNT_EXCEEDED' });
  });

  it('is applied by priority, and what an earlier discount leaves decides', () => {
    const early = offer(1, HALF, { priority: 1 });
    const late = offer(2, FIXED_10);
    expect(combineOn([late, early]).chosen.map(nameOf)).toEqual(['promotion-1', 'promotion-2']);
  });

  it('leaves out what would give nothing any more', () => {
    const all = offer(1, { kind: 'fixed_amount_off', amountMinor: 10_000 });
    const found = combineOn([all, offer(2, HALF)]);
    expect(found.chosen.map(nameOf)).toEqual(['promotion-1']);
    expect(reasons(found)).toEqual({ 'promotion-2': 'BETTER_COMBINATION' });
  });

  it('takes the sooner expiry of equal coupons, then the lower id, whatever the order given', () => {
    const one = sampleDefinition({ ref: 1, effect: FIXED_10 });
    const coupons: Offered[] = [
      { definition: one, couponId: 'z', expiresAtMs: 5 },
      { definition: one, couponId: 'c', expiresAtMs: 9 },
      { definition: one, couponId: 'b', expiresAtMs: 9 },
      { definition: one, couponId: 'a' },
    ];
    expect(combineOn(coupons, 2).chosen.map(nameOf)).toEqual(['promotion-1/b', 'promotion-1/z']);
    expect(combineOn(coupons.toReversed(), 2).chosen.map(nameOf)).toEqual(['promotion-1/b', 'promotion-1/z']);
  });

  it('uses the fewest coupons that pay the whole cart, the soonest of them', () => {
    const coupons = Array.from({ length: 20 }, (_, at) =>
      offer(
        at,
        { kind: 'fixed_amount_off', amountMinor: 4_000 + (at % 3) },
        { couponId: 'c', expiresAtMs: 100 - at },
      ),
    );
    const { chosen, isProvenOptimal } = combineOn(coupons, 20);
    expect(isProvenOptimal).toBe(true);
    expect(chosen.map(nameOf)).toEqual(['promotion-17/c', 'promotion-18/c', 'promotion-19/c']);
  });

  it('prefers a gift to nothing, and points to fewer points, when the money is the same', () => {
    const found = combineOn([
      offer(1, GIFT, { couponId: 'a' }),
      offer(2, { kind: 'bonus_points', points: 900 }, { couponId: 'b' }),
    ]);
    expect(found.chosen.map(nameOf)).toEqual(['promotion-1/a']);
  });

  it('leaves out a coupon where the odd units that it moves cost the percentage after it more than it gives', () => {
    const prices = [35, 40, 18, 39, 15];
    const lines = prices.map((unitPriceMinor, at) => sampleLine({ lineId: `${at}`, unitPriceMinor }));
    const off = (amountMinor: number): Effect => ({ kind: 'fixed_amount_off', amountMinor });
    const { cart, candidates } = layTable(sampleCart({ lines }), [
      offer(0, off(4), { priority: 1, couponId: 'a' }),
      offer(1, off(2), { priority: 1 }),
      offer(2, off(7), { priority: 1 }),
      offer(3, off(6), { priority: 2, couponId: 'b' }),
      offer(
        4,
        { kind: 'percent_off', basisPoints: 6_000, base: 'remaining' },
        { priority: 1, couponId: 'c' },
      ),
      offer(5, off(7), { priority: 1, couponId: 'd' }),
    ]);
    const { chosen } = combine(candidates, cart, { couponsPerOrder: 20, selection: { kind: 'best' } });
    expect(chosen.map(nameOf)).toEqual(['promotion-3/b', 'promotion-2', 'promotion-4/c', 'promotion-5/d']);
  });

  it('weighs a discount on items against what needs a spend after discounts, in whatever class', () => {
    const points = offer(
      2,
      { kind: 'bonus_points', points: 5 },
      {
        rules: [{ kind: 'minimum_spend', amountMinor: 9_500, basis: 'after' }],
      },
    );
    const found = combineOn([offer(1, FIXED_10), points]);
    expect(found.chosen.map(nameOf)).toEqual(['promotion-1']);
    const shipping = offer(
      3,
      { kind: 'shipping_off', amountMinor: 2_500 },
      {
        rules: [{ kind: 'minimum_spend', amountMinor: 9_500, basis: 'after' }],
      },
    );
    const cart = sampleCart({ lines: [sampleLine()], shippingMinor: 2_500 });
    const table = layTable(cart, [offer(1, FIXED_10), shipping]);
    const { chosen } = combine(table.candidates, table.cart, {
      couponsPerOrder: 1,
      selection: { kind: 'best' },
    });
    expect(chosen.map(nameOf)).toEqual(['promotion-3']);
  });

  it('gives up a discount that would bring another one below its threshold', () => {
    const large = offer(2, FIXED_20, {
      rules: [{ kind: 'minimum_spend', amountMinor: 9_500, basis: 'after' }],
    });
    const found = combineOn([offer(1, FIXED_10, { priority: 1 }), large]);
    expect(found.chosen.map(nameOf)).toEqual(['promotion-2']);
    expect(reasons(found)).toEqual({ 'promotion-1': 'BETTER_COMBINATION' });
  });
});

// SPEC R7
describe('who may be combined', () => {
  it('one that stands alone competes as a set of its own', () => {
    const alone = offer(1, FIXED_20, { rules: [stacking({ mode: 'alone' })] });
    expect(combineOn([alone, offer(2, FIXED_10)]).chosen.map(nameOf)).toEqual(['promotion-1']);
    const both = combineOn([alone, offer(2, FIXED_10), offer(3, FIXED_20)]);
    expect(both.chosen.map(nameOf)).toEqual(['promotion-2', 'promotion-3']);
    expect(reasons(both)).toEqual({ 'promotion-1': 'NOT_COMBINABLE promotion-2 promotion-3' });
  });

  it('either side may exclude the other', () => {
    const rules = [stacking({ excludedKinds: ['percent_off'] })];
    for (const offered of [
      [offer(1, FIXED_10, { rules }), offer(2, HALF)],
      [offer(1, HALF), offer(2, FIXED_10, { rules })],
    ]) {
      expect(combineOn(offered).chosen).toHaveLength(1);
    }
  });

  it('one of an exclusive group', () => {
    const rules = [stacking({ exclusiveGroups: ['g'] })];
    const found = combineOn([offer(1, FIXED_10, { rules }), offer(2, FIXED_20, { rules })]);
    expect(reasons(found)).toEqual({ 'promotion-1': 'NOT_COMBINABLE promotion-2' });
  });

  it('first by priority wins whatever that saves, and one that is removed removes nobody', () => {
    const rules = [stacking({ exclusiveGroups: ['g'], choice: 'first_by_priority' })];
    const group = [stacking({ exclusiveGroups: ['g', 'h'], choice: 'first_by_priority' })];
    const other = [stacking({ exclusiveGroups: ['h'] })];
    const found = combineOn([
      offer(1, FIXED_10, { rules, priority: 9 }),
      offer(2, HALF, { rules: group, priority: 5 }),
      offer(3, FIXED_20, { rules: other }),
    ]);
    expect(found.chosen.map(nameOf)).toEqual(['promotion-1', 'promotion-3']);
    expect(reasons(found)).toEqual({ 'promotion-2': 'NOT_COMBINABLE promotion-1 promotion-3' });
  });

  it('names who removed a candidate even when he is not chosen himself', () => {
    const first = [stacking({ exclusiveGroups: ['g'], choice: 'first_by_priority' })];
    const loser = [stacking({ exclusiveGroups: ['g'] })];
    const alone = [stacking({ mode: 'alone' })];
    const found = combineOn([
      offer(1, FIXED_10, { rules: first, priority: 9 }),
      offer(2, FIXED_10, { rules: loser }),
      offer(3, HALF, { rules: alone, priority: 8 }),
    ]);
    expect(found.chosen.map(nameOf)).toEqual(['promotion-1']);
    const saved = combineOn([
      offer(1, FIXED_10, { rules: first, priority: 8 }),
      offer(2, FIXED_10, { rules: loser }),
      offer(3, HALF, { rules: alone, priority: 9 }),
    ]);
    expect(saved.chosen.map(nameOf)).toEqual(['promotion-3']);
    expect(reasons(saved)['promotion-2']).toBe('NOT_COMBINABLE promotion-3');
  });
});

// SPEC R11
describe("the caller's own selection", () => {
  const offered = [
    offer(1, FIXED_10),
    offer(2, FIXED_10, { couponId: 'a' }),
    offer(3, HALF, { couponId: 'b' }),
  ];

  it('is taken as it is, with automatic promotions around it', () => {
    const found = combineOn(offered, 1, { kind: 'own', couponIds: ['a'], codes: [] });
    expect(found.chosen.map(nameOf)).toEqual(['promotion-1', 'promotion-2/a']);
    expect(reasons(found)).toEqual({ 'promotion-3/b': 'NOT_SELECTED' });
  });

  it('is taken in the order named as far as there are slots', () => {
    const found = combineOn(offered, 1, { kind: 'own', couponIds: ['a', 'b', 'a', 'unknown'], codes: [] });
    expect(found.chosen.map(nameOf)).toEqual(['promotion-1', 'promotion-2/a']);
    expect(reasons(found)).toEqual({ 'promotion-3/b': 'COUPON_COUNT_EXCEEDED' });
  });

  it('of nothing leaves the automatic promotions', () => {
    const found = combineOn(offered, 1, { kind: 'own', couponIds: [], codes: [] });
    expect(found.chosen.map(nameOf)).toEqual(['promotion-1']);
  });

  it('keeps a named coupon even where an automatic promotion against it saves more', () => {
    const rules = [stacking({ excludedKinds: ['fixed_amount_off'] })];
    const found = combineOn([offer(1, HALF, { rules }), offer(2, FIXED_10, { couponId: 'a' })], 1, {
      kind: 'own',
      couponIds: ['a'],
      codes: [],
    });
    expect(reasons(found)).toEqual({ 'promotion-1': 'NOT_COMBINABLE promotion-2' });
  });

  it('keeps out an automatic promotion that would leave a named coupon without effect', () => {
    const all: Effect = { kind: 'fixed_amount_off', amountMinor: 10_000 };
    const found = combineOn([offer(1, all, { priority: 1 }), offer(2, FIXED_10, { couponId: 'a' })], 1, {
      kind: 'own',
      couponIds: ['a'],
      codes: [],
    });
    expect(found.chosen.map(nameOf)).toEqual(['promotion-2/a']);
    expect(reasons(found)).toEqual({ 'promotion-1': 'BETTER_COMBINATION' });
  });
});
