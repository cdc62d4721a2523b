// SPEC R14, SPEC R11
/**
 * What holds for every kind of effect on every cart. The search for the best combination relies on the bound: an effect that
 * is told to be optimistic gives at least what it would give with less left.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Effect, EffectOf, ItemSelection, Tier, UnitCap } from '../../domain/promotion.ts';
import { type TrialLine, type TrialResult, trialOf } from './effect-trial.ts';

const amount = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 5000 }));
const basisPoints = fc.oneof(fc.constantFrom(1, 3333, 5000, 10_000), fc.integer({ min: 1, max: 10_000 }));
const few = fc.integer({ min: 1, max: 4 });
const choice = fc.constantFrom('cheapest', 'dearest');
const percentBase = fc.constantFrom('remaining', 'original');
const thresholdBasis = fc.constantFrom('before', 'after');
const category = fc.constantFrom('a', 'b', 'c');
const selection: fc.Arbitrary<ItemSelection> = fc.record({
  itemIds: fc.constant([]),
  categoryIds: fc.uniqueArray(category, { minLength: 1, maxLength: 2 }),
});
const unitCap: fc.Arbitrary<UnitCap> = fc.record({
  maxUnits: fc.integer({ min: 1, max: 8 }),
  basis: fc.constantFrom('cart', 'line'),
  choice,
});
const tiers: fc.Arbitrary<Tier[]> = fc
  .uniqueArray(fc.integer({ min: 1, max: 3000 }), { minLength: 2, maxLength: 4 })
  .chain((thresholds) =>
    fc.tuple(
      ...thresholds
        .toSorted((one, other) => one - other)
        .map((threshold) =>
          fc.record({
            threshold: fc.constant(threshold),
            off: fc.oneof(
              amount.map((amountMinor) => ({ kind: 'amount' as const, amountMinor })),
              basisPoints.map((points) => ({ kind: 'percent' as const, basisPoints: points })),
            ),
          }),
        ),
    ),
  );

const kindOf = <Kind extends string>(kind: Kind) => fc.constant(kind);

const EFFECTS: { readonly [Kind in Effect['kind']]: fc.Arbitrary<EffectOf<Kind>> } = {
  fixed_amount_off: fc.record({ kind: kindOf('fixed_amount_off'), amountMinor: amount }),
  no_threshold_voucher: fc.record({ kind: kindOf('no_threshold_voucher'), amountMinor: amount }),
  percent_off: fc.record(
    { kind: kindOf('percent_off'), basisPoints, base: percentBase, maxOffMinor: amount, unitCap },
    { requiredKeys: ['kind', 'basisPoints', 'base'] },
  ),
  tiered_off: fc.record(
    {
      kind: kindOf('tiered_off'),
      thresholdKind: fc.constantFrom('spend', 'quantity'),
      tiers,
      base: percentBase,
      thresholdBasis,
      maxOffMinor: amount,
    },
    { requiredKeys: ['kind', 'thresholdKind', 'tiers', 'base', 'thresholdBasis'] },
  ),
  every_amount_off: fc.record({
    kind: kindOf('every_amount_off'),
    everyMinor: amount,
    amountMinor: amount,
    maxTimes: few,
    thresholdBasis,
  }),
  buy_x_get_y: fc.record(
    {
      kind: kindOf('buy_x_get_y'),
      buyQuantity: few,
      getQuantity: few,
      basisPoints,
      maxGroups: few,
      rewardChoice: choice,
      buy: selection,
      get: selection,
    },
    { requiredKeys: ['kind', 'buyQuantity', 'getQuantity', 'basisPoints', 'maxGroups', 'rewardChoice'] },
  ),
  fixed_price: fc.record(
    {
      kind: kindOf('fixed_price'),
      priceMinor: fc.nat(3000),
      bundleUnits: fc.integer({ min: 2, max: 5 }),
      unitCap,
    },
    { requiredKeys: ['kind', 'priceMinor'] },
  ),
  gift_items: fc.record({
    kind: kindOf('gift_items'),
    items: fc.constantFrom(
      [{ itemId: 'item-1', quantity: 2 }],
      [
        { itemId: 'x', quantity: 1 },
        { itemId: 'item-2', quantity: 3 },
      ],
    ),
    placement: fc.constantFrom('added_line', 'discount_in_cart'),
    onlyDearest: fc.boolean(),
  }),
  shipping_off: fc.record({ kind: kindOf('shipping_off'), amountMinor: amount }),
  free_shipping: fc.record(
    { kind: kindOf('free_shipping'), maxOffMinor: amount },
    { requiredKeys: ['kind'] },
  ),
  bonus_points: fc.record({ kind: kindOf('bonus_points'), points: amount }),
  points_multiplier: fc.record(
    {
      kind: kindOf('points_multiplier'),
      multiplierBasisPoints: fc.integer({ min: 10_001, max: 50_000 }),
      maxBonusPoints: amount,
    },
    { requiredKeys: ['kind', 'multiplierBasisPoints'] },
  ),
};
const effect: fc.Arbitrary<Effect> = fc.oneof(...Object.values(EFFECTS));

const line: fc.Arbitrary<TrialLine> = fc.record({
  price: fc.oneof(fc.nat(12), fc.nat(3000)),
  quantity: fc.integer({ min: 1, max: 6 }),
  categories: fc.uniqueArray(category, { maxLength: 2 }),
});

/** A cart with two states of what is left, of which the second has no more on any line. */
interface Situation {
  readonly lines: readonly TrialLine[];
  readonly eligible: readonly number[];
  readonly more: readonly number[];
  readonly less: readonly number[];
}

const permille = fc.oneof(fc.constant(0), fc.constant(1000), fc.nat(1000));
const situation: fc.Arbitrary<Situation> = fc
  .array(fc.tuple(line, permille, permille, fc.nat(9)), { minLength: 1, maxLength: 8 })
  .map((rows) => {
    const amounts = rows.map(([{ price, quantity = 1 }]) => price * quantity);
    const more = rows.map(([, part], place) => Math.floor(((amounts[place] ?? 0) * part) / 1000));
    const less = rows.map(([, , part], place) => Math.floor(((more[place] ?? 0) * part) / 1000));
    const eligible = rows.flatMap(([, , , dice], place) => (dice > 1 ? [place] : []));
    return { lines: rows.map(([first]) => first), eligible, more, less };
  });

const run = (tried: Effect, { lines, eligible }: Situation, left: readonly number[], isOptimistic = false) =>
  trialOf(tried, lines, { eligible, shipping: 700 }).run(left, isOptimistic);

const sumOf = (list: readonly number[]): number => list.reduce((sum, each) => sum + each, 0);

/** The most an effect may take off by its own terms. */
function ceilingOf(tried: Effect): number {
  if (tried.kind === 'fixed_amount_off' || tried.kind === 'no_threshold_voucher') return tried.amountMinor;
  if (tried.kind === 'shipping_off') return tried.amountMinor;
  if (tried.kind === 'every_amount_off') return tried.amountMinor * tried.maxTimes;
  if (tried.kind === 'percent_off' || tried.kind === 'free_shipping')
    return tried.maxOffMinor ?? Number.POSITIVE_INFINITY;
  return Number.POSITIVE_INFINITY;
}

function moneyOf({ itemsOff, shippingOff }: TrialResult): number {
  return itemsOff + shippingOff;
}

describe('every effect', () => {
  it('takes whole amounts, never above what is left, that sum to what it says, within its ceiling', () => {
    fc.assert(
      fc.property(effect, situation, (tried, met) => {
        const { off, itemsOff, shippingOff, points } = run(tried, met, met.more);
        expect(
          off.every(
            (each, place) => Number.isSafeInteger(each) && each >= 0 && each <= (met.more[place] ?? 0),
          ),
        ).toBe(true);
        expect(sumOf(off)).toBe(itemsOff);
        expect(off.every((each, place) => each === 0 || met.eligible.includes(place))).toBe(true);
        expect(shippingOff).toBeLessThanOrEqual(700);
        expect(itemsOff + shippingOff).toBeLessThanOrEqual(ceilingOf(tried));
        expect(Number.isSafeInteger(points) && points >= 0).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('shares each discount by some units of the line, none of which gets more than it costs', () => {
    fc.assert(
      fc.property(effect, situation, (tried, met) => {
        const { off, units } = run(tried, met, met.more);
        for (const [place, { price, quantity = 1 }] of met.lines.entries()) {
          expect(units[place]).toBeLessThanOrEqual(quantity);
          expect(off[place]).toBeLessThanOrEqual((units[place] ?? 0) * price);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('gives the same each time', () => {
    fc.assert(
      fc.property(effect, situation, (tried, met) => {
        const trial = trialOf(tried, met.lines, { eligible: met.eligible, shipping: 700 });
        const first = trial.run(met.more);
        trial.run(met.less);
        expect(trial.run(met.more)).toEqual(first);
        expect(run(tried, met, met.more)).toEqual(first);
      }),
      { numRuns: 500 },
    );
  });
});

const isMeasuredAfter = (tried: Effect): boolean =>
  'thresholdBasis' in tried &&
  tried.thresholdBasis === 'after' &&
  !('thresholdKind' in tried && tried.thresholdKind === 'quantity');

describe('with less left', () => {
  it('an effect never gives more than it gives, optimistically, with more left', () => {
    fc.assert(
      fc.property(effect, situation, (tried, met) => {
        const bound = run(tried, met, met.more, true);
        const given = run(tried, met, met.less);
        expect(moneyOf(given)).toBeLessThanOrEqual(moneyOf(bound));
        expect(given.points).toBeLessThanOrEqual(bound.points);
        expect(given.gifts).toEqual(bound.gifts);
      }),
      { numRuns: 4000 },
    );
  });

  it('an effect never gives more, exactly, unless its tiers are measured after discounts', () => {
    fc.assert(
      fc.property(effect, situation, (tried, met) => {
        fc.pre(tried.kind !== 'tiered_off' || !isMeasuredAfter(tried));
        expect(moneyOf(run(tried, met, met.less))).toBeLessThanOrEqual(moneyOf(run(tried, met, met.more)));
      }),
      { numRuns: 2000 },
    );
  });

  const leftAfter = (tried: Effect, met: Situation, left: readonly number[]): number[] => {
    const { off } = run(tried, met, left);
    return left.map((each, place) => each - (off[place] ?? 0));
  };
  const isBundle = (tried: Effect): boolean =>
    tried.kind === 'fixed_price' && tried.bundleUnits !== undefined;

  it('no line is left with more after an effect that spreads nothing', () => {
    fc.assert(
      fc.property(effect, situation, (tried, met) => {
        const { isSpread } = trialOf(tried, met.lines).effect;
        fc.pre(!isSpread && !isMeasuredAfter(tried));
        const [more, less] = [leftAfter(tried, met, met.more), leftAfter(tried, met, met.less)];
        expect(less.every((each, place) => each <= (more[place] ?? 0))).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('a line is left with at most one minor unit more after an effect that spreads, bundles apart', () => {
    fc.assert(
      fc.property(effect, situation, (tried, met) => {
        fc.pre(!isBundle(tried) && !isMeasuredAfter(tried));
        const [more, less] = [leftAfter(tried, met, met.more), leftAfter(tried, met, met.less)];
        expect(less.every((each, place) => each <= (more[place] ?? 0) + 1)).toBe(true);
      }),
      { numRuns: 4000 },
    );
  });

  it('the eligible lines together are never left with more, unless a threshold is measured after discounts', () => {
    fc.assert(
      fc.property(effect, situation, (tried, met) => {
        fc.pre(!isMeasuredAfter(tried));
        expect(sumOf(leftAfter(tried, met, met.less))).toBeLessThanOrEqual(
          sumOf(leftAfter(tried, met, met.more)),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('a line may indeed be left with one minor unit more after a spread', () => {
    const lines = [{ price: 3 }, { price: 1 }, { price: 1 }];
    const met: Situation = { lines, eligible: [0, 1, 2], more: [3, 1, 1], less: [3, 1, 0] };
    const off: Effect = { kind: 'fixed_amount_off', amountMinor: 2 };
    expect(leftAfter(off, met, met.more)).toEqual([2, 0, 1]);
    expect(leftAfter(off, met, met.less)).toEqual([1, 1, 0]);
  });

  it('a line may be left with much more after bundles, which another line has made not worth their price', () => {
    const lines = [{ price: 1000 }, { price: 1000 }];
    const met: Situation = { lines, eligible: [0, 1], more: [1000, 1000], less: [1000, 0] };
    const pair: Effect = { kind: 'fixed_price', priceMinor: 1000, bundleUnits: 2 };
    expect(leftAfter(pair, met, met.more)).toEqual([500, 500]);
    expect(leftAfter(pair, met, met.less)).toEqual([1000, 0]);
  });
});

/** Bundles as the contract describes them, unit by unit. */
function bundlesByUnit(
  tried: EffectOf<'fixed_price'>,
  size: number,
  { lines, eligible, more }: Situation,
): number[] {
  const { unitCap, priceMinor } = tried;
  const sign = unitCap?.choice === 'dearest' ? -1 : 1;
  const order = eligible.toSorted(
    (one, other) => sign * ((lines[one]?.price ?? 0) - (lines[other]?.price ?? 0)) || one - other,
  );
  const units = order.flatMap((place) => {
    const quantity = lines[place]?.quantity ?? 1;
    const left = more[place] ?? 0;
    const values = Array.from(
      { length: quantity },
      (_, at) => Math.floor(left / quantity) + (at < left % quantity ? 1 : 0),
    );
    return values
      .slice(0, unitCap?.basis === 'line' ? unitCap.maxUnits : quantity)
      .map((value) => ({ place, value }));
  });
  const taken = units.slice(0, unitCap?.basis === 'cart' ? unitCap.maxUnits : units.length);
  const weights = lines.map(() => 0);
  let off = 0;
  for (let at = 0; at + size <= taken.length; at += size) {
    const bundle = taken.slice(at, at + size);
    const worth = sumOf(bundle.map(({ value }) => value));
    if (worth <= priceMinor) continue;
    off += worth - priceMinor;
    for (const { place, value } of bundle) weights[place] = (weights[place] ?? 0) + value;
  }
  return byLargestRemainder(off, weights);
}

function byLargestRemainder(total: number, weights: readonly number[]): number[] {
  const sum = sumOf(weights);
  if (sum === 0) return weights.map(() => 0);
  const shares = weights.map((weight) => Math.floor((total * weight) / sum));
  const order = weights
    .map((weight, place) => ({ place, rest: (total * weight) % sum }))
    .toSorted((one, other) => other.rest - one.rest || one.place - other.place);
  for (const { place } of order.slice(0, total - sumOf(shares))) shares[place] = (shares[place] ?? 0) + 1;
  return shares;
}

it('bundles are those that one gets by laying out the units one by one', () => {
  fc.assert(
    fc.property(EFFECTS.fixed_price, situation, fc.integer({ min: 2, max: 5 }), (terms, met, bundleUnits) => {
      const tried = { ...terms, bundleUnits };
      expect(run(tried, met, met.more).off).toEqual(bundlesByUnit(tried, bundleUnits, met));
    }),
    { numRuns: 2000 },
  );
});

/** The most groups, found by trying every split of the shared units. */
function mostGroups(
  { buyQuantity, getQuantity, maxGroups }: EffectOf<'buy_x_get_y'>,
  pools: readonly number[],
): number {
  const [onlyBuy = 0, onlyGet = 0, both = 0] = pools;
  let most = 0;
  for (let bought = 0; bought <= both; bought += 1) {
    const groups = Math.min(
      Math.floor((onlyBuy + bought) / buyQuantity),
      Math.floor((onlyGet + both - bought) / getQuantity),
    );
    most = Math.max(most, groups);
  }
  return Math.min(most, maxGroups);
}

it('groups are as many as some use of the units allows, and leave enough units to be bought', () => {
  fc.assert(
    fc.property(EFFECTS.buy_x_get_y, situation, (tried, met) => {
      const isIn = (list: ItemSelection | undefined, place: number): boolean =>
        list === undefined ||
        (met.lines[place]?.categories ?? []).some((id) => list.categoryIds.includes(id));
      const unitsWhere = (holds: (place: number) => boolean): number =>
        sumOf(met.eligible.filter(holds).map((place) => met.lines[place]?.quantity ?? 1));
      const isBuy = (place: number): boolean => isIn(tried.buy, place);
      const isGet = (place: number): boolean => isIn(tried.get ?? tried.buy, place);
      const pools = [
        unitsWhere((place) => isBuy(place) && !isGet(place)),
        unitsWhere((place) => isGet(place) && !isBuy(place)),
        unitsWhere((place) => isGet(place) && isBuy(place)),
      ];
      const groups = mostGroups(tried, pools);
      const full = met.lines.map(({ price, quantity = 1 }) => (price + 1) * quantity);
      const lines = met.lines.map((each) => ({ ...each, price: each.price + 1 }));
      const { units, failure } = run({ ...tried, basisPoints: 10_000 }, { ...met, lines }, full);
      expect(failure === undefined).toBe(groups > 0);
      expect(sumOf(units)).toBe(groups * tried.getQuantity);
      const rewardedOfBoth = sumOf(units.filter((_, place) => isBuy(place) && isGet(place)));
      expect((pools[0] ?? 0) + (pools[2] ?? 0) - rewardedOfBoth).toBeGreaterThanOrEqual(
        groups * tried.buyQuantity,
      );
    }),
    { numRuns: 1000 },
  );
});
