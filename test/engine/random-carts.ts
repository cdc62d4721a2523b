/** Random situations: a few promotions, a small cart, a user, coupons and codes that have much to do with each other. */
import fc from 'fast-check';
import type { AttributeValue, Cart, CartLine, ItemOffer, UserFacts } from '../../src/domain/cart.ts';
import type { Audience, Effect, PromotionDefinition, ReachWay, Rule } from '../../src/domain/promotion.ts';
import type { EvaluationInput, HeldCoupon, Selection } from '../../src/engine/evaluation-input.ts';
import { effects, itemEffects, type Scale } from './random-effects.ts';
import {
  rules as anyRules,
  CATEGORY_IDS,
  exclusions,
  ITEM_IDS,
  minimumSpends,
  scopes,
  stackabilities,
  TAGS,
} from './random-rules.ts';
import { situationText } from './situation-text.ts';

/** Everything an evaluation depends on. */
export interface Situation {
  readonly current: readonly PromotionDefinition[];
  readonly older: readonly PromotionDefinition[];
  readonly input: EvaluationInput;
}

/** What sort of situations to make. */
export interface Focus {
  readonly effects: fc.Arbitrary<Effect>;
  /** Makes the prices of carts. */
  readonly scale: Scale;
  readonly rules: fc.Arbitrary<Rule>;
  readonly maxRules: number;
  readonly promotions: { readonly min: number; readonly max: number };
  readonly coupons: { readonly min: number; readonly max: number };
  readonly maxLines: number;
  readonly ways: fc.Arbitrary<ReachWay>;
  /** Everything is usable for the user and at the moment, so that all depends on money and stacking. */
  readonly isPlain: boolean;
}

const MS_PER_DAY = 86_400_000;
/** A Friday, 23:30 in Shanghai; New York and Berlin are on winter time. */
const AT_MS = Date.parse('2026-03-06T15:30:00Z');

const prices = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 20 }) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 99 }) },
  { weight: 2, arbitrary: fc.constantFrom(10, 25, 30) },
);

const lineBodies = (scale: Scale) =>
  fc.record({
    itemId: fc.constantFrom(...ITEM_IDS),
    categoryIds: fc.subarray([...CATEGORY_IDS], { maxLength: 2 }),
    quantity: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 6 })),
    unitPriceMinor: prices.map(scale),
    isOnSale: fc.oneof(
      { weight: 3, arbitrary: fc.constant(false) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
  });

function lineLists({ maxLines, scale }: Focus): fc.Arbitrary<CartLine[]> {
  const body = lineBodies(scale);
  const ids = fc.shuffledSubarray(['1', '2', '9', '10', 'b', 'aa'], {
    minLength: maxLines,
    maxLength: maxLines,
  });
  const bodies = fc.oneof(
    { weight: 1, arbitrary: fc.array(body, { maxLength: 1 }) },
    { weight: 9, arbitrary: fc.array(body, { minLength: 1, maxLength: maxLines }) },
  );
  return fc
    .tuple(ids, bodies)
    .map(([lineIds, lines]) => lines.map((line, at) => ({ lineId: lineIds[at] ?? `${at}`, ...line })));
}

/** One of these, or nothing. */
function maybe<Value>(...values: readonly Value[]): fc.Arbitrary<Value | undefined> {
  return fc.constantFrom(undefined, ...values);
}

/** The usual one, and now and then one of the others. */
function mostly<Value>(usual: Value, ...others: readonly Value[]): fc.Arbitrary<Value> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );
}

/** Leaves out what is undefined. */
function known<Fields extends object>(
  fields: Fields,
): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } {
  const result: { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } = {};
  for (const key in fields) {
    const value = fields[key];
    if (isDefined(value)) result[key] = value;
  }
  return result;
}

function isDefined<Value>(value: Value): value is Exclude<Value, undefined> {
  return value !== undefined;
}

const attributeValues = maybe<AttributeValue>('large', 'small', 1, 4, 7, true, false);

function attributesOf(value: AttributeValue | undefined): Map<string, AttributeValue> {
  return new Map(value === undefined ? [] : [['table_size', value]]);
}

function carts(focus: Focus): fc.Arbitrary<Cart> {
  return fc
    .record({
      lines: lineLists(focus),
      shippingMinor: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 }).map(focus.scale)),
      currency: mostly('CNY', 'JPY', 'KWD'),
      facts: fc.record({
        channel: maybe('app', 'web'),
        region: maybe('CN-SH', 'CN-BJ'),
        paymentMethod: maybe('wechat_pay', 'card'),
      }),
      attribute: attributeValues,
    })
    .map(({ facts, attribute, ...cart }) => ({
      ...cart,
      ...known(facts),
      taxMode: 'included',
      attributes: attributesOf(attribute),
    }));
}

const users: fc.Arbitrary<UserFacts> = fc
  .record({
    tags: fc.option(fc.subarray([...TAGS]), { nil: undefined }),
    ordersCompleted: maybe(0, 1, 2, 5),
    registeredAtMs: maybe(AT_MS - 7 * MS_PER_DAY, AT_MS - 7 * MS_PER_DAY + 1, AT_MS - 40 * MS_PER_DAY),
    attribute: attributeValues,
  })
  .map(({ tags, attribute, ...facts }) => ({
    ...known(facts),
    ...(tags === undefined ? {} : { tags: new Set<string>(tags) }),
    ...(attribute === undefined ? {} : { attributes: attributesOf(attribute) }),
  }));

const audiences: fc.Arbitrary<Audience> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ kind: 'everyone' as const }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { kind: 'new_users' as const },
      { kind: 'new_users' as const, registeredWithinDays: 7 },
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .subarray([...TAGS], { minLength: 1 })
      .map((anyOf) => ({ kind: 'tagged_users' as const, anyOf })),
  },
);

const ways: fc.Arbitrary<ReachWay> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ kind: 'automatic' as const }) },
  { weight: 3, arbitrary: fc.constantFrom({ kind: 'claimable' as const }, { kind: 'granted' as const }) },
  { weight: 2, arbitrary: fc.constantFrom('x', 'y').map((code) => ({ kind: 'public_code' as const, code })) },
);

const circumstances = fc.record({
  isActive: fc.oneof(
    { weight: 9, arbitrary: fc.constant(true) },
    { weight: 1, arbitrary: fc.constant(false) },
  ),
  isUseSuspended: fc.oneof(
    { weight: 19, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  audience: audiences,
  checkAudienceAtUse: fc.boolean(),
  window: fc
    .record({
      startsAtMs: mostly<number | undefined>(undefined, AT_MS, AT_MS, AT_MS + 1),
      endsAtMs: mostly<number | undefined>(undefined, AT_MS, AT_MS, AT_MS - 1),
    })
    .map(known),
});

const PLAIN = {
  isActive: true,
  isUseSuspended: false,
  audience: { kind: 'everyone' },
  checkAudienceAtUse: false,
  window: {},
} as const;

const budgets = fc.oneof(
  { weight: 8, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({
      amountMinor: fc.integer({ min: 1, max: 60 }),
      shortfall: fc.constantFrom('refuse' as const, 'cut' as const),
    }),
  },
);

/** Where a whole situation is in another currency, a promotion now and then is not. */
const currencies = fc.oneof(
  { weight: 24, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.constant('USD') },
);

/** Stands for the currency of the cart until there is one. */
const OF_CART = '';

type Body = Omit<PromotionDefinition, 'ref' | 'id' | 'version'>;

function bodies(focus: Focus): fc.Arbitrary<Body> {
  return fc
    .record({
      effect: focus.effects,
      rules: fc.uniqueArray(focus.rules, { maxLength: focus.maxRules, selector: ({ kind }) => kind }),
      priority: fc.integer({ min: 0, max: 2 }),
      reach: focus.ways,
      budget: budgets,
      currency: focus.isPlain ? fc.constant(undefined) : currencies,
      circumstances: focus.isPlain ? fc.constant(PLAIN) : circumstances,
    })
    .map(
      ({
        effect,
        rules,
        budget,
        currency = OF_CART,
        circumstances: { window, ...circumstance },
        ...rest
      }) => ({
        ...rest,
        ...circumstance,
        ...window,
        currency,
        effect,
        rules: rules.filter((rule) => isSensible(rule, effect)),
        ...(budget === undefined ? {} : { budget }),
      }),
    );
}

/** What the service refuses when a promotion is saved is not asked of the engine. */
function isSensible({ kind }: Rule, effect: Effect): boolean {
  if (kind === 'minimum_spend') return effect.kind !== 'no_threshold_voucher';
  const isAboutGifts = kind === 'conditional_gift_item' || kind === 'spend_for_gift';
  return !isAboutGifts || effect.kind === 'gift_items';
}

function promotionLists(focus: Focus): fc.Arbitrary<Pick<Situation, 'current' | 'older'>> {
  const body = bodies(focus);
  const { min, max } = focus.promotions;
  const before = fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: body });
  return fc
    .record({
      ids: fc.shuffledSubarray(['a', 'b', 'c', 'd', 'e', 'f', 'g'], { minLength: max, maxLength: max }),
      versions: fc.array(fc.record({ now: body, before }), { minLength: min, maxLength: max }),
    })
    .map(({ ids, versions }) => {
      const named = versions.map((each, at) => ({ ...each, ref: at + 1, id: ids[at] ?? `p${at}` }));
      return {
        current: named.map(({ now, ref, id }) => ({ ...now, ref, id, version: 2 })),
        older: named.flatMap((each) =>
          each.before === undefined ? [] : [{ ...each.before, ref: each.ref, id: each.id, version: 1 }],
        ),
      };
    });
}

const couponBodies = fc.record({
  promotion: fc.nat(),
  isOld: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  state: fc.oneof(
    { weight: 12, arbitrary: fc.constant('unused' as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'used' as const,
        'reserved' as const,
        'expired' as const,
        'revoked' as const,
      ),
    },
  ),
  validFromMs: mostly(0, AT_MS, AT_MS + 1),
  expiresAtMs: fc.oneof(
    maybe(AT_MS + 10, AT_MS + 20),
    mostly<number | undefined>(undefined, AT_MS, AT_MS - 1),
  ),
});

function couponLists(
  focus: Focus,
  { current, older }: Pick<Situation, 'current' | 'older'>,
): fc.Arbitrary<HeldCoupon[]> {
  const { min: minLength, max: maxLength } = focus.coupons;
  // Plain coupons are of the current version and can be used now; the others may be of a promotion that is not there.
  return fc
    .tuple(
      fc.array(couponBodies, { minLength, maxLength }),
      fc.shuffledSubarray(['k1', 'k2', 'k3', 'k4'], { minLength: maxLength, maxLength }),
    )
    .map(([list, ids]) =>
      list.map(({ promotion, isOld, state, validFromMs, expiresAtMs }, at) => {
        const targets = focus.isPlain ? current : [...current, ...current, ...current, undefined];
        const target = targets[promotion % Math.max(1, targets.length)];
        const hasOld = older.some(({ ref }) => ref === target?.ref);
        const couponId = ids[at] ?? `k${at}`;
        const promotionRef = target?.ref ?? 99;
        if (focus.isPlain) {
          const later = expiresAtMs === undefined ? {} : { expiresAtMs: Math.max(expiresAtMs, AT_MS) };
          return { couponId, promotionRef, promotionVersion: 2, state: 'unused', validFromMs: 0, ...later };
        }
        const promotionVersion = isOld && hasOld ? 1 : 2;
        return {
          couponId,
          promotionRef,
          promotionVersion,
          state,
          validFromMs,
          ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
        };
      }),
    );
}

const selectionsOf: fc.Arbitrary<Selection> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ kind: 'best' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('own' as const),
      couponIds: fc
        .shuffledSubarray(['k1', 'k2', 'k3', 'k4'])
        .map((ids) => (ids.length === 4 ? [...ids, 'k9'] : ids)),
      codes: fc.shuffledSubarray(['x', ' Y ']),
    }),
  },
);

const offers: fc.Arbitrary<Map<string, ItemOffer>> = fc
  .uniqueArray(
    fc.record({
      itemId: fc.constantFrom(...ITEM_IDS, 'gift'),
      unitPriceMinor: fc.integer({ min: 0, max: 40 }),
      isAvailable: fc.boolean(),
    }),
    { maxLength: 3, selector: ({ itemId }) => itemId },
  )
  .map((list) => new Map(list.map(({ itemId, ...offer }) => [itemId, offer])));

function inputs(
  focus: Focus,
  promotions: Pick<Situation, 'current' | 'older'>,
): fc.Arbitrary<EvaluationInput> {
  return fc.record({
    cart: carts(focus),
    offers,
    facts: users,
    atMs: fc.constant(AT_MS),
    coupons: couponLists(focus, promotions),
    codes: fc.oneof(fc.subarray(['X', ' y', 'x']), mostly<string[]>([], ['z', 'y'])),
    selection: selectionsOf,
    couponsPerOrder: fc.constantFrom(1, 1, 2, 3, 0),
    wantsTrace: fc.constant(false),
  });
}

/** Situations of a focus; one that fails is printed as a case that could be kept. */
export function situations(focus: Focus): fc.Arbitrary<Situation> {
  return promotionLists(focus).chain((promotions) =>
    inputs(focus, promotions).map((input) => printable(inCurrencyOf(input, promotions))),
  );
}

function inCurrencyOf(
  input: EvaluationInput,
  { current, older }: Pick<Situation, 'current' | 'older'>,
): Situation {
  const inCurrency = (definition: PromotionDefinition): PromotionDefinition =>
    definition.currency === OF_CART ? { ...definition, currency: input.cart.currency } : definition;
  return { current: current.map(inCurrency), older: older.map(inCurrency), input };
}

function printable(situation: Situation): Situation {
  return Object.defineProperty(situation, fc.toStringMethod, {
    enumerable: false,
    value: () => situationText(situation),
  });
}

const small: Scale = (amount) => amount;

/** Up to about 2 ** 53 for the dearest cart, so that products of two amounts are far beyond it. */
const large: Scale = (amount) => amount * 3_000_000_000_007 + amount * amount * 7919;

/** A bit of everything. */
export const MIXED: Focus = {
  effects: effects(small),
  scale: small,
  rules: anyRules,
  maxRules: 3,
  promotions: { min: 2, max: 5 },
  coupons: { min: 0, max: 3 },
  maxLines: 5,
  ways,
  isPlain: false,
};

/** Many usable candidates that exclude each other, take from the same lines and depend on their order. */
export const CROWDED: Focus = {
  effects: effects(small),
  scale: small,
  rules: fc.oneof(stackabilities, scopes, minimumSpends),
  maxRules: 2,
  promotions: { min: 3, max: 6 },
  coupons: { min: 1, max: 3 },
  maxLines: 3,
  ways,
  isPlain: true,
};

/** One or two discounts on a few lines, in every detail. */
export const DETAILED: Focus = {
  effects: itemEffects(small),
  scale: small,
  rules: fc.oneof(scopes, exclusions),
  maxRules: 2,
  promotions: { min: 1, max: 3 },
  coupons: { min: 0, max: 0 },
  maxLines: 5,
  ways: fc.constant({ kind: 'automatic' }),
  isPlain: true,
};

/** The same with amounts at the end of what a cart may hold. */
export const LARGE: Focus = { ...DETAILED, effects: itemEffects(large), scale: large };

const tiny: Scale = (amount) => Math.ceil(amount / 9);

/** Many discounts of a few units of money each on a few lines: what one rounds decides what the others find. */
export const PENNIES: Focus = {
  effects: itemEffects(tiny),
  scale: tiny,
  rules: fc.oneof(scopes, scopes, stackabilities),
  maxRules: 1,
  promotions: { min: 3, max: 7 },
  coupons: { min: 0, max: 2 },
  maxLines: 4,
  ways: fc.constant({ kind: 'automatic' }),
  isPlain: true,
};
