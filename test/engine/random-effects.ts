/** Random effects over small, odd amounts: that is where rounding and spreading go wrong. */
import fc from 'fast-check';
import type { Effect, Tier, UnitCap } from '../../src/domain/promotion.ts';
import { basisPoints, ITEM_IDS, selections, thresholds } from './random-rules.ts';

/** Makes amounts of money from small numbers, rising with them. */
export type Scale = (small: number) => number;

const amounts = (scale: Scale): fc.Arbitrary<number> =>
  fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 120 })).map(scale);
const ceilings = (scale: Scale): fc.Arbitrary<number | undefined> =>
  fc.oneof(fc.constant(undefined), fc.integer({ min: 1, max: 40 }).map(scale));
const bases = fc.constantFrom('remaining' as const, 'original' as const);
const thresholdBases = fc.constantFrom('before' as const, 'after' as const);
const choices = fc.constantFrom('cheapest' as const, 'dearest' as const);

const unitCaps: fc.Arbitrary<UnitCap> = fc.record({
  maxUnits: fc.integer({ min: 1, max: 6 }),
  basis: fc.constantFrom('cart' as const, 'line' as const),
  choice: choices,
});

/** A field that is left out, rather than there and undefined. */
function given<Name extends string, Value>(name: Name, value: Value | undefined): { [Key in Name]?: Value } {
  const field: { [Key in Name]?: Value } = {};
  if (value !== undefined) field[name] = value;
  return field;
}

const percentOffs = (scale: Scale): fc.Arbitrary<Effect> =>
  fc
    .record({
      basisPoints,
      ceiling: ceilings(scale),
      base: bases,
      cap: fc.option(unitCaps, { nil: undefined }),
    })
    .map(({ basisPoints: off, ceiling, base, cap }) => ({
      kind: 'percent_off',
      basisPoints: off,
      base,
      ...given('maxOffMinor', ceiling),
      ...given('unitCap', cap),
    }));

const tierOffs = (scale: Scale): fc.Arbitrary<Tier['off']> =>
  fc.oneof(
    fc.record({ kind: fc.constant('amount' as const), amountMinor: amounts(scale) }),
    fc.record({ kind: fc.constant('percent' as const), basisPoints }),
  );

const tieredOffs = (scale: Scale): fc.Arbitrary<Effect> =>
  fc
    .record({
      isBySpend: fc.boolean(),
      steps: fc.array(fc.record({ step: thresholds, off: tierOffs(scale) }), { minLength: 2, maxLength: 3 }),
      ceiling: ceilings(scale),
      base: bases,
      thresholdBasis: thresholdBases,
    })
    .map(({ isBySpend, steps, ceiling, base, thresholdBasis }) => ({
      kind: 'tiered_off',
      thresholdKind: isBySpend ? 'spend' : 'quantity',
      tiers: risingTiers(steps, isBySpend ? scale : (step) => Math.ceil(step / 20)),
      base,
      thresholdBasis,
      ...given('maxOffMinor', ceiling),
    }));

/** Each threshold is above the one before it. Units are fewer than amounts. */
function risingTiers(steps: readonly { step: number; off: Tier['off'] }[], scale: Scale): Tier[] {
  let threshold = 0;
  return steps.map(({ step, off }) => {
    threshold += scale(Math.ceil(step / 2));
    return { threshold, off };
  });
}

const everyAmountOffs = (scale: Scale): fc.Arbitrary<Effect> =>
  fc
    .record({
      every: thresholds.map(scale),
      share: basisPoints,
      maxTimes: fc.integer({ min: 1, max: 4 }),
      basis: thresholdBases,
    })
    .map(({ every, share, maxTimes, basis }) => ({
      kind: 'every_amount_off',
      everyMinor: every,
      amountMinor: Math.max(1, Math.floor((every / 10_000) * share)),
      maxTimes,
      thresholdBasis: basis,
    }));

const buyXGetYs: fc.Arbitrary<Effect> = fc
  .record({
    buyQuantity: fc.integer({ min: 1, max: 3 }),
    getQuantity: fc.integer({ min: 1, max: 2 }),
    basisPoints,
    maxGroups: fc.integer({ min: 1, max: 3 }),
    rewardChoice: choices,
    buy: fc.option(selections, { nil: undefined }),
    get: fc.option(selections, { nil: undefined }),
  })
  .map(({ buy, get, ...rest }) => ({
    kind: 'buy_x_get_y',
    ...rest,
    ...given('buy', buy),
    ...given('get', get),
  }));

const fixedPrices = (scale: Scale): fc.Arbitrary<Effect> =>
  fc
    .record({
      priceMinor: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60 }).map(scale)),
      bundleUnits: fc.option(fc.integer({ min: 2, max: 4 }), { nil: undefined }),
      cap: fc.option(unitCaps, { nil: undefined }),
    })
    .map(({ priceMinor, bundleUnits = 0, cap }) => ({
      kind: 'fixed_price',
      priceMinor,
      ...given('bundleUnits', bundleUnits === 0 ? undefined : bundleUnits),
      // A cap below one bundle is refused when a promotion is saved.
      ...given('unitCap', cap && { ...cap, maxUnits: Math.max(cap.maxUnits, bundleUnits) }),
    }));

const giftLists = fc.uniqueArray(
  fc.record(
    { itemId: fc.constantFrom(...ITEM_IDS, 'gift'), quantity: fc.integer({ min: 1, max: 3 }) },
    // Gifts come back in the answer, where they are compared with objects as everybody makes them.
    { noNullPrototype: true },
  ),
  { minLength: 1, maxLength: 3, selector: ({ itemId }) => itemId },
);

const giftItems: fc.Arbitrary<Effect> = fc.record({
  kind: fc.constant('gift_items' as const),
  items: giftLists,
  placement: fc.constantFrom('added_line' as const, 'discount_in_cart' as const),
  onlyDearest: fc.boolean(),
});

const shippingEffects = (scale: Scale): fc.Arbitrary<Effect> =>
  fc.oneof(
    fc.record({ kind: fc.constant('shipping_off' as const), amountMinor: amounts(scale) }),
    ceilings(scale).map((ceiling): Effect => ({ kind: 'free_shipping', ...given('maxOffMinor', ceiling) })),
  );

const benefits = (scale: Scale): fc.Arbitrary<Effect> =>
  fc.oneof(
    fc.record({ kind: fc.constant('bonus_points' as const), points: amounts(scale) }),
    fc.record({ multiplier: fc.integer({ min: 10_001, max: 60_000 }), ceiling: ceilings(scale) }).map(
      ({ multiplier, ceiling }): Effect => ({
        kind: 'points_multiplier',
        multiplierBasisPoints: multiplier,
        ...given('maxBonusPoints', ceiling),
      }),
    ),
  );

/** Effects that take money off items. */
export function itemEffects(scale: Scale): fc.Arbitrary<Effect> {
  const amountMinor = amounts(scale);
  return fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('fixed_amount_off' as const), amountMinor }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('no_threshold_voucher' as const), amountMinor }) },
    { weight: 4, arbitrary: percentOffs(scale) },
    { weight: 2, arbitrary: tieredOffs(scale) },
    { weight: 2, arbitrary: everyAmountOffs(scale) },
    { weight: 3, arbitrary: buyXGetYs },
    { weight: 3, arbitrary: fixedPrices(scale) },
  );
}

/** Any effect. */
export function effects(scale: Scale): fc.Arbitrary<Effect> {
  return fc.oneof(
    { weight: 8, arbitrary: itemEffects(scale) },
    { weight: 2, arbitrary: giftItems },
    { weight: 1, arbitrary: shippingEffects(scale) },
    { weight: 1, arbitrary: benefits(scale) },
  );
}
