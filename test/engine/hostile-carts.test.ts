import { describe, expect, it } from 'vitest';
import type { Cart, CartLine } from '../../src/domain/cart.ts';
import type { Decision } from '../../src/domain/decision.ts';
import type { Effect, PromotionDefinition, Rule } from '../../src/domain/promotion.ts';
import type { EvaluationInput, HeldCoupon } from '../../src/engine/evaluation-input.ts';
import { engineEvaluate } from './engine-evaluate.ts';
import { referenceEvaluate } from './reference/reference-evaluate.ts';
import { sampleDefinition } from './sample-definition.ts';
import { SAMPLE_AT_MS, sampleCart, sampleInput, sampleLine } from './sample-input.ts';

// SPEC R11, R13, R14: carts and promotions nobody sends with good intent get a right answer, and get it.

const LARGEST = Number.MAX_SAFE_INTEGER;

function promotion(
  ref: number,
  effect: Effect,
  changes: Partial<PromotionDefinition> = {},
): PromotionDefinition {
  return sampleDefinition({ ref, effect, ...changes });
}

function line(lineId: string, unitPriceMinor: number, changes: Partial<CartLine> = {}): CartLine {
  return sampleLine({ lineId, itemId: 'tea', ...changes, unitPriceMinor });
}

function input(
  lines: readonly CartLine[],
  changes: Partial<EvaluationInput> = {},
  cart: Partial<Cart> = {},
): EvaluationInput {
  return sampleInput({ cart: sampleCart({ lines, ...cart }), ...changes });
}

function couponOf(ref: number, number: number): HeldCoupon {
  const couponId = `c${String(number).padStart(4, '0')}`;
  return { couponId, promotionRef: ref, promotionVersion: 1, state: 'unused', validFromMs: 0 };
}

const fixed = (amountMinor: number): Effect => ({ kind: 'fixed_amount_off', amountMinor });
const percent = (basisPoints: number): Effect => ({ kind: 'percent_off', basisPoints, base: 'remaining' });
const inGroups = (...exclusiveGroups: string[]): Rule => ({
  kind: 'stackability',
  mode: 'combines',
  excludedKinds: [],
  exclusiveGroups,
  choice: 'best_saving',
});
const onItems = (...itemIds: string[]): Rule => ({
  kind: 'item_discount_scope',
  selection: { itemIds, categoryIds: [] },
});

const EVERY_EFFECT: readonly Effect[] = [
  fixed(1000),
  { kind: 'percent_off', basisPoints: 3333, base: 'original', maxOffMinor: 12_345 },
  {
    kind: 'percent_off',
    basisPoints: 777,
    base: 'remaining',
    unitCap: { maxUnits: 7, basis: 'cart', choice: 'dearest' },
  },
  {
    kind: 'gift_items',
    items: [{ itemId: 'tea', quantity: 2 }],
    placement: 'discount_in_cart',
    onlyDearest: true,
  },
  { kind: 'shipping_off', amountMinor: 1 },
  { kind: 'free_shipping' },
  { kind: 'no_threshold_voucher', amountMinor: 7 },
  {
    kind: 'tiered_off',
    thresholdKind: 'quantity',
    tiers: [
      { threshold: 1, off: { kind: 'percent', basisPoints: 1 } },
      { threshold: 100, off: { kind: 'percent', basisPoints: 199 } },
    ],
    base: 'remaining',
    thresholdBasis: 'before',
  },
  { kind: 'every_amount_off', everyMinor: 3, amountMinor: 1, maxTimes: 1000, thresholdBasis: 'after' },
  {
    kind: 'buy_x_get_y',
    buyQuantity: 1,
    getQuantity: 1,
    basisPoints: 5000,
    maxGroups: 1000,
    rewardChoice: 'cheapest',
  },
  { kind: 'fixed_price', priceMinor: 3 },
  { kind: 'fixed_price', priceMinor: 1000, bundleUnits: 7 },
  { kind: 'bonus_points', points: LARGEST },
  { kind: 'points_multiplier', multiplierBasisPoints: 20_000 },
];

function sum(amounts: readonly number[]): bigint {
  return amounts.reduce((total, amount) => total + BigInt(amount), 0n);
}

function expectSound({ lines, totals, applied }: Decision): void {
  expect(lines.every(({ payableMinor }) => Number.isSafeInteger(payableMinor) && payableMinor >= 0)).toBe(
    true,
  );
  expect(sum(lines.map(({ discountMinor }) => discountMinor))).toBe(BigInt(totals.itemsDiscountMinor));
  const payable =
    sum(lines.map((each) => each.payableMinor)) + BigInt(totals.shippingMinor - totals.shippingDiscountMinor);
  expect(payable).toBe(BigInt(totals.payableMinor));
  const discounts = applied.map(({ discountMinor }) => discountMinor);
  expect(sum(discounts)).toBe(BigInt(totals.itemsDiscountMinor + totals.shippingDiscountMinor));
}

function expectAgreement(current: readonly PromotionDefinition[], asked: EvaluationInput): Decision {
  const decision = engineEvaluate(current, [], asked);
  expectSound(decision);
  expect(decision).toEqual(referenceEvaluate(current, [], asked));
  return decision;
}

describe('no lines at all', () => {
  it.each(EVERY_EFFECT.map((effect) => ({ effect })))('with $effect.kind', ({ effect }) => {
    const { totals, lines } = expectAgreement([promotion(1, effect)], input([]));
    expect(lines).toEqual([]);
    expect(totals.payableMinor).toBe(0);
  });

  it('and no promotions', () => {
    expect(expectAgreement([], input([])).applied).toEqual([]);
  });
});

describe('5,000 lines', () => {
  const lines = Array.from({ length: 5000 }, (_, at) =>
    line(`line-${at}`, (at * 7919) % 1009, {
      itemId: `i${at % 97}`,
      categoryIds: [`c${at % 5}`],
      quantity: 1 + (at % 3),
    }),
  );

  it.each(EVERY_EFFECT.map((effect) => ({ effect })))('with $effect.kind', ({ effect }) => {
    const asked = input(lines, {}, { shippingMinor: 500 });
    expect(expectAgreement([promotion(1, effect)], asked).lines).toHaveLength(5000);
  });

  it('with every effect at once', () => {
    const current = EVERY_EFFECT.map((effect, at) => promotion(at + 1, effect, { priority: at % 3 }));
    expectSound(engineEvaluate(current, [], input(lines, {}, { shippingMinor: 500 })));
  });
});

describe('amounts at the end of the safe integers', () => {
  it.each(EVERY_EFFECT.map((effect) => ({ effect })))('on one unit with $effect.kind', ({ effect }) => {
    expectAgreement([promotion(1, effect)], input([line('a', LARGEST)]));
  });

  it('split over lines that are almost equal', () => {
    const third = Math.floor(LARGEST / 3);
    const lines = [line('a', third), line('b', third - 1), line('c', third + 1)];
    for (const effect of [fixed(LARGEST - 1), fixed(third + 1), percent(9999), percent(3333)]) {
      expectAgreement([promotion(1, effect)], input(lines));
    }
  });

  it('taken off a tiny order', () => {
    const { totals } = expectAgreement([promotion(1, fixed(LARGEST))], input([line('a', 1), line('b', 2)]));
    expect(totals.payableMinor).toBe(0);
  });

  it('with a budget that cuts', () => {
    const budget = { amountMinor: LARGEST - 7, shortfall: 'cut' } as const;
    const lines = [line('a', Math.floor(LARGEST / 2)), line('b', Math.floor(LARGEST / 2))];
    const { applied } = expectAgreement([promotion(1, percent(10_000), { budget })], input(lines));
    expect(applied[0]?.discountMinor).toBe(LARGEST - 7);
  });
});

describe('a million units on a line', () => {
  const lines = [line('a', 9_000_000_000, { quantity: 900_000 }), line('b', 3, { quantity: 1_000_000 })];

  it.each(EVERY_EFFECT.map((effect) => ({ effect })))('with $effect.kind', ({ effect }) => {
    expectAgreement([promotion(1, effect)], input(lines));
  });
});

describe('many codes and coupons', () => {
  it('answers each of 500 codes once', () => {
    const codes = Array.from({ length: 500 }, (_, at) => ` Code-${at} `);
    const current = [promotion(1, fixed(100), { reach: { kind: 'public_code', code: 'code-7' } })];
    const { applied, rejected } = engineEvaluate(
      current,
      [],
      input([line('a', 1000)], { codes: [...codes, ...codes] }),
    );
    expect(applied.map(({ source }) => source)).toEqual([{ kind: 'code', code: 'code-7' }]);
    expect(rejected).toHaveLength(499);
    expect(rejected.every(({ reason }) => reason === 'CODE_UNKNOWN')).toBe(true);
  });

  it('uses the best of 1,000 coupons of one promotion', () => {
    const coupons = Array.from({ length: 1000 }, (_, at) => ({
      ...couponOf(1, at),
      expiresAtMs: SAMPLE_AT_MS + 5000 - (at % 700),
    }));
    const current = [promotion(1, fixed(100), { reach: { kind: 'claimable' } })];
    const asked = input([line('a', 100_000)], { coupons, couponsPerOrder: 5 });
    const { applied, rejected, totals } = engineEvaluate(current, [], asked);
    expect(totals.payableMinor).toBe(99_500);
    expect(rejected).toHaveLength(995);
    // Coupons 695 to 699 end first.
    expect(applied.map(({ source }) => source.kind === 'coupon' && source.couponId)).toEqual([
      'c0695',
      'c0696',
      'c0697',
      'c0698',
      'c0699',
    ]);
  });

  it('finds a legal set among 1,000 coupons of promotions that exclude each other, no worse than the best one', () => {
    const current = Array.from({ length: 200 }, (_, at) =>
      promotion(at + 1, at % 2 === 0 ? percent(100 + at) : fixed(500 + at * 3), {
        reach: { kind: 'claimable' },
        priority: at % 7,
        rules: [inGroups(`g${at % 11}`, `h${at % 13}`)],
      }),
    );
    const coupons = Array.from({ length: 1000 }, (_, at) => couponOf(1 + (at % 200), at));
    const lines = Array.from({ length: 20 }, (_, at) => line(`${at}`, 1000 + at * 37));
    const decision = engineEvaluate(current, [], input(lines, { coupons, couponsPerOrder: 10 }));
    expectSound(decision);
    expect(decision.applied.length).toBeLessThanOrEqual(10);
    expect(decision.applied.length + decision.rejected.length).toBe(1000);
    const groups = decision.applied.flatMap(({ promotionRef }) => [
      `g${(promotionRef - 1) % 11}`,
      `h${(promotionRef - 1) % 13}`,
    ]);
    expect(new Set(groups).size).toBe(groups.length);
    const single = Math.max(...current.map((each) => savedAlone(each, lines)));
    expect(decision.totals.itemsDiscountMinor).toBeGreaterThanOrEqual(single);
  });
});

function savedAlone(definition: PromotionDefinition, lines: readonly CartLine[]): number {
  const alone = { ...definition, reach: { kind: 'automatic' } as const };
  return engineEvaluate([alone], [], input(lines)).totals.itemsDiscountMinor;
}

describe('many promotions', () => {
  it('that all stay idle leave the answer as it is', () => {
    const idle = Array.from({ length: 20_000 }, (_, at) =>
      promotion(at + 10, percent(5000), { rules: [onItems(`other-${at}`)] }),
    );
    const current = [promotion(1, fixed(100)), promotion(2, percent(1000), { priority: 1 })];
    const asked = input([line('a', 1000)]);
    expect(engineEvaluate([...idle, ...current], [], asked)).toEqual(engineEvaluate(current, [], asked));
  });

  it('that all apply are all applied', () => {
    const current = Array.from({ length: 500 }, (_, at) => promotion(at + 1, fixed(1 + (at % 3))));
    const decision = engineEvaluate(current, [], input([line('a', 100_000), line('b', 50_000)]));
    expectSound(decision);
    expect(decision.applied).toHaveLength(500);
    expect(decision.totals.itemsDiscountMinor).toBe(999);
  });

  it('that all exclude each other leave the best one', () => {
    const current = Array.from({ length: 500 }, (_, at) =>
      promotion(at + 1, fixed(1 + ((at * 7) % 500)), { rules: [inGroups('one')] }),
    );
    const { applied, totals } = engineEvaluate(current, [], input([line('a', 100_000)]));
    expect(applied).toHaveLength(1);
    expect(totals.itemsDiscountMinor).toBe(500);
  });

  it('that exclude each other in pairs, and depend on their order, are combined with bounded work', () => {
    // Two to the power of 30 sets, of which most save nearly the same.
    const current = Array.from({ length: 60 }, (_, at) =>
      promotion(
        at + 1,
        at % 3 === 0
          ? { kind: 'fixed_price', priceMinor: 100 + ((at * 7919) % 900), bundleUnits: 2 + (at % 2) }
          : percent(100 + ((at * 7919) % 500)),
        { priority: (at * 7919) % 30, rules: [inGroups(`pair-${Math.floor(at / 2)}`)] },
      ),
    );
    const lines = Array.from({ length: 20 }, (_, at) =>
      line(`${at}`, 100 + ((at * 7919) % 1000), { quantity: 1 + (at % 4) }),
    );
    const decision = engineEvaluate(current, [], input(lines));
    expectSound(decision);
    const pairs = decision.applied.map(({ promotionRef }) => Math.floor((promotionRef - 1) / 2));
    expect(new Set(pairs).size).toBe(pairs.length);
    const single = Math.max(...current.map((each) => savedAlone(each, lines)));
    expect(decision.totals.itemsDiscountMinor).toBeGreaterThanOrEqual(single);
  });
});

describe('texts that are keys of other things', () => {
  const NAMES = [
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '',
    '\u0000',
    '🧧',
    '烤鸭',
    'e\u0301',
    'é',
    '\ud800',
    'İ',
  ];

  it.each(NAMES)('as ids of items, categories, lines, tags and attributes: %j', (name) => {
    const rules: Rule[] = [
      onItems(name),
      { kind: 'item_eligibility', match: 'all', selection: { itemIds: [name], categoryIds: [name] } },
      {
        kind: 'custom_attribute',
        attribute: name,
        source: 'cart',
        condition: { kind: 'one_of', values: [name] },
      },
      { kind: 'channel', channels: [name] },
    ];
    const current = [
      promotion(1, percent(1000), { rules, audience: { kind: 'tagged_users', anyOf: [name] } }),
      promotion(2, percent(1000), { rules: [onItems(`${name}!`)] }),
    ];
    const lines = [
      line(name, 1000, { itemId: name, categoryIds: [name] }),
      line(`${name}x`, 500, { itemId: `${name}-` }),
    ];
    const asked = input(
      lines,
      { facts: { tags: new Set([name]) } },
      { attributes: new Map([[name, name]]), channel: name },
    );
    expect(expectAgreement(current, asked).totals.itemsDiscountMinor).toBe(100);
  });

  it.each(NAMES)('which nobody defined: %j', (name) => {
    const rules: Rule[] = [
      {
        kind: 'custom_attribute',
        attribute: name,
        source: 'user',
        condition: { kind: 'none_of', values: ['x'] },
      },
    ];
    const { rejected } = expectAgreement([promotion(1, fixed(1), { rules })], input([line('a', 10)]));
    expect(rejected.map(({ reason }) => reason)).toEqual(['FACT_MISSING']);
  });

  it('are told apart by code units and not by what they look like', () => {
    const current = [promotion(1, percent(5000), { rules: [onItems('é')] })];
    const { lines } = expectAgreement(
      current,
      input([line('a', 100, { itemId: 'e\u0301' }), line('b', 100, { itemId: 'é' })]),
    );
    expect(lines.map(({ discountMinor }) => discountMinor)).toEqual([0, 50]);
  });

  it('order lines by code units', () => {
    // A lone low surrogate has a higher code unit than the first of an emoji, and U+FF5E a higher one than both.
    const lines = [line('\uff5e', 10), line('\udc00', 10), line('\ud83e', 10)];
    expect(
      expectAgreement([promotion(1, fixed(1))], input(lines)).lines.map(({ discountMinor }) => discountMinor),
    ).toEqual([0, 0, 1]);
  });
});
