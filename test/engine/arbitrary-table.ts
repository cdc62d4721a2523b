/** Random carts with random candidates, small enough to try every subset and strange enough to meet every tie. */
import fc from 'fast-check';
import type { Cart, CartLine } from '../../src/domain/cart.ts';
import type { Effect, ItemSelection, PromotionDefinition, Rule } from '../../src/domain/promotion.ts';
import { applyAlone } from '../../src/engine/apply.ts';
import { layTable, type Offered, type Table } from './sample-candidates.ts';
import { sampleDefinition } from './sample-definition.ts';
import { sampleCart, sampleLine } from './sample-input.ts';

const ITEMS = ['a', 'b', 'c', 'd'];
const GROUPS = ['g', 'h'];

/** How large the discounts of a case are against its cart: few odd units, many, or more than there is to pay. */
interface Scale {
  readonly price: number;
  readonly amount: number;
}

const scale: fc.Arbitrary<Scale> = fc.constantFrom(
  { price: 10, amount: 12 },
  { price: 40, amount: 30 },
  { price: 1_000, amount: 400 },
  { price: 20_000, amount: 2_000 },
  { price: 20_000, amount: 30_000 },
);

const selection: fc.Arbitrary<ItemSelection> = fc
  .subarray(ITEMS, { minLength: 1 })
  .map((itemIds) => ({ itemIds, categoryIds: [] }));

const basisPoints = fc.constantFrom(100, 1_000, 1_250, 3_333, 5_000, 10_000);

function line({ price }: Scale): fc.Arbitrary<Partial<CartLine>> {
  return fc.record({
    itemId: fc.constantFrom(...ITEMS),
    quantity: fc.integer({ min: 1, max: 4 }),
    unitPriceMinor: fc.integer({ min: 0, max: price }),
  });
}

function cart(size: Scale): fc.Arbitrary<Cart> {
  return fc
    .record({
      lines: fc.array(line(size), { minLength: 1, maxLength: 5 }),
      shippingMinor: fc.integer({ min: 0, max: size.price }),
    })
    .map(({ lines, shippingMinor }) =>
      sampleCart({ lines: lines.map((each, at) => sampleLine({ ...each, lineId: `${at}` })), shippingMinor }),
    );
}

function amountOf({ amount }: Scale): fc.Arbitrary<number> {
  return fc.oneof(fc.integer({ min: 1, max: amount }), fc.constant(amount));
}

/** Mostly a cap on the units, now and then none. */
const unitCap = fc.option(
  fc.record({
    maxUnits: fc.integer({ min: 1, max: 4 }),
    basis: fc.constantFrom('cart', 'line'),
    choice: fc.constantFrom('cheapest', 'dearest'),
  }),
  { nil: undefined, freq: 3 },
);

function moneyEffect(size: Scale): fc.Arbitrary<Effect> {
  const amountMinor = amountOf(size);
  const maxOffMinor = fc.option(amountMinor, { nil: undefined });
  const base = fc.constantFrom('remaining', 'remaining', 'remaining', 'original');
  const thresholdBasis = fc.constantFrom('before', 'before', 'after');
  const off = fc.oneof(
    fc.record({ kind: fc.constant('amount'), amountMinor }),
    fc.record({ kind: fc.constant('percent'), basisPoints }),
  );
  const whole = <Value extends Effect>(effect: fc.Arbitrary<Value>): fc.Arbitrary<Effect> => effect;
  return fc.oneof(
    { weight: 4, arbitrary: whole(fc.record({ kind: fc.constant('fixed_amount_off'), amountMinor })) },
    {
      weight: 4,
      arbitrary: fc
        .record({ basisPoints, maxOffMinor, base, unitCap })
        .map((effect) => withoutAbsent({ kind: 'percent_off', ...effect })),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({
          offs: fc.array(off, { minLength: 1, maxLength: 3 }),
          maxOffMinor,
          base,
          thresholdBasis,
        })
        .map(({ offs, ...effect }) =>
          withoutAbsent({
            kind: 'tiered_off',
            thresholdKind: 'spend',
            tiers: offs.map((each, at) => ({ threshold: 1 + at * size.price, off: each })),
            ...effect,
          }),
        ),
    },
    whole(
      fc.record({
        kind: fc.constant('every_amount_off'),
        everyMinor: fc.integer({ min: 1, max: size.price }),
        amountMinor,
        maxTimes: fc.integer({ min: 1, max: 3 }),
        thresholdBasis,
      }),
    ),
    whole(
      fc.record({
        kind: fc.constant('buy_x_get_y'),
        buyQuantity: fc.integer({ min: 1, max: 2 }),
        getQuantity: fc.constant(1),
        basisPoints,
        maxGroups: fc.constant(2),
        rewardChoice: fc.constantFrom('cheapest', 'dearest'),
      }),
    ),
    fc
      .record({
        priceMinor: fc.integer({ min: 0, max: size.price }),
        bundleUnits: fc.option(fc.integer({ min: 2, max: 3 }), { nil: undefined }),
      })
      .map((effect) => withoutAbsent({ kind: 'fixed_price', ...effect })),
  );
}

function otherEffect(size: Scale): fc.Arbitrary<Effect> {
  const whole = <Value extends Effect>(effect: fc.Arbitrary<Value>): fc.Arbitrary<Effect> => effect;
  return fc.oneof(
    whole(
      fc.record({
        kind: fc.constant('gift_items'),
        items: fc.constantFrom(
          [{ itemId: 'a', quantity: 1 }],
          [{ itemId: 'b', quantity: 2 }],
          [
            { itemId: 'a', quantity: 1 },
            { itemId: 'z', quantity: 1 },
          ],
        ),
        placement: fc.constantFrom('added_line', 'discount_in_cart'),
        onlyDearest: fc.boolean(),
      }),
    ),
    whole(fc.record({ kind: fc.constant('shipping_off'), amountMinor: amountOf(size) })),
    fc.constant<Effect>({ kind: 'free_shipping' }),
    whole(fc.record({ kind: fc.constant('bonus_points'), points: fc.integer({ min: 1, max: 3 }) })),
    fc.constant<Effect>({ kind: 'points_multiplier', multiplierBasisPoints: 20_000 }),
  );
}

/** Fields that are undefined are left out, as the types of a promotion want it. */
function withoutAbsent<Value extends object>(value: Value): Effect {
  return JSON.parse(JSON.stringify(value));
}

function rules({ price }: Scale): fc.Arbitrary<Rule[]> {
  const scope = selection.map((each): Rule => ({ kind: 'item_discount_scope', selection: each }));
  const excluded = selection.map(
    (each): Rule => ({ kind: 'exclusion', selection: each, presenceRefuses: false }),
  );
  const spendAfter = fc
    .integer({ min: 1, max: 2 * price })
    .map((amountMinor): Rule => ({ kind: 'minimum_spend', amountMinor, basis: 'after' }));
  const stacking = fc
    .record({
      isAlone: fc.integer({ min: 0, max: 11 }),
      excludedKinds: fc.subarray(['percent_off', 'fixed_amount_off', 'gift_items'] as const, {
        maxLength: 1,
      }),
      exclusiveGroups: fc.subarray(GROUPS, { maxLength: 1 }),
      isFirst: fc.integer({ min: 0, max: 7 }),
    })
    .map(
      ({ isAlone, excludedKinds, exclusiveGroups, isFirst }): Rule => ({
        kind: 'stackability',
        mode: isAlone === 0 ? 'alone' : 'combines',
        excludedKinds,
        exclusiveGroups,
        choice: isFirst === 0 ? 'first_by_priority' : 'best_saving',
      }),
    );
  const maybe = (rule: fc.Arbitrary<Rule>, freq: number): fc.Arbitrary<Rule[]> =>
    fc.option(rule, { freq, nil: undefined }).map((each) => (each === undefined ? [] : [each]));
  return fc
    .tuple(maybe(scope, 1), fc.constant<Rule[]>([]), maybe(stacking, 1), fc.boolean())
    .chain(([inScope, none, stacks, isPlain]) =>
      isPlain
        ? fc.constant([...inScope, ...none, ...stacks])
        : fc
            .tuple(maybe(excluded, 1), maybe(spendAfter, 1))
            .map(([outside, after]) => [...inScope, ...outside, ...after, ...stacks]),
    );
}

function definition(size: Scale): fc.Arbitrary<Partial<PromotionDefinition>> {
  return fc
    .record({
      effect: fc.oneof(
        { weight: 4, arbitrary: moneyEffect(size) },
        { weight: 1, arbitrary: otherEffect(size) },
      ),
      rules: rules(size),
      priority: fc.integer({ min: 0, max: 2 }),
      budget: fc.option(
        fc.record({ amountMinor: amountOf(size), shortfall: fc.constantFrom('refuse', 'cut') }),
        { nil: undefined, freq: 4 },
      ),
    })
    .map(({ budget, ...others }) => (budget === undefined ? others : { ...others, budget }));
}

/** A case: a cart, candidates each of which can be used alone, and the slots of the order. */
export interface Case extends Table {
  readonly slots: number;
}

/** Cases with at most so many candidates. */
export function arbitraryCase(maxCandidates: number): fc.Arbitrary<Case> {
  return scale.chain((size) => {
    const uses = fc.record({
      of: definition(size),
      // Several coupons of one promotion, one, or none: then it applies by itself.
      expiries: fc.array(fc.constantFrom(1, 2, 3, undefined), { maxLength: 3 }),
    });
    return fc
      .record({
        cart: cart(size),
        promotions: fc.array(uses, { minLength: 1, maxLength: maxCandidates }),
        slots: fc.constantFrom(1, 2, 3, 20),
      })
      .map(({ cart: bought, promotions, slots }) => {
        const offered = promotions.flatMap(({ of, expiries }, ref) => offer(of, expiries, ref));
        const { cart: prepared, candidates } = layTable(bought, offered.slice(0, maxCandidates));
        const usable = candidates.filter(
          (each) =>
            (each.eligible.length > 0 || each.promotion.effect.target !== 'items') &&
            applyAlone(each, prepared).failure === undefined,
        );
        return { cart: prepared, candidates: usable, slots };
      });
  });
}

function offer(
  changes: Partial<PromotionDefinition>,
  expiries: readonly (number | undefined)[],
  ref: number,
): Offered[] {
  const definition = sampleDefinition({ ...changes, ref });
  if (expiries.length === 0) return [{ definition }];
  return expiries.map((expiresAtMs, at) => ({
    definition,
    couponId: `c${9 - at}-${ref}`,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
  }));
}
