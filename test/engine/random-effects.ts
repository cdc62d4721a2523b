/** Random effects over small, odd amounts: that is where rounding and spreading go wrong. */
import fc from 'fast-check';
import type { Effect, Tier, UnitCap } from '../../src/domain/promotion.ts';
import { basisPoints, ITEM_IDS, selections, thresholds } from './random-rules.ts';

const amounts = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 120 }));
const ceilings = fc.oneof(fc.constant(undefined), fc.integer({ min: 1, max: 40 }));
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

const percentOffs: fc.Arbitrary<Effect> = fc
  .record({ basisPoints, ceiling: ceilings, base: bases, cap: fc.option(unitCaps, { nil: undefined }) })
  .map(({ basisPoints: off, ceiling, base, cap }) => ({
    kind: 'percent_off',
    basisPoints: off,
    base,
    ...given('maxOffMinor', ceiling),
    ...given('unitCap', cap),
  }));

const tierOffs: fc.Arbitrary<Tier['off']> = fc.oneof(
  fc.record({ kind: fc.constant('amount' as const), amountMinor: amounts }),
  fc.record({ kind: fc.constant('percent' as const), basisPoints }),
);

const tieredOffs: fc.Arbitrary<Effect> = fc
  .record({
    isBySpend: fc.boolean(),
    steps: fc.array(fc.record({ step: thresholds, off: tierOffs }), { minLength: 2, maxLength: 3 }),
    ceiling: ceilings,
    base: bases,
    thresholdBasis: thresholdBases,
  })
  .map(({ isBySpend, steps, ceiling, base, thresholdBasis }) => ({
    kind: 'tiered_off',
    thresholdKind: isBySpend ? 'spend' : 'quantity',
    tiers: risingTiers(steps, isBySpend ? 1 : 20),
    base,
    thresholdBasis,
    ...given('maxOffMinor', ceiling),
  }));

/** Each threshold is above the one before it. Units are fewer than amounts. */
function risingTiers(steps: readonly { step: number; off: Tier['off'] }[], divisor: number): Tier[] {
  let threshold = 0;
  return steps.map(({ step, off }) => {
    threshold += Math.ceil(step / divisor);
    return { threshold, off };
  });
}

const everyAmountOffs: fc.Arbitrary<Effect> = fc
  .record({
    every: thresholds,
    share: basisPoints,
    maxTimes: fc.integer({ min: 1, max: 4 }),
    basis: thresholdBases,
  })
  .map(({ every, share, maxTimes, basis }) => ({
    kind: 'every_amount_off',
    everyMinor: every,
    amountMinor: Math.max(1, Math.floor((every * share) / 10_000)),
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

const fixedPrices: fc.Arbitrary<Effect> = fc
  .record({
    priceMinor: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 60 })),
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

const giftItems: fc.Arbitrary<Effect> = fc.record({
  kind: fc.constant('gift_items' as const),
  items: fc.uniqueArray(
    fc.record({ itemId: fc.constantFrom(...ITEM_IDS, 'gift'), quantity: fc.integer({ min: 1, max: 3 }) }),
    { minLength: 1, maxLength: 3, selector: ({ itemId }) => itemId },
  ),
  placement: fc.constantFrom('added_line' as const, 'discount_in_cart' as const),
  onlyDearest: fc.boolean(),
});

const shippingEffects: fc.Arbitrary<Effect> = fc.oneof(
  fc.record({ kind: fc.constant('shipping_off' as const), amountMinor: amounts }),
  ceilings.map((ceiling): Effect => ({ kind: 'free_shipping', ...given('maxOffMinor', ceiling) })),
);

const benefits: fc.Arbitrary<Effect> = fc.oneof(
  fc.record({ kind: fc.constant('bonus_points' as const), points: amounts }),
  fc.record({ multiplier: fc.integer({ min: 10_001, max: 60_000 }), ceiling: ceilings }).map(
    ({ multiplier, ceiling }): Effect => ({
      kind: 'points_multiplier',
      multiplierBasisPoints: multiplier,
      ...given('maxBonusPoints', ceiling),
    }),
  ),
);

/** Effects that take money off items. */
export const itemEffects: fc.Arbitrary<Effect> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('fixed_amount_off' as const), amountMinor: amounts }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('no_threshold_voucher' as const), amountMinor: amounts }),
  },
  { weight: 4, arbitrary: percentOffs },
  { weight: 2, arbitrary: tieredOffs },
  { weight: 2, arbitrary: everyAmountOffs },
  { weight: 3, arbitrary: buyXGetYs },
  { weight: 3, arbitrary: fixedPrices },
);

/** Any effect. */
export const effects: fc.Arbitrary<Effect> = fc.oneof(
  { weight: 8, arbitrary: itemEffects },
  { weight: 2, arbitrary: giftItems },
  { weight: 1, arbitrary: shippingEffects },
  { weight: 1, arbitrary: benefits },
);
