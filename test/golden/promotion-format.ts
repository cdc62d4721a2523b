/** How a case writes a promotion: the engine's own types with every usual value left out. */
import { z } from 'zod';
import type {
  Audience,
  Effect,
  ItemSelection,
  PromotionDefinition,
  ReachWay,
  Rule,
  TimeSlot,
} from '../../src/domain/promotion.ts';

const whole = z.int();
const texts = z.array(z.string());

const selection: z.ZodType<ItemSelection> = z.strictObject({
  itemIds: texts.default([]),
  categoryIds: texts.default([]),
});

/** A moment as people write it, with its zone: 2026-03-04T12:00:00+08:00. */
export const moment = z.string().transform((text, context) => {
  const atMs = Date.parse(text);
  if (Number.isNaN(atMs)) context.addIssue(`${text} is no moment`);
  return atMs;
});

/** "22:00-02:00". */
const slot = z
  .string()
  .regex(/^\d\d:\d\d-\d\d:\d\d$/)
  .transform((text): TimeSlot => {
    const [startMinute = 0, endMinute = 0] = text.split('-').map((clock) => {
      const [hours = 0, minutes = 0] = clock.split(':').map(Number);
      return hours * 60 + minutes;
    });
    return { startMinute, endMinute };
  });

const unitCap = z.strictObject({
  maxUnits: whole,
  basis: z.enum(['cart', 'line']).default('cart'),
  choice: z.enum(['cheapest', 'dearest']).default('cheapest'),
});
const base = z.enum(['remaining', 'original']).default('remaining');
const basis = z.enum(['before', 'after']).default('before');
const tierOff = z.union([
  z
    .strictObject({ amount: whole })
    .transform(({ amount }) => ({ kind: 'amount' as const, amountMinor: amount })),
  z
    .strictObject({ percent: whole })
    .transform(({ percent }) => ({ kind: 'percent' as const, basisPoints: percent })),
]);

const effect: z.ZodType<Effect> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fixed_amount_off'), amountMinor: whole }),
  z.strictObject({
    kind: z.literal('percent_off'),
    basisPoints: whole,
    maxOffMinor: whole.exactOptional(),
    base,
    unitCap: unitCap.exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('gift_items'),
    items: z.array(z.strictObject({ itemId: z.string(), quantity: whole.default(1) })),
    placement: z.enum(['added_line', 'discount_in_cart']).default('added_line'),
    onlyDearest: z.boolean().default(false),
  }),
  z.strictObject({ kind: z.literal('shipping_off'), amountMinor: whole }),
  z.strictObject({ kind: z.literal('free_shipping'), maxOffMinor: whole.exactOptional() }),
  z.strictObject({ kind: z.literal('no_threshold_voucher'), amountMinor: whole }),
  z.strictObject({
    kind: z.literal('tiered_off'),
    thresholdKind: z.enum(['spend', 'quantity']).default('spend'),
    tiers: z.array(z.strictObject({ threshold: whole, off: tierOff })),
    maxOffMinor: whole.exactOptional(),
    base,
    thresholdBasis: basis,
  }),
  z.strictObject({
    kind: z.literal('every_amount_off'),
    everyMinor: whole,
    amountMinor: whole,
    maxTimes: whole.default(10),
    thresholdBasis: basis,
  }),
  z.strictObject({
    kind: z.literal('buy_x_get_y'),
    buyQuantity: whole,
    getQuantity: whole.default(1),
    basisPoints: whole.default(10_000),
    maxGroups: whole.default(10),
    buy: selection.exactOptional(),
    get: selection.exactOptional(),
    rewardChoice: z.enum(['cheapest', 'dearest']).default('cheapest'),
  }),
  z.strictObject({
    kind: z.literal('fixed_price'),
    priceMinor: whole,
    bundleUnits: whole.exactOptional(),
    unitCap: unitCap.exactOptional(),
  }),
  z.strictObject({ kind: z.literal('bonus_points'), points: whole }),
  z.strictObject({
    kind: z.literal('points_multiplier'),
    multiplierBasisPoints: whole,
    maxBonusPoints: whole.exactOptional(),
  }),
]);

const condition = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('one_of'), values: texts }),
  z.strictObject({ kind: z.literal('none_of'), values: texts }),
  z.strictObject({
    kind: z.literal('in_range'),
    atLeast: whole.exactOptional(),
    atMost: whole.exactOptional(),
  }),
  z.strictObject({ kind: z.literal('equals'), value: z.boolean() }),
]);
const match = z.enum(['any', 'all']).default('any');

const effectKind = z.enum([
  'fixed_amount_off',
  'percent_off',
  'gift_items',
  'shipping_off',
  'free_shipping',
  'no_threshold_voucher',
  'tiered_off',
  'every_amount_off',
  'buy_x_get_y',
  'fixed_price',
  'bonus_points',
  'points_multiplier',
]);

const rule: z.ZodType<Rule> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('minimum_spend'), amountMinor: whole, basis }),
  z.strictObject({ kind: z.literal('item_eligibility'), selection, match }),
  z.strictObject({
    kind: z.literal('exclusion'),
    selection,
    presenceRefuses: z.boolean().default(false),
  }),
  z.strictObject({ kind: z.literal('item_discount_scope'), selection }),
  z.strictObject({ kind: z.literal('conditional_gift_item'), selection, match }),
  z.strictObject({ kind: z.literal('spend_for_gift'), amountMinor: whole }),
  z.strictObject({
    kind: z.literal('time_slot'),
    slots: z.array(slot).default([]),
    days: z.array(whole).default([]),
    timeZone: z.string().default('Asia/Shanghai'),
  }),
  z.strictObject({ kind: z.literal('quantity_threshold'), minQuantity: whole }),
  z.strictObject({ kind: z.literal('first_order') }),
  z.strictObject({ kind: z.literal('nth_order'), nth: whole, repeats: z.boolean().default(false) }),
  z.strictObject({ kind: z.literal('channel'), channels: texts }),
  z.strictObject({ kind: z.literal('region'), regions: texts }),
  z.strictObject({ kind: z.literal('payment_method'), paymentMethods: texts }),
  z.strictObject({
    kind: z.literal('custom_attribute'),
    attribute: z.string(),
    source: z.enum(['cart', 'user']).default('cart'),
    condition,
  }),
  z.strictObject({ kind: z.literal('sale_items'), handling: z.enum(['count', 'excluded', 'refuse']) }),
  z.strictObject({
    kind: z.literal('stackability'),
    mode: z.enum(['combines', 'alone']).default('combines'),
    excludedKinds: z.array(effectKind).default([]),
    exclusiveGroups: texts.default([]),
    choice: z.enum(['best_saving', 'first_by_priority']).default('best_saving'),
  }),
  z.strictObject({ kind: z.literal('cel'), expression: z.string() }),
]);

const reach = z.union([
  z
    .enum(['automatic', 'claimable', 'single_use_codes', 'points_exchange', 'granted'])
    .transform((kind): ReachWay => ({ kind })),
  z.strictObject({ code: z.string() }).transform(({ code }): ReachWay => ({ kind: 'public_code', code })),
]);

const audience: z.ZodType<Audience> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('everyone') }),
  z.strictObject({ kind: z.literal('new_users'), registeredWithinDays: whole.exactOptional() }),
  z.strictObject({ kind: z.literal('tagged_users'), anyOf: texts }),
]);

/** A promotion without its ref: that is its place in the case. */
export const promotionFormat = z
  .strictObject({
    id: z.string(),
    version: whole.default(1),
    active: z.boolean().default(true),
    useSuspended: z.boolean().default(false),
    currency: z.string().default('CNY'),
    priority: whole.default(0),
    effect,
    rules: z.array(rule).default([]),
    reach: reach.default({ kind: 'automatic' }),
    audience: audience.default({ kind: 'everyone' }),
    checkAudienceAtUse: z.boolean().default(false),
    startsAt: moment.exactOptional(),
    endsAt: moment.exactOptional(),
    budget: z
      .strictObject({ amountMinor: whole, shortfall: z.enum(['refuse', 'cut']).default('refuse') })
      .exactOptional(),
  })
  .transform(
    ({ active, useSuspended, startsAt, endsAt, ...rest }): Omit<PromotionDefinition, 'ref'> => ({
      ...rest,
      isActive: active,
      isUseSuspended: useSuspended,
      ...(startsAt === undefined ? {} : { startsAtMs: startsAt }),
      ...(endsAt === undefined ? {} : { endsAtMs: endsAt }),
    }),
  );
