import { type DescMessage, fromJson, type JsonObject } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../domain/refusal.ts';
import { ReachSchema, TargetSchema, ValiditySchema } from '../gen/hongbao/v1/availability_pb.ts';
import { EffectSchema } from '../gen/hongbao/v1/effect_pb.ts';
import { CreatePromotionRequestSchema } from '../gen/hongbao/v1/promotion_service_pb.ts';
import { RuleSchema } from '../gen/hongbao/v1/rule_pb.ts';
import { requireValid } from './require-valid.ts';

const ITEMS = { itemIds: ['duck'] };

/** A promotion without faults; `changes` replaces top-level fields. */
function promotion(changes: JsonObject): JsonObject {
  return {
    name: { en: 'Spring', zh: '春' },
    currency: 'CNY',
    effect: { fixedAmountOff: { amountMinor: 1000 } },
    reach: { claimable: {} },
    ...changes,
  };
}

/** The faults of a promotion by field path, without the prefix all of them share. */
function faultsOf(changes: JsonObject): string[] {
  const request = fromJson(CreatePromotionRequestSchema, { requestId: 'r', promotion: promotion(changes) });
  try {
    requireValid(CreatePromotionRequestSchema, request, request.promotion);
    return [];
  } catch (error) {
    if (!(error instanceof Refusal) || error.reason !== 'INVALID_REQUEST') throw error;
    return (error.detail.violations ?? []).map(({ field }) => field.replace('promotion.', ''));
  }
}

interface Case {
  /** A member of the choice that is set to something valid. */
  readonly valid: JsonObject;
  /** The same member set to something wrong, and the path that must be named. */
  readonly faulty: JsonObject;
  readonly path: string;
}

const TIER = { spendMinor: 10_000, amountOffMinor: 1000 };
const EFFECTS: Readonly<Record<string, Case>> = {
  fixed_amount_off: {
    valid: { fixedAmountOff: { amountMinor: 1 } },
    faulty: { fixedAmountOff: { amountMinor: 1 }, unitCap: { maxUnits: 1 } },
    path: 'effect.unit_cap',
  },
  percent_off: {
    valid: { percentOff: { discountBasisPoints: 10_000, maxOffMinor: 2000 } },
    faulty: { percentOff: { discountBasisPoints: 10_001 } },
    path: 'effect.percent_off.discount_basis_points',
  },
  gift_items: {
    valid: { giftItems: { items: [{ itemId: 'tea', quantity: 1 }] } },
    faulty: { giftItems: {} },
    path: 'effect.gift_items.items',
  },
  shipping_off: {
    valid: { shippingOff: { amountMinor: 500 } },
    faulty: { shippingOff: {} },
    path: 'effect.shipping_off.amount_minor',
  },
  free_shipping: {
    valid: { freeShipping: {} },
    faulty: { freeShipping: { maxOffMinor: 0 } },
    path: 'effect.free_shipping.max_off_minor',
  },
  no_threshold_voucher: {
    valid: { noThresholdVoucher: { amountMinor: 500 } },
    faulty: { noThresholdVoucher: { amountMinor: -1 } },
    path: 'effect.no_threshold_voucher.amount_minor',
  },
  tiered_off: {
    valid: { tieredOff: { tiers: [TIER, { spendMinor: 20_000, amountOffMinor: 3000 }] } },
    faulty: { tieredOff: { tiers: [TIER, { spendMinor: 5000, amountOffMinor: 3000 }] } },
    path: 'effect.tiered_off.tiers[1].spend_minor',
  },
  every_amount_off: {
    valid: { everyAmountOff: { everyMinor: 10_000, amountOffMinor: 1000, maxTimes: 5 } },
    faulty: { everyAmountOff: { everyMinor: 1000, amountOffMinor: 1001, maxTimes: 5 } },
    path: 'effect.every_amount_off.amount_off_minor',
  },
  buy_x_get_y: {
    valid: { buyXGetY: { buyQuantity: 2, getQuantity: 1, discountBasisPoints: 10_000, maxGroups: 1 } },
    faulty: { buyXGetY: { buyQuantity: 2, getQuantity: 1, discountBasisPoints: 10_000 } },
    path: 'effect.buy_x_get_y.max_groups',
  },
  fixed_price: {
    valid: { fixedPrice: { priceMinor: 9900, bundleUnits: 3 }, unitCap: { maxUnits: 3 } },
    faulty: { fixedPrice: { priceMinor: 9900, bundleUnits: 3 }, unitCap: { maxUnits: 2 } },
    path: 'effect.unit_cap.max_units',
  },
  bonus_points: {
    valid: { bonusPoints: { points: 10 } },
    faulty: { bonusPoints: {} },
    path: 'effect.bonus_points.points',
  },
  points_multiplier: {
    valid: { pointsMultiplier: { multiplierBasisPoints: 20_000 } },
    faulty: { pointsMultiplier: { multiplierBasisPoints: 10_000 } },
    path: 'effect.points_multiplier.multiplier_basis_points',
  },
};

const RULES: Readonly<Record<string, Case>> = {
  minimum_spend: {
    valid: { minimumSpend: { amountMinor: 1 } },
    faulty: { minimumSpend: {} },
    path: 'rules[0].minimum_spend.amount_minor',
  },
  item_eligibility: {
    valid: { itemEligibility: { selection: ITEMS } },
    faulty: { itemEligibility: { selection: {} } },
    path: 'rules[0].item_eligibility.selection',
  },
  exclusion: {
    valid: { exclusion: { selection: ITEMS } },
    faulty: { exclusion: {} },
    path: 'rules[0].exclusion.selection',
  },
  item_discount_scope: {
    valid: { itemDiscountScope: { selection: ITEMS } },
    faulty: { itemDiscountScope: { selection: {} } },
    path: 'rules[0].item_discount_scope.selection',
  },
  conditional_gift_item: {
    valid: { conditionalGiftItem: { requiredSelection: ITEMS } },
    faulty: { conditionalGiftItem: {} },
    path: 'rules[0].conditional_gift_item.required_selection',
  },
  spend_for_gift: {
    valid: { spendForGift: { amountMinor: 1 } },
    faulty: { spendForGift: { amountMinor: 0 } },
    path: 'rules[0].spend_for_gift.amount_minor',
  },
  time_slot: {
    valid: { timeSlot: { days: ['DAY_OF_WEEK_MONDAY'], timeZone: 'Asia/Shanghai' } },
    faulty: { timeSlot: { days: ['DAY_OF_WEEK_MONDAY'], timeZone: 'Asia/Atlantis' } },
    path: 'rules[0].time_slot.time_zone',
  },
  quantity_threshold: {
    valid: { quantityThreshold: { minQuantity: 3 } },
    faulty: { quantityThreshold: {} },
    path: 'rules[0].quantity_threshold.min_quantity',
  },
  first_order: {
    valid: { firstOrder: {} },
    // Nothing inside it can be wrong; a rule without a kind stands in.
    faulty: {},
    path: 'rules[0].kind',
  },
  nth_order: {
    valid: { nthOrder: { nth: 2 } },
    faulty: { nthOrder: {} },
    path: 'rules[0].nth_order.nth',
  },
  channel: {
    valid: { channel: { channels: ['app'] } },
    faulty: { channel: {} },
    path: 'rules[0].channel.channels',
  },
  region: {
    valid: { region: { regions: ['CN-SH'] } },
    faulty: { region: {} },
    path: 'rules[0].region.regions',
  },
  payment_method: {
    valid: { paymentMethod: { paymentMethods: ['wechat_pay'] } },
    faulty: { paymentMethod: { paymentMethods: ['a', 'a'] } },
    path: 'rules[0].payment_method.payment_methods',
  },
  custom_attribute: {
    valid: { customAttribute: { attribute: 'table', equals: true } },
    faulty: { customAttribute: { attribute: 'table' } },
    path: 'rules[0].custom_attribute.condition',
  },
  sale_items: {
    valid: { saleItems: { handling: 'SALE_ITEM_HANDLING_REFUSE' } },
    faulty: { saleItems: {} },
    path: 'rules[0].sale_items.handling',
  },
  stackability: {
    valid: { stackability: { excludedKinds: ['EFFECT_KIND_PERCENT_OFF'] } },
    faulty: { stackability: { excludedKinds: ['EFFECT_KIND_PERCENT_OFF', 'EFFECT_KIND_PERCENT_OFF'] } },
    path: 'rules[0].stackability.excluded_kinds',
  },
  cel: { valid: { cel: { expression: 'true' } }, faulty: { cel: {} }, path: 'rules[0].cel.expression' },
};

const GIFT = { effect: { giftItems: { items: [{ itemId: 'tea', quantity: 1 }] } } };

function membersOf(schema: DescMessage, choice: string): string[] {
  return schema.oneofs.find(({ name }) => name === choice)?.fields.map(({ name }) => name) ?? [];
}

// SPEC P2
describe('effects', () => {
  test('every kind of the contract has its cases here', () => {
    expect(Object.keys(EFFECTS)).toEqual(membersOf(EffectSchema, 'kind'));
  });

  test.each(Object.entries(EFFECTS))('%s', (_, { valid, faulty, path }) => {
    expect(faultsOf({ effect: valid })).toEqual([]);
    expect(faultsOf({ effect: faulty })).toEqual([path]);
  });

  test('a gift is listed once', () => {
    const items = [
      { itemId: 'tea', quantity: 1 },
      { itemId: 'tea', quantity: 2 },
    ];
    expect(faultsOf({ effect: { giftItems: { items } } })).toEqual(['effect.gift_items.items[1].item_id']);
  });

  test('tiers rise in threshold and in discount', () => {
    const tiers = [
      TIER,
      { spendMinor: 20_000, amountOffMinor: 1000 },
      { spendMinor: 20_000, amountOffMinor: 900 },
    ];
    expect(faultsOf({ effect: { tieredOff: { tiers } } })).toEqual([
      'effect.tiered_off.tiers[1].amount_off_minor',
      'effect.tiered_off.tiers[2].spend_minor',
      'effect.tiered_off.tiers[2].amount_off_minor',
    ]);
  });

  test('thresholds are of one sort', () => {
    const tiers = [TIER, { quantity: 3, amountOffMinor: 2000 }];
    expect(faultsOf({ effect: { tieredOff: { tiers } } })).toEqual(['effect.tiered_off.tiers[1].quantity']);
  });

  test('a money ceiling on fixed amounts is refused, on percentages it is not', () => {
    const amounts = {
      tieredOff: { tiers: [TIER, { spendMinor: 20_000, amountOffMinor: 3000 }], maxOffMinor: 1 },
    };
    expect(faultsOf({ effect: amounts })).toEqual(['effect.tiered_off.max_off_minor']);
    const percent = [
      { quantity: 2, discountBasisPoints: 500 },
      { quantity: 3, discountBasisPoints: 900 },
    ];
    expect(faultsOf({ effect: { tieredOff: { tiers: percent, maxOffMinor: 1 } } })).toEqual([]);
  });
});

// SPEC R1–R8, as definitions
describe('rules', () => {
  test('every kind of the contract has its cases here', () => {
    expect(Object.keys(RULES)).toEqual(membersOf(RuleSchema, 'kind'));
  });

  test.each(Object.entries(RULES))('%s', (name, { valid, faulty, path }) => {
    const gift = name === 'conditional_gift_item' || name === 'spend_for_gift' ? GIFT : {};
    expect(faultsOf({ ...gift, rules: [valid] })).toEqual([]);
    expect(faultsOf({ ...gift, rules: [faulty] })).toEqual([path]);
  });

  test('the first order is not also a later one', () => {
    expect(faultsOf({ rules: [{ firstOrder: {} }, { nthOrder: { nth: 1 } }] })).toEqual([]);
    expect(faultsOf({ rules: [{ firstOrder: {} }, { nthOrder: { nth: 2 } }] })).toEqual([
      'rules[1].nth_order.nth',
    ]);
  });

  test.each([
    'minimum_spend',
    'item_discount_scope',
    'spend_for_gift',
    'quantity_threshold',
    'first_order',
    'nth_order',
    'sale_items',
    'stackability',
  ])('there is at most one %s rule', (kind) => {
    const valid = RULES[kind]?.valid ?? {};
    expect(faultsOf({ ...GIFT, rules: [valid, valid] })).toEqual([`rules[1].${kind}`]);
  });

  test('a gift rule needs a gift', () => {
    const rules = [
      { conditionalGiftItem: { requiredSelection: ITEMS } },
      { spendForGift: { amountMinor: 1 } },
    ];
    expect(faultsOf({ rules })).toEqual(['rules[0].conditional_gift_item', 'rules[1].spend_for_gift']);
  });

  test('a voucher without threshold has no minimum spend', () => {
    const effect = { noThresholdVoucher: { amountMinor: 500 } };
    expect(faultsOf({ effect, rules: [{ minimumSpend: { amountMinor: 1 } }] })).toEqual([
      'rules[0].minimum_spend',
    ]);
  });

  test('a scope of which everything is excluded is empty; an item is not a category of the same name', () => {
    const scope = { itemDiscountScope: { selection: ITEMS } };
    const path = 'rules[0].item_discount_scope.selection';
    expect(faultsOf({ rules: [scope, { exclusion: { selection: ITEMS } }] })).toEqual([path]);
    expect(faultsOf({ rules: [scope, { exclusion: { selection: { categoryIds: ['duck'] } } }] })).toEqual([]);
  });

  test('days and hours are within the week and the day', () => {
    const timeSlot = { slots: [{ startMinute: 1440, endMinute: 0 }], days: [8], timeZone: '+08:00' };
    expect(faultsOf({ rules: [{ timeSlot }] }).sort()).toEqual([
      'rules[0].time_slot.days[0]',
      'rules[0].time_slot.slots[0].end_minute',
      'rules[0].time_slot.slots[0].start_minute',
      'rules[0].time_slot.time_zone',
      'rules[0].time_slot.time_zone',
    ]);
  });

  // SPEC P10
  test.each([
    ['does not parse', 'cart.'],
    ['asks for what there is not', 'cart.subtotl_minor > 1'],
    ['is no condition', 'cart.subtotal_minor + 1'],
    ['uses patterns', 'cart.channel.matches("(a+)+")'],
    ['loops too deep', 'cart.lines.all(a, cart.lines.all(b, cart.lines.all(c, a == b && b == c)))'],
    ['is too long', 'true'.concat(' && cart.units > 1'.repeat(200))],
  ])('an expression that %s is refused when it is saved', (_, expression) => {
    expect(faultsOf({ rules: [{ firstOrder: {} }, { cel: { expression } }] })).toEqual([
      'rules[1].cel.expression',
    ]);
  });

  test('an expression that is too long for the contract is refused once', () => {
    expect(faultsOf({ rules: [{ cel: { expression: `true${' '.repeat(4000)}` } }] })).toEqual([
      'rules[0].cel.expression',
    ]);
  });

  test('a time slot rule says when', () => {
    expect(faultsOf({ rules: [{ timeSlot: { timeZone: 'UTC' } }] })).toEqual(['rules[0].time_slot']);
  });
});

// SPEC P5–P8
describe('reach, stock, windows and limits', () => {
  const ways: Readonly<Record<string, Case>> = {
    automatic: { valid: { automatic: {} }, faulty: {}, path: 'reach.way' },
    claimable: { valid: { claimable: {} }, faulty: {}, path: 'reach.way' },
    code: {
      valid: { code: { publicCode: { code: 'SPRING-1' } } },
      faulty: { code: {} },
      path: 'reach.code.codes',
    },
    points_exchange: {
      valid: { pointsExchange: { pointsRequired: 100 } },
      faulty: { pointsExchange: {} },
      path: 'reach.points_exchange.points_required',
    },
    granted: { valid: { granted: { staff: {} } }, faulty: { granted: {} }, path: 'reach.granted.occasion' },
  };

  test('every way in, validity and audience of the contract has its cases here', () => {
    expect(Object.keys(ways)).toEqual(membersOf(ReachSchema, 'way'));
    expect(membersOf(ValiditySchema, 'kind')).toEqual(['fixed_dates', 'days_after_claim']);
    expect(membersOf(TargetSchema, 'audience')).toEqual(['everyone', 'new_users', 'tagged_users']);
  });

  test.each(Object.entries(ways))('%s', (_, { valid, faulty, path }) => {
    expect(faultsOf({ reach: valid })).toEqual([]);
    expect(faultsOf({ reach: faulty })).toEqual([path]);
  });

  test('an automatic promotion has no stock and no days after a claim', () => {
    const faults = faultsOf({
      reach: { automatic: {} },
      stock: { quantity: 1 },
      validity: { daysAfterClaim: { days: 1 } },
    });
    expect(faults).toEqual(['stock', 'validity.days_after_claim']);
  });

  test('a limit per user fits the quantity and is not also unlimited', () => {
    expect(faultsOf({ stock: { quantity: 2, perUserLimit: 2 } })).toEqual([]);
    expect(faultsOf({ stock: { quantity: 0, perUserLimit: 2 } })).toEqual([]);
    expect(faultsOf({ stock: { quantity: 1, perUserLimit: 2, unlimitedPerUser: true } })).toEqual([
      'stock.per_user_limit',
      'stock.per_user_limit',
    ]);
  });

  test('windows end after they begin; both ends are valid instants', () => {
    const noon = '2026-05-01T12:00:00Z';
    const before = '2026-05-01T11:59:59Z';
    expect(faultsOf({ stock: { claimStartsAt: noon, claimEndsAt: noon } })).toEqual([]);
    expect(faultsOf({ stock: { claimStartsAt: noon, claimEndsAt: before } })).toEqual([
      'stock.claim_ends_at',
    ]);
    expect(faultsOf({ validity: { fixedDates: { startsAt: noon, endsAt: before } } })).toEqual([
      'validity.fixed_dates.ends_at',
    ]);
    expect(
      faultsOf({ stock: { claimStartsAt: noon }, validity: { fixedDates: { endsAt: before } } }),
    ).toEqual(['validity.fixed_dates.ends_at']);
    const late = { activateAt: noon };
    expect(faultsOf({ schedule: late, stock: { claimEndsAt: before } })).toEqual(['schedule.activate_at']);
    expect(faultsOf({ schedule: late, validity: { fixedDates: { endsAt: before } } })).toEqual([
      'schedule.activate_at',
    ]);
  });

  test.each([
    ['usesPerUser', 'usesTotal', 'uses_per_user'],
    ['usesPerDay', 'usesTotal', 'uses_per_day'],
    ['usesPerWeek', 'usesTotal', 'uses_per_week'],
    ['usesPerMonth', 'usesTotal', 'uses_per_month'],
    ['usesPerDay', 'usesPerWeek', 'uses_per_day'],
    ['usesPerDay', 'usesPerMonth', 'uses_per_day'],
  ])('%s above %s can never be reached', (narrow, wide, field) => {
    expect(faultsOf({ limits: { [narrow]: 2, [wide]: 2, timeZone: 'UTC' } })).toEqual([]);
    expect(faultsOf({ limits: { [narrow]: 3, [wide]: 2, timeZone: 'UTC' } })).toEqual([`limits.${field}`]);
  });

  test('periods need a time zone that exists', () => {
    expect(faultsOf({ limits: { usesPerDay: 1 } })).toEqual(['limits.time_zone']);
    expect(faultsOf({ limits: { usesPerDay: 1, timeZone: 'Mars/Olympus' } })).toEqual(['limits.time_zone']);
    expect(faultsOf({ limits: { usesTotal: 1 } })).toEqual([]);
  });

  test('a budget is for effects that cost money', () => {
    const limits = { budget: { amountMinor: 1 } };
    expect(faultsOf({ limits })).toEqual([]);
    expect(faultsOf({ limits, effect: { bonusPoints: { points: 1 } } })).toEqual(['limits.budget']);
  });
});

// SPEC P3
test.each([
  ['CNY', []],
  ['XQQ', ['currency']],
  ['', ['currency']],
  ['cny', ['currency']],
])('currency %j', (currency, faults) => {
  expect(faultsOf({ currency })).toEqual(faults);
});

// SPEC C4
test.each(['FAST', 'DURABLE', 'LEDGER'])('a promotion may ask for the acknowledgement level %s', (level) => {
  expect(faultsOf({ acknowledgement: `ACKNOWLEDGEMENT_LEVEL_${level}` })).toEqual([]);
});

// SPEC P1: one refusal lists everything.
test('all faults of a definition come at once, those of single fields and those between fields', () => {
  const faults = faultsOf({
    name: { en: '', zh: '春' },
    currency: 'XQQ',
    effect: { percentOff: { discountBasisPoints: 12_000 } },
    stock: { claimStartsAt: '2026-05-02T00:00:00Z', claimEndsAt: '2026-05-01T00:00:00Z' },
    rules: [{ spendForGift: { amountMinor: 1 } }],
  });
  expect(faults.sort()).toEqual([
    'currency',
    'effect.percent_off.discount_basis_points',
    'name.en',
    'rules[0].spend_for_gift',
    'stock.claim_ends_at',
  ]);
});
