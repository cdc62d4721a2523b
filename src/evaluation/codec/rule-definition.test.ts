import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import type { Rule } from '../../domain/promotion.ts';
import { EffectKindSchema, EffectSchema } from '../../gen/hongbao/v1/effect_pb.ts';
import { RuleSchema } from '../../gen/hongbao/v1/rule_pb.ts';
import { ruleDefinition } from './rule-definition.ts';

const ruleOf = (kind: object): Rule => ruleDefinition(create(RuleSchema, { kind } as never));

const selection = { itemIds: ['duck'], categoryIds: ['poultry'] };

/** Each rule, with defaults and without. */
const RULES: readonly { init: object; rule: Rule }[] = [
  {
    init: { case: 'minimumSpend', value: { amountMinor: 100n } },
    rule: { kind: 'minimum_spend', amountMinor: 100, basis: 'before' },
  },
  {
    init: { case: 'minimumSpend', value: { amountMinor: 100n, basis: 2 } },
    rule: { kind: 'minimum_spend', amountMinor: 100, basis: 'after' },
  },
  {
    init: { case: 'itemEligibility', value: { selection } },
    rule: { kind: 'item_eligibility', selection, match: 'any' },
  },
  {
    init: { case: 'itemEligibility', value: { selection, match: 2 } },
    rule: { kind: 'item_eligibility', selection, match: 'all' },
  },
  {
    init: { case: 'exclusion', value: { selection, presenceRefuses: true } },
    rule: { kind: 'exclusion', selection, presenceRefuses: true },
  },
  {
    init: { case: 'itemDiscountScope', value: { selection } },
    rule: { kind: 'item_discount_scope', selection },
  },
  {
    init: { case: 'conditionalGiftItem', value: { requiredSelection: selection, match: 2 } },
    rule: { kind: 'conditional_gift_item', selection, match: 'all' },
  },
  {
    init: { case: 'spendForGift', value: { amountMinor: 300n } },
    rule: { kind: 'spend_for_gift', amountMinor: 300 },
  },
  {
    init: {
      case: 'timeSlot',
      value: { slots: [{ startMinute: 660, endMinute: 840 }], days: [1, 7], timeZone: 'Asia/Shanghai' },
    },
    rule: {
      kind: 'time_slot',
      slots: [{ startMinute: 660, endMinute: 840 }],
      days: [1, 7],
      timeZone: 'Asia/Shanghai',
    },
  },
  {
    init: { case: 'quantityThreshold', value: { minQuantity: 3 } },
    rule: { kind: 'quantity_threshold', minQuantity: 3 },
  },
  { init: { case: 'firstOrder', value: {} }, rule: { kind: 'first_order' } },
  {
    init: { case: 'nthOrder', value: { nth: 5, repeats: true } },
    rule: { kind: 'nth_order', nth: 5, repeats: true },
  },
  { init: { case: 'channel', value: { channels: ['app'] } }, rule: { kind: 'channel', channels: ['app'] } },
  { init: { case: 'region', value: { regions: ['sh'] } }, rule: { kind: 'region', regions: ['sh'] } },
  {
    init: { case: 'paymentMethod', value: { paymentMethods: ['card'] } },
    rule: { kind: 'payment_method', paymentMethods: ['card'] },
  },
  {
    init: {
      case: 'customAttribute',
      value: { attribute: 'table', condition: { case: 'oneOf', value: { values: ['a'] } } },
    },
    rule: {
      kind: 'custom_attribute',
      attribute: 'table',
      source: 'cart',
      condition: { kind: 'one_of', values: ['a'] },
    },
  },
  {
    init: {
      case: 'customAttribute',
      value: { attribute: 'tier', source: 2, condition: { case: 'noneOf', value: { values: ['a'] } } },
    },
    rule: {
      kind: 'custom_attribute',
      attribute: 'tier',
      source: 'user',
      condition: { kind: 'none_of', values: ['a'] },
    },
  },
  {
    init: {
      case: 'customAttribute',
      value: { attribute: 'age', condition: { case: 'inRange', value: { atLeast: 18n, atMost: 65n } } },
    },
    rule: {
      kind: 'custom_attribute',
      attribute: 'age',
      source: 'cart',
      condition: { kind: 'in_range', atLeast: 18, atMost: 65 },
    },
  },
  {
    init: {
      case: 'customAttribute',
      value: { attribute: 'age', condition: { case: 'inRange', value: { atMost: -1n } } },
    },
    rule: {
      kind: 'custom_attribute',
      attribute: 'age',
      source: 'cart',
      condition: { kind: 'in_range', atMost: -1 },
    },
  },
  {
    init: {
      case: 'customAttribute',
      value: { attribute: 'vip', condition: { case: 'equals', value: false } },
    },
    rule: {
      kind: 'custom_attribute',
      attribute: 'vip',
      source: 'cart',
      condition: { kind: 'equals', value: false },
    },
  },
  { init: { case: 'saleItems', value: { handling: 1 } }, rule: { kind: 'sale_items', handling: 'count' } },
  { init: { case: 'saleItems', value: { handling: 2 } }, rule: { kind: 'sale_items', handling: 'excluded' } },
  { init: { case: 'saleItems', value: { handling: 3 } }, rule: { kind: 'sale_items', handling: 'refuse' } },
  {
    init: { case: 'stackability', value: {} },
    rule: {
      kind: 'stackability',
      mode: 'combines',
      excludedKinds: [],
      exclusiveGroups: [],
      choice: 'best_saving',
    },
  },
  {
    init: {
      case: 'stackability',
      value: { mode: 2, excludedKinds: [2, 12], exclusiveGroups: ['lunch'], choice: 2 },
    },
    rule: {
      kind: 'stackability',
      mode: 'alone',
      excludedKinds: ['percent_off', 'points_multiplier'],
      exclusiveGroups: ['lunch'],
      choice: 'first_by_priority',
    },
  },
  {
    init: { case: 'cel', value: { expression: 'true', conditionText: { en: 'x', zh: 'x' } } },
    rule: { kind: 'cel', expression: 'true' },
  },
];

const kindsOf = ({ oneofs }: typeof EffectSchema | typeof RuleSchema): string[] =>
  (oneofs.find(({ name }) => name === 'kind')?.fields ?? []).map(({ name }) => name);

// SPEC R1–R8: every kind of the contract reaches the engine.
test('every kind of rule is among the examples', () => {
  expect(new Set(RULES.map(({ rule }) => rule.kind))).toEqual(new Set(kindsOf(RuleSchema)));
});

test.each(RULES)('$rule is read field by field', ({ init, rule }) => {
  expect(ruleOf(init)).toEqual(rule);
});

// SPEC R7
test('every kind of effect can be excluded by name', () => {
  const excludedKinds = EffectKindSchema.values.slice(1).map(({ number }) => number);
  expect(ruleOf({ case: 'stackability', value: { excludedKinds } })).toMatchObject({
    excludedKinds: kindsOf(EffectSchema),
  });
});
