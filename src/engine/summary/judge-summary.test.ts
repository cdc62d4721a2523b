// SPEC R12: a cart known by its total and item ids is judged on what it can prove.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tableOf } from '../../../test/engine/engine-evaluate.ts';
import { MIXED, situations } from '../../../test/engine/random-carts.ts';
import { sampleDefinition } from '../../../test/engine/sample-definition.ts';
import { sampleCart, sampleCoupon, sampleInput } from '../../../test/engine/sample-input.ts';
import type { Cart, CartSummary } from '../../domain/cart.ts';
import type { Failure } from '../../domain/decision.ts';
import type { Effect, EffectKind, PromotionDefinition, Rule, RuleKind } from '../../domain/promotion.ts';
import { judgeCoupons, type Verdict } from '../judge-coupons.ts';
import { judgeSummary } from './judge-summary.ts';

/** 100.00 for items `a` and `b`; shipping 8.00, bought in the app. */
function summaryOf(changes: Partial<CartSummary> = {}): CartSummary {
  const { lines: _, ...cart } = sampleCart({ shippingMinor: 800, channel: 'app' });
  return { ...cart, totalMinor: 10_000, itemIds: new Set(['a', 'b']), ...changes };
}

/** The same with unknown items. */
function totalOnly(): CartSummary {
  const { itemIds: _, ...rest } = summaryOf();
  return rest;
}

/** The verdict on the only coupon, which is of a promotion with these changes. */
function verdictOn(changes: Partial<PromotionDefinition>, summary = summaryOf()): Verdict {
  const definition = sampleDefinition({ reach: { kind: 'public_code', code: 'unused' }, ...changes });
  const { cart: _, ...asked } = sampleInput({ coupons: [sampleCoupon()] });
  const [verdict, ...others] = judgeSummary(tableOf([definition], []), { ...asked, summary });
  expect(others).toEqual([]);
  if (verdict === undefined) throw new Error('the coupon got no verdict');
  return verdict;
}

const ofA = { itemIds: ['a'], categoryIds: [] };
const ofZ = { itemIds: ['z'], categoryIds: [] };
const ofCategory = { itemIds: [], categoryIds: ['toys'] };
/** At night; the sample evaluation is at noon. */
const slot = { startMinute: 0, endMinute: 60 };

const vip: Rule = {
  kind: 'custom_attribute',
  attribute: 'vip',
  source: 'cart',
  condition: { kind: 'equals', value: true },
};

/** What becomes of one rule: the reason, or that the coupon can be used. */
type Case = readonly [rule: Rule, outcome: Failure['reason'] | 'usable', summary?: CartSummary];

const CASES: { readonly [Kind in RuleKind]: readonly Case[] } = {
  minimum_spend: [
    [{ kind: 'minimum_spend', amountMinor: 10_000, basis: 'before' }, 'usable'],
    [{ kind: 'minimum_spend', amountMinor: 10_001, basis: 'before' }, 'MINIMUM_SPEND_NOT_MET'],
    [{ kind: 'minimum_spend', amountMinor: 10_001, basis: 'after' }, 'MINIMUM_SPEND_NOT_MET'],
  ],
  spend_for_gift: [
    [{ kind: 'spend_for_gift', amountMinor: 10_000 }, 'usable'],
    [{ kind: 'spend_for_gift', amountMinor: 10_001 }, 'GIFT_CONDITION_NOT_MET'],
  ],
  item_eligibility: [
    [{ kind: 'item_eligibility', selection: ofA, match: 'any' }, 'usable'],
    [{ kind: 'item_eligibility', selection: ofA, match: 'any' }, 'NEEDS_LINES', totalOnly()],
    [{ kind: 'item_eligibility', selection: ofZ, match: 'any' }, 'REQUIRED_ITEMS_MISSING'],
    [{ kind: 'item_eligibility', selection: { ...ofCategory, itemIds: ['z'] }, match: 'any' }, 'NEEDS_LINES'],
    [{ kind: 'item_eligibility', selection: { ...ofCategory, itemIds: ['a'] }, match: 'any' }, 'usable'],
    [{ kind: 'item_eligibility', selection: { ...ofCategory, itemIds: ['a'] }, match: 'all' }, 'NEEDS_LINES'],
    [
      { kind: 'item_eligibility', selection: { ...ofCategory, itemIds: ['z'] }, match: 'all' },
      'REQUIRED_ITEMS_MISSING',
    ],
    [{ kind: 'item_eligibility', selection: { ...ofA, itemIds: ['a', 'b'] }, match: 'all' }, 'usable'],
  ],
  conditional_gift_item: [
    [{ kind: 'conditional_gift_item', selection: ofA, match: 'all' }, 'usable'],
    [{ kind: 'conditional_gift_item', selection: ofZ, match: 'all' }, 'GIFT_CONDITION_NOT_MET'],
    [{ kind: 'conditional_gift_item', selection: ofCategory, match: 'any' }, 'NEEDS_LINES'],
  ],
  exclusion: [
    [{ kind: 'exclusion', selection: ofA, presenceRefuses: true }, 'EXCLUDED_ITEM_PRESENT'],
    [{ kind: 'exclusion', selection: ofA, presenceRefuses: false }, 'NEEDS_LINES'],
    [{ kind: 'exclusion', selection: ofZ, presenceRefuses: true }, 'usable'],
    [{ kind: 'exclusion', selection: ofZ, presenceRefuses: true }, 'NEEDS_LINES', totalOnly()],
    [{ kind: 'exclusion', selection: ofCategory, presenceRefuses: true }, 'NEEDS_LINES'],
  ],
  item_discount_scope: [
    [{ kind: 'item_discount_scope', selection: ofA }, 'NEEDS_LINES'],
    [{ kind: 'item_discount_scope', selection: { ...ofA, itemIds: ['a', 'b'] } }, 'NEEDS_LINES'],
    [{ kind: 'item_discount_scope', selection: ofCategory }, 'NEEDS_LINES'],
    [{ kind: 'item_discount_scope', selection: ofZ }, 'NEEDS_LINES', totalOnly()],
    [{ kind: 'item_discount_scope', selection: ofZ }, 'NO_ELIGIBLE_LINE'],
  ],
  sale_items: [
    [{ kind: 'sale_items', handling: 'count' }, 'usable'],
    [{ kind: 'sale_items', handling: 'excluded' }, 'NEEDS_LINES'],
    [{ kind: 'sale_items', handling: 'refuse' }, 'NEEDS_LINES'],
  ],
  quantity_threshold: [[{ kind: 'quantity_threshold', minQuantity: 1 }, 'NEEDS_LINES']],
  cel: [[{ kind: 'cel', expression: 'true' }, 'NEEDS_LINES']],
  time_slot: [
    [{ kind: 'time_slot', slots: [], days: [3], timeZone: 'Asia/Shanghai' }, 'usable'],
    [{ kind: 'time_slot', slots: [slot], days: [], timeZone: 'Asia/Shanghai' }, 'OUTSIDE_TIME_SLOT'],
  ],
  first_order: [[{ kind: 'first_order' }, 'FACT_MISSING']],
  nth_order: [[{ kind: 'nth_order', nth: 2, repeats: false }, 'FACT_MISSING']],
  channel: [
    [{ kind: 'channel', channels: ['app'] }, 'usable'],
    [{ kind: 'channel', channels: ['web'] }, 'CHANNEL_NOT_ALLOWED'],
  ],
  region: [[{ kind: 'region', regions: ['CN'] }, 'usable', summaryOf({ region: 'CN' })]],
  payment_method: [
    [{ kind: 'payment_method', paymentMethods: ['card'] }, 'usable', summaryOf({ paymentMethod: 'card' })],
  ],
  custom_attribute: [
    [vip, 'usable', summaryOf({ attributes: new Map([['vip', true]]) })],
    [vip, 'ATTRIBUTE_NOT_MATCHED', summaryOf({ attributes: new Map([['vip', false]]) })],
    [vip, 'FACT_MISSING'],
  ],
  stackability: [
    [
      {
        kind: 'stackability',
        mode: 'alone',
        excludedKinds: [],
        exclusiveGroups: [],
        choice: 'best_saving',
      },
      'usable',
    ],
  ],
};

describe('a rule, by what a summary proves', () => {
  const cases = Object.values(CASES).flat();
  it.each(cases.map(([rule, outcome, summary]) => [JSON.stringify(rule), outcome, rule, summary] as const))(
    '%s: %s',
    (_text, outcome, rule, summary) => {
      const { failure, savesMinor } = verdictOn({ rules: [rule] }, summary);
      expect(failure?.reason ?? 'usable').toBe(outcome);
      if (failure === undefined) expect(savesMinor).toBe(100);
      else expect(failure).toMatchObject({ ruleIndex: 0, ruleKind: rule.kind });
    },
  );

  it('says how much is missing to a spend', () => {
    const rule = { kind: 'minimum_spend', amountMinor: 12_500, basis: 'before' } as const;
    expect(verdictOn({ rules: [rule] }).failure).toMatchObject({
      needed: 12_500,
      seen: 10_000,
      shortfall: { kind: 'minor', missing: 2_500 },
    });
  });

  it('that limits the scope to what is not there does not refuse points, which look for no line', () => {
    const rules: Rule[] = [{ kind: 'item_discount_scope', selection: ofZ }];
    expect(verdictOn({ rules, effect: { kind: 'bonus_points', points: 5 } }).failure?.reason).toBe(
      'NEEDS_LINES',
    );
  });

  it('that surely fails is told before one that cannot be judged', () => {
    const rules: Rule[] = [
      { kind: 'item_discount_scope', selection: ofA },
      { kind: 'channel', channels: ['web'] },
    ];
    expect(verdictOn({ rules }).failure).toMatchObject({ reason: 'CHANNEL_NOT_ALLOWED', ruleIndex: 1 });
  });
});

const YES = 'usable';
const NEEDS = { failure: { reason: 'NEEDS_LINES' } };
const percents = { threshold: 1, off: { kind: 'percent', basisPoints: 1_000 } } as const;
const tiers = { tiers: [percents], base: 'original', thresholdBasis: 'before' } as const;
const cap = { maxUnits: 1, basis: 'cart', choice: 'cheapest' } as const;
const one = { itemId: 'g', quantity: 1 };
const gifts = { kind: 'gift_items', items: [one], onlyDearest: false } as const;

const EFFECTS: { readonly [Kind in EffectKind]: readonly (readonly [Effect, string])[] } = {
  fixed_amount_off: [[{ kind: 'fixed_amount_off', amountMinor: 100 }, YES]],
  percent_off: [
    [{ kind: 'percent_off', basisPoints: 1_000, base: 'original' }, YES],
    [{ kind: 'percent_off', basisPoints: 1_000, base: 'original', unitCap: cap }, 'NEEDS_LINES'],
  ],
  gift_items: [
    [{ ...gifts, placement: 'added_line' }, YES],
    [{ ...gifts, placement: 'discount_in_cart' }, 'NEEDS_LINES'],
    [{ ...gifts, placement: 'added_line', items: [one, { ...one, itemId: 'h' }], onlyDearest: true }, YES],
    [
      { ...gifts, placement: 'added_line', items: [one, { itemId: 'h', quantity: 2 }], onlyDearest: true },
      'NEEDS_LINES',
    ],
  ],
  shipping_off: [[{ kind: 'shipping_off', amountMinor: 100 }, YES]],
  free_shipping: [[{ kind: 'free_shipping' }, YES]],
  no_threshold_voucher: [[{ kind: 'no_threshold_voucher', amountMinor: 100 }, YES]],
  tiered_off: [
    [{ kind: 'tiered_off', thresholdKind: 'spend', ...tiers }, YES],
    [{ kind: 'tiered_off', thresholdKind: 'quantity', ...tiers }, 'NEEDS_LINES'],
  ],
  every_amount_off: [
    [
      {
        kind: 'every_amount_off',
        everyMinor: 1_000,
        amountMinor: 10,
        maxTimes: 3,
        thresholdBasis: 'before',
      },
      YES,
    ],
  ],
  buy_x_get_y: [
    [
      {
        kind: 'buy_x_get_y',
        buyQuantity: 1,
        getQuantity: 1,
        basisPoints: 10_000,
        maxGroups: 1,
        rewardChoice: 'cheapest',
      },
      'NEEDS_LINES',
    ],
  ],
  fixed_price: [[{ kind: 'fixed_price', priceMinor: 100 }, 'NEEDS_LINES']],
  bonus_points: [[{ kind: 'bonus_points', points: 5 }, YES]],
  points_multiplier: [[{ kind: 'points_multiplier', multiplierBasisPoints: 20_000 }, YES]],
};

describe('an effect, by whether it looks at lines', () => {
  it.each(
    Object.values(EFFECTS).flatMap((each) =>
      each.map(([effect, outcome]) => [JSON.stringify(effect), outcome, effect] as const),
    ),
  )('%s: %s', (_text, outcome, effect) => {
    expect(verdictOn({ effect }).failure?.reason ?? YES).toBe(outcome);
  });
});

describe('a percentage, which is rounded on each line', () => {
  const tenth: Effect = { kind: 'percent_off', basisPoints: 1_000, base: 'original' };
  const tiered: Effect = { kind: 'tiered_off', thresholdKind: 'spend', ...tiers };
  // A tenth of 0.04 is nothing, of 0.05 it is 0.01.
  it.each([
    ['100 lines are assumed', { totalMinor: 401 }, { savesMinor: 40 }],
    ['all of them may cost 0.04', { totalMinor: 400 }, NEEDS],
    ['there are 3 lines', { totalMinor: 13, lineCount: 3 }, { savesMinor: 1 }],
    ['all 3 may cost 0.04', { totalMinor: 12, lineCount: 3 }, NEEDS],
    ['there are as many lines as items', { totalMinor: 401, itemIds: manyItems(101) }, NEEDS],
    ['the sum is too small for any line', { totalMinor: 4 }, { failure: { reason: 'NOTHING_TO_DISCOUNT' } }],
  ])('%s', (_text, changes, outcome) => {
    expect(verdictOn({ effect: tenth }, summaryOf(changes))).toMatchObject(outcome);
    expect(verdictOn({ effect: tiered }, summaryOf(changes))).toMatchObject(outcome);
  });

  it('of more than a half is never rounded to nothing', () => {
    const effect: Effect = { ...tenth, basisPoints: 5_000 };
    expect(verdictOn({ effect }, summaryOf({ totalMinor: 1 }))).toMatchObject({ savesMinor: 1 });
  });
});

function manyItems(count: number): ReadonlySet<string> {
  return new Set(Array.from({ length: count }, (_, index) => `item-${index}`));
}

function summaryOfLines({ lines, ...cart }: Cart): CartSummary {
  const totalMinor = lines.reduce((sum, { unitPriceMinor, quantity }) => sum + unitPriceMinor * quantity, 0);
  return { ...cart, totalMinor, itemIds: new Set(lines.map(({ itemId }) => itemId)) };
}

/** Both answer the same: no or yes, and what it gives up to the rounding of each line. */
function expectSame(fromSummary: Verdict, fromLines: Verdict | undefined, lines: number): void {
  const { failure, savesMinor = 0, giftUnits, bonusPoints } = fromSummary;
  expect(failure === undefined).toBe(fromLines?.failure === undefined);
  if (failure !== undefined) return;
  expect(Math.abs(savesMinor - (fromLines?.savesMinor ?? 0))).toBeLessThanOrEqual(lines / 2);
  expect({ giftUnits, bonusPoints }).toEqual({
    giftUnits: fromLines?.giftUnits,
    bonusPoints: fromLines?.bonusPoints,
  });
}

describe('a verdict from a summary', () => {
  it('is never contradicted by the lines: what it allows they allow, what it refuses they refuse', () => {
    let judged = 0;
    fc.assert(
      fc.property(situations(MIXED), ({ current, older, input }) => {
        const table = tableOf(current, older);
        const { cart, ...asked } = input;
        const fromLines = judgeCoupons(table, input);
        const lineCount = cart.lines.length;
        for (const known of [{}, { lineCount }]) {
          const fromSummary = judgeSummary(table, {
            ...asked,
            summary: { ...summaryOfLines(cart), ...known },
          });
          expect(fromSummary.map(({ source }) => source)).toEqual(fromLines.map(({ source }) => source));
          for (const [at, verdict] of fromSummary.entries()) {
            if (verdict.failure?.reason === 'NEEDS_LINES') continue;
            judged += 1;
            expectSame(verdict, fromLines[at], lineCount);
          }
        }
      }),
      { numRuns: 2_000 },
    );
    expect(judged).toBeGreaterThan(1_000);
  });
});
