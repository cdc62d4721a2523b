import { describe, expect, it, test } from 'vitest';
import { sampleLine } from '../../../test/engine/sample-input.ts';
import { failureOf, type RuleQuestion } from '../../../test/engine/sample-rule-context.ts';
import type { Failure } from '../../domain/decision.ts';
import type { ItemSelection, Rule } from '../../domain/promotion.ts';
import { RuleSchema } from '../../gen/hongbao/v1/rule_pb.ts';

/** Duck for 120.00, two rice for 15.00 each, on sale and in the category of side dishes. */
const LINES = [
  sampleLine({ lineId: '1', itemId: 'duck', categoryIds: ['mains'], unitPriceMinor: 12_000 }),
  sampleLine({
    lineId: '2',
    itemId: 'rice',
    categoryIds: ['sides', 'staples'],
    quantity: 2,
    unitPriceMinor: 1500,
    isOnSale: true,
  }),
];
const MEAL: RuleQuestion = { cart: { lines: LINES } };
const DUCK = { itemIds: ['duck'], categoryIds: [] };
const SIDES = { itemIds: [], categoryIds: ['sides'] };
const NONE = { itemIds: ['tea'], categoryIds: ['drinks'] };
const GIFT = {
  kind: 'gift_items',
  items: [{ itemId: 'tea', quantity: 1 }],
  placement: 'added_line',
  onlyDearest: false,
} as const;

type Case = readonly [
  title: string,
  rule: Rule,
  question: RuleQuestion,
  failure: Omit<Failure, 'ruleIndex'> | undefined,
];

const missing = (needed: string): Failure => ({ reason: 'FACT_MISSING', needed });
const attributes = (values: Record<string, string | number | boolean>) => new Map(Object.entries(values));
const unmatched = (seen: string | number, needed?: string | number): Failure => ({
  reason: 'ATTRIBUTE_NOT_MATCHED',
  seen,
  ...(needed === undefined ? {} : { needed }),
});

const spend = (amountMinor: number, basis: 'before' | 'after' = 'before') =>
  ({ kind: 'minimum_spend', amountMinor, basis }) as const;
const tooLittle = (needed: number, seen: number): Failure => ({
  reason: 'MINIMUM_SPEND_NOT_MET',
  needed,
  seen,
  shortfall: { kind: 'minor', missing: needed - seen },
});
const needs = (selection: ItemSelection, match: 'any' | 'all' = 'any') =>
  ({ kind: 'item_eligibility', selection, match }) as const;
const giftFor = (selection: ItemSelection, match: 'any' | 'all' = 'any') =>
  ({ kind: 'conditional_gift_item', selection, match }) as const;
const unless = (selection: ItemSelection, presenceRefuses: boolean) =>
  ({ kind: 'exclusion', selection, presenceRefuses }) as const;
const scope = (selection: ItemSelection) => ({ kind: 'item_discount_scope', selection }) as const;
const units = (minQuantity: number) => ({ kind: 'quantity_threshold', minQuantity }) as const;
const sale = (handling: 'count' | 'excluded' | 'refuse') => ({ kind: 'sale_items', handling }) as const;
const nth = (number: number, repeats = false) => ({ kind: 'nth_order', nth: number, repeats }) as const;
const has = (
  condition: Extract<Rule, { kind: 'custom_attribute' }>['condition'],
  source: 'cart' | 'user' = 'cart',
) => ({ kind: 'custom_attribute', attribute: 'table', source, condition }) as const;
const lunch = {
  kind: 'time_slot',
  slots: [{ startMinute: 660, endMinute: 840 }],
  days: [1, 3],
  timeZone: 'Asia/Shanghai',
} as const;
const stacking = {
  kind: 'stackability',
  mode: 'combines',
  excludedKinds: [],
  exclusiveGroups: [],
  choice: 'best_saving',
} as const;

// SPEC R1–R8, P10
const CASES: readonly Case[] = [
  ['the spend is the threshold itself', spend(15_000), MEAL, undefined],
  ['a minor unit short', spend(15_001), MEAL, tooLittle(15_001, 15_000)],
  ['the spend inside the scope', spend(12_000), { ...MEAL, beside: [scope(DUCK)] }, undefined],
  [
    'short inside the scope (SPEC R1)',
    spend(12_001),
    { ...MEAL, beside: [scope(DUCK)] },
    tooLittle(12_001, 12_000),
  ],
  ['a threshold after discounts waits for its turn', spend(99_999, 'after'), MEAL, undefined],
  ['some listed item', needs({ itemIds: ['tea', 'duck'], categoryIds: [] }), MEAL, undefined],
  ['some listed category', needs({ itemIds: ['tea'], categoryIds: ['staples'] }), MEAL, undefined],
  ['nothing listed', needs(NONE), MEAL, { reason: 'REQUIRED_ITEMS_MISSING', needed: 'tea' }],
  [
    'all listed items and categories',
    needs({ itemIds: ['duck'], categoryIds: ['sides'] }, 'all'),
    MEAL,
    undefined,
  ],
  [
    'one listed category short',
    needs({ itemIds: ['duck'], categoryIds: ['sides', 'drinks'] }, 'all'),
    MEAL,
    { reason: 'REQUIRED_ITEMS_MISSING', needed: 'drinks' },
  ],
  [
    'an item is no category of the same name',
    needs({ itemIds: [], categoryIds: ['duck'] }),
    MEAL,
    { reason: 'REQUIRED_ITEMS_MISSING', needed: 'duck' },
  ],
  ['excluded lines are left out', unless(SIDES, false), MEAL, undefined],
  [
    'excluded lines do not count',
    spend(12_001),
    { ...MEAL, beside: [unless(SIDES, false)] },
    tooLittle(12_001, 12_000),
  ],
  ['excluded lines refuse', unless(SIDES, true), MEAL, { reason: 'EXCLUDED_ITEM_PRESENT', seen: 'rice' }],
  ['excluded lines are not there', unless(NONE, true), MEAL, undefined],
  ['a scope alone', scope(DUCK), MEAL, undefined],
  ['a gift for a listed item', giftFor(DUCK), { ...MEAL, effect: GIFT }, undefined],
  [
    'no gift without one',
    giftFor(NONE),
    { ...MEAL, effect: GIFT },
    { reason: 'GIFT_CONDITION_NOT_MET', needed: 'tea' },
  ],
  [
    'no gift without all',
    giftFor({ itemIds: ['duck', 'tea'], categoryIds: [] }, 'all'),
    { ...MEAL, effect: GIFT },
    { reason: 'GIFT_CONDITION_NOT_MET', needed: 'tea' },
  ],
  [
    'a gift for the whole order, not the scope',
    { kind: 'spend_for_gift', amountMinor: 15_000 },
    { ...MEAL, effect: GIFT, beside: [scope(DUCK)] },
    undefined,
  ],
  [
    'a gift for what is not excluded',
    { kind: 'spend_for_gift', amountMinor: 15_000 },
    { ...MEAL, effect: GIFT, beside: [unless(SIDES, false)] },
    {
      reason: 'GIFT_CONDITION_NOT_MET',
      needed: 15_000,
      seen: 12_000,
      shortfall: { kind: 'minor', missing: 3000 },
    },
  ],
  ['noon on a Wednesday', lunch, {}, undefined],
  [
    'noon on a Tuesday',
    lunch,
    { atMs: Date.UTC(2026, 5, 30, 4) },
    { reason: 'OUTSIDE_TIME_SLOT', needed: '1,3 11:00-14:00', seen: '2 12:00' },
  ],
  ['as many units', units(3), MEAL, undefined],
  [
    'too few units',
    units(5),
    MEAL,
    { reason: 'QUANTITY_NOT_MET', needed: 5, seen: 3, shortfall: { kind: 'units', missing: 2 } },
  ],
  ['units inside the scope', units(2), { ...MEAL, beside: [scope(SIDES)] }, undefined],
  ['no order yet', { kind: 'first_order' }, { facts: { ordersCompleted: 0 } }, undefined],
  [
    'an order already',
    { kind: 'first_order' },
    { facts: { ordersCompleted: 2 } },
    { reason: 'NOT_FIRST_ORDER', needed: 0, seen: 2 },
  ],
  ['orders unknown', { kind: 'first_order' }, {}, missing('orders_completed')],
  ['the third order', nth(3), { facts: { ordersCompleted: 2 } }, undefined],
  [
    'the sixth is not the third',
    nth(3),
    { facts: { ordersCompleted: 5 } },
    { reason: 'NOT_NTH_ORDER', needed: 3, seen: 6 },
  ],
  ['the sixth is a third one', nth(3, true), { facts: { ordersCompleted: 5 } }, undefined],
  [
    'the fifth is no third one',
    nth(3, true),
    { facts: { ordersCompleted: 4 } },
    { reason: 'NOT_NTH_ORDER', needed: 3, seen: 5 },
  ],
  ['which order is unknown', nth(3), {}, missing('orders_completed')],
  [
    'an allowed channel',
    { kind: 'channel', channels: ['app', 'pos'] },
    { cart: { channel: 'pos' } },
    undefined,
  ],
  [
    'another channel; five are named',
    { kind: 'channel', channels: ['a', 'b', 'c', 'd', 'e', 'f'] },
    { cart: { channel: 'web' } },
    { reason: 'CHANNEL_NOT_ALLOWED', needed: 'a, b, c, d, e', seen: 'web' },
  ],
  ['no channel', { kind: 'channel', channels: ['app'] }, {}, missing('channel')],
  ['an allowed region', { kind: 'region', regions: ['CN-SH'] }, { cart: { region: 'CN-SH' } }, undefined],
  [
    'another region',
    { kind: 'region', regions: ['CN-SH'] },
    { cart: { region: 'CN-BJ' } },
    { reason: 'REGION_NOT_ALLOWED', needed: 'CN-SH', seen: 'CN-BJ' },
  ],
  ['no region', { kind: 'region', regions: ['CN-SH'] }, {}, missing('region')],
  [
    'an allowed way to pay',
    { kind: 'payment_method', paymentMethods: ['alipay'] },
    { cart: { paymentMethod: 'alipay' } },
    undefined,
  ],
  [
    'another way to pay',
    { kind: 'payment_method', paymentMethods: ['alipay'] },
    { cart: { paymentMethod: 'cash' } },
    { reason: 'PAYMENT_METHOD_NOT_ALLOWED', needed: 'alipay', seen: 'cash' },
  ],
  ['no way to pay', { kind: 'payment_method', paymentMethods: ['alipay'] }, {}, missing('payment_method')],
  [
    'a wanted text',
    has({ kind: 'one_of', values: ['a', 'b'] }),
    { cart: { attributes: attributes({ table: 'b' }) } },
    undefined,
  ],
  [
    'another text',
    has({ kind: 'one_of', values: ['a', 'b'] }),
    { cart: { attributes: attributes({ table: 'c' }) } },
    unmatched('c', 'a, b'),
  ],
  [
    'a number is no text',
    has({ kind: 'one_of', values: ['1'] }),
    { cart: { attributes: attributes({ table: 1 }) } },
    missing('table'),
  ],
  [
    'a text that is not refused',
    has({ kind: 'none_of', values: ['a'] }),
    { cart: { attributes: attributes({ table: 'b' }) } },
    undefined,
  ],
  [
    'a refused text',
    has({ kind: 'none_of', values: ['a'] }),
    { cart: { attributes: attributes({ table: 'a' }) } },
    unmatched('a'),
  ],
  ['no text to refuse', has({ kind: 'none_of', values: ['a'] }), {}, missing('table')],
  [
    'the least number',
    has({ kind: 'in_range', atLeast: 3, atMost: 5 }),
    { cart: { attributes: attributes({ table: 3 }) } },
    undefined,
  ],
  [
    'the greatest number',
    has({ kind: 'in_range', atLeast: 3, atMost: 5 }),
    { cart: { attributes: attributes({ table: 5 }) } },
    undefined,
  ],
  [
    'below the least',
    has({ kind: 'in_range', atLeast: 3, atMost: 5 }),
    { cart: { attributes: attributes({ table: 2 }) } },
    unmatched(2, 3),
  ],
  [
    'above the greatest',
    has({ kind: 'in_range', atMost: 5 }),
    { cart: { attributes: attributes({ table: 6 }) } },
    unmatched(6, 5),
  ],
  [
    'a text is no number',
    has({ kind: 'in_range', atLeast: 1 }),
    { cart: { attributes: attributes({ table: '3' }) } },
    missing('table'),
  ],
  [
    'the wanted truth',
    has({ kind: 'equals', value: false }),
    { cart: { attributes: attributes({ table: false }) } },
    undefined,
  ],
  [
    'the other truth',
    has({ kind: 'equals', value: false }),
    { cart: { attributes: attributes({ table: true }) } },
    unmatched('true', 'false'),
  ],
  [
    'no truth',
    has({ kind: 'equals', value: false }),
    { cart: { attributes: attributes({ table: 0 }) } },
    missing('table'),
  ],
  [
    "the user's attribute",
    has({ kind: 'equals', value: true }, 'user'),
    { facts: { attributes: attributes({ table: true }) } },
    undefined,
  ],
  [
    "the cart's is not the user's",
    has({ kind: 'equals', value: true }, 'user'),
    { cart: { attributes: attributes({ table: true }) } },
    missing('table'),
  ],
  ['sale items count', sale('count'), MEAL, undefined],
  ['sale items refuse', sale('refuse'), MEAL, { reason: 'SALE_ITEM_PRESENT', seen: 'rice' }],
  ['there are no sale items', sale('refuse'), {}, undefined],
  ['sale items left out', spend(12_001), { ...MEAL, beside: [sale('excluded')] }, tooLittle(12_001, 12_000)],
  ['sale items left out check nothing', sale('excluded'), MEAL, undefined],
  ['stacking is no check', stacking, MEAL, undefined],
  ['a true expression', { kind: 'cel', expression: 'cart.units == 3' }, MEAL, undefined],
  [
    'a false expression',
    { kind: 'cel', expression: 'cart.units == 4' },
    MEAL,
    { reason: 'EXPRESSION_FALSE' },
  ],
];

describe('rules', () => {
  it('every kind of the contract is tried here (SPEC P10)', () => {
    const kinds = RuleSchema.oneofs.flatMap(({ fields }) => fields.map(({ name }) => name));
    expect([...new Set(CASES.map(([, rule]) => rule.kind))].sort()).toEqual(kinds.sort());
  });

  test.each(CASES.map(([title, ...rest]) => [rest[0].kind, title, rest] as const))(
    '%s: %s',
    (_, __, [rule, question, failure]) => {
      expect(failureOf(rule, question)).toEqual(failure && { ...failure, ruleIndex: 0 });
    },
  );
});
