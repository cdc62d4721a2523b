/** Random rules. Amounts, items and names are few and small, so that rules hold about as often as not. */
import fc from 'fast-check';
import type { ItemSelection, Rule, TimeSlot } from '../../src/domain/promotion.ts';
import { EXPRESSIONS } from './reference/expression-check.ts';

/** Items that carts and promotions share. */
export const ITEM_IDS = ['i1', 'i2', 'i3', 'i4'] as const;
/** Categories that carts and promotions share. */
export const CATEGORY_IDS = ['c1', 'c2', 'c3'] as const;
/** Tags of users. */
export const TAGS = ['vip', 'gold'] as const;
/** Names of exclusive groups. */
const GROUPS = ['g1', 'g2'] as const;

/** Items and categories, at least one. */
export const selections: fc.Arbitrary<ItemSelection> = fc
  .record({
    itemIds: fc.subarray([...ITEM_IDS], { maxLength: 2 }),
    categoryIds: fc.subarray([...CATEGORY_IDS], { maxLength: 2 }),
  })
  .map(({ itemIds, categoryIds }) =>
    itemIds.length + categoryIds.length === 0 ? { itemIds: ['i1'], categoryIds } : { itemIds, categoryIds },
  );

/** Thresholds that carts of a few small lines reach about as often as not. */
export const thresholds = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 150 }));

/** A share in basis points; odd ones, halves and everything. */
export const basisPoints = fc.oneof(
  fc.constantFrom(500, 1000, 1250, 3333, 5000, 10_000),
  fc.integer({ min: 1, max: 10_000 }),
);

const bases = fc.constantFrom('before' as const, 'after' as const);
const matches = fc.constantFrom('any' as const, 'all' as const);

const slots: fc.Arbitrary<TimeSlot> = fc.record({
  startMinute: fc.constantFrom(0, 180, 660, 720, 1320),
  endMinute: fc.constantFrom(60, 180, 240, 720, 721, 1440),
});

/** The scope of a discount. */
export const scopes: fc.Arbitrary<Rule> = selections.map((selection) => ({
  kind: 'item_discount_scope',
  selection,
}));

/** With what a promotion combines. */
export const stackabilities: fc.Arbitrary<Rule> = fc.record({
  kind: fc.constant('stackability' as const),
  mode: fc.oneof(
    { weight: 5, arbitrary: fc.constant('combines' as const) },
    { weight: 1, arbitrary: fc.constant('alone' as const) },
  ),
  excludedKinds: fc.subarray(['fixed_amount_off', 'percent_off', 'free_shipping', 'buy_x_get_y'] as const, {
    maxLength: 2,
  }),
  exclusiveGroups: fc.subarray([...GROUPS]),
  choice: fc.oneof(
    { weight: 4, arbitrary: fc.constant('best_saving' as const) },
    { weight: 1, arbitrary: fc.constant('first_by_priority' as const) },
  ),
});

/** A threshold in money, before or after other discounts. */
export const minimumSpends: fc.Arbitrary<Rule> = fc.record({
  kind: fc.constant('minimum_spend' as const),
  amountMinor: thresholds,
  basis: bases,
});

/** Lines left out, or refused. */
export const exclusions: fc.Arbitrary<Rule> = fc.record({
  kind: fc.constant('exclusion' as const),
  selection: selections,
  presenceRefuses: fc.oneof(
    { weight: 9, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
});

const aboutItems: fc.Arbitrary<Rule> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('item_eligibility' as const, 'conditional_gift_item' as const),
    selection: selections,
    match: matches,
  }),
  fc.record({
    kind: fc.constant('quantity_threshold' as const),
    minQuantity: fc.integer({ min: 1, max: 8 }),
  }),
  fc.record({
    kind: fc.constant('sale_items' as const),
    handling: fc.constantFrom('count' as const, 'excluded' as const, 'excluded' as const, 'refuse' as const),
  }),
  fc.record({ kind: fc.constant('spend_for_gift' as const), amountMinor: thresholds }),
);

const aboutTheOrder: fc.Arbitrary<Rule> = fc.oneof(
  fc.record({ kind: fc.constant('channel' as const), channels: fc.constantFrom(['app'], ['app', 'web']) }),
  fc.record({
    kind: fc.constant('region' as const),
    regions: fc.constantFrom(['CN-SH'], ['CN-BJ', 'CN-SH']),
  }),
  fc.record({ kind: fc.constant('payment_method' as const), paymentMethods: fc.constant(['wechat_pay']) }),
  fc.record({
    kind: fc.constant('time_slot' as const),
    slots: fc.array(slots, { minLength: 1, maxLength: 2 }),
    days: fc.subarray([1, 3, 5, 6, 7]),
    timeZone: fc.constantFrom('Asia/Shanghai', 'America/New_York', 'Europe/Berlin', 'Asia/Kolkata'),
  }),
  fc.record({
    kind: fc.constant('cel' as const),
    expression: fc.constantFrom(...Object.keys(EXPRESSIONS)),
  }),
);

const aboutTheUser: fc.Arbitrary<Rule> = fc.oneof(
  fc.record({ kind: fc.constant('first_order' as const) }),
  fc.record({
    kind: fc.constant('nth_order' as const),
    nth: fc.integer({ min: 1, max: 3 }),
    repeats: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('custom_attribute' as const),
    attribute: fc.constant('table_size'),
    source: fc.constantFrom('cart' as const, 'user' as const),
    condition: fc.constantFrom(
      { kind: 'one_of' as const, values: ['large', 'huge'] },
      { kind: 'none_of' as const, values: ['large'] },
      { kind: 'in_range' as const, atLeast: 2, atMost: 5 },
      { kind: 'in_range' as const, atMost: 3 },
      { kind: 'equals' as const, value: true },
    ),
  }),
);

/** Any rule, those about money and stacking more often than those that are looked up in a fact. */
export const rules: fc.Arbitrary<Rule> = fc.oneof(
  { weight: 5, arbitrary: scopes },
  { weight: 5, arbitrary: stackabilities },
  { weight: 4, arbitrary: minimumSpends },
  { weight: 3, arbitrary: exclusions },
  { weight: 3, arbitrary: aboutItems },
  { weight: 1, arbitrary: aboutTheOrder },
  { weight: 1, arbitrary: aboutTheUser },
);
