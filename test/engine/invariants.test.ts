import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { TaxMode } from '../../src/domain/cart.ts';
import type { AppliedPromotion, Decision } from '../../src/domain/decision.ts';
import type { PromotionDefinition, Rule } from '../../src/domain/promotion.ts';
import { evaluateCart } from '../../src/engine/evaluate-cart.ts';
import { engineEvaluate, tableOf } from './engine-evaluate.ts';
import { CROWDED, DETAILED, type Focus, LARGE, MIXED, type Situation, situations } from './random-carts.ts';

const anySituation = fc.oneof(
  situations(MIXED),
  situations(CROWDED),
  situations(DETAILED),
  situations(LARGE),
);
const RUNS = { numRuns: 1000 };

function decide({ current, older, input }: Situation): Decision {
  return engineEvaluate(current, older, input);
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}

function savedBy({ totals }: Decision): number {
  return totals.itemsDiscountMinor + totals.shippingDiscountMinor;
}

// SPEC R14
it('gives shares that sum to the discount, and units that sum to the share', () => {
  fc.assert(
    fc.property(anySituation, (situation) => {
      for (const { discountMinor, shippingDiscountMinor, shares } of decide(situation).applied) {
        expect(sum(shares.map(({ amountMinor }) => amountMinor)) + shippingDiscountMinor).toBe(discountMinor);
        for (const { lineIndex, amountMinor, units } of shares) {
          expect(sum(units.map((run) => run.units * run.amountMinor))).toBe(amountMinor);
          expect(units.every((run) => run.units > 0 && run.amountMinor > 0)).toBe(true);
          const { quantity = 0 } = situation.input.cart.lines[lineIndex] ?? {};
          expect(sum(units.map((run) => run.units))).toBeLessThanOrEqual(quantity);
        }
      }
    }),
    RUNS,
  );
});

// SPEC R14
it('never takes a line, the order or shipping below zero, and adds up', () => {
  fc.assert(
    fc.property(anySituation, (situation) => {
      const { lines, totals, applied, bonusPoints } = decide(situation);
      for (const [lineIndex, line] of lines.entries()) {
        const { quantity = 0, unitPriceMinor = 0 } = situation.input.cart.lines[lineIndex] ?? {};
        const shares = applied.flatMap((each) =>
          each.shares.filter((share) => share.lineIndex === lineIndex),
        );
        expect(line.originalMinor).toBe(quantity * unitPriceMinor);
        expect(line.discountMinor).toBe(sum(shares.map(({ amountMinor }) => amountMinor)));
        expect(line.payableMinor).toBe(line.originalMinor - line.discountMinor);
        expect(line.payableMinor).toBeGreaterThanOrEqual(0);
      }
      expect(totals.itemsMinor).toBe(sum(lines.map(({ originalMinor }) => originalMinor)));
      expect(totals.itemsDiscountMinor).toBe(sum(lines.map(({ discountMinor }) => discountMinor)));
      expect(totals.shippingDiscountMinor).toBe(sum(applied.map((each) => each.shippingDiscountMinor)));
      expect(totals.shippingDiscountMinor).toBeLessThanOrEqual(totals.shippingMinor);
      const paid = sum(lines.map(({ payableMinor }) => payableMinor));
      expect(totals.payableMinor).toBe(paid + totals.shippingMinor - totals.shippingDiscountMinor);
      expect(bonusPoints).toBe(sum(applied.map((each) => each.bonusPoints)));
    }),
    RUNS,
  );
});

/** The most a promotion may take off, by what it says itself. */
function ceilingOf({ effect, budget }: PromotionDefinition): number {
  const own = ((): number => {
    switch (effect.kind) {
      case 'fixed_amount_off':
      case 'no_threshold_voucher':
      case 'shipping_off':
        return effect.amountMinor;
      case 'percent_off':
      case 'free_shipping':
        return effect.maxOffMinor ?? Infinity;
      case 'tiered_off': {
        const amounts = effect.tiers.map(({ off }) =>
          off.kind === 'amount' ? off.amountMinor : (effect.maxOffMinor ?? Infinity),
        );
        return Math.max(...amounts);
      }
      case 'every_amount_off':
        return effect.maxTimes * effect.amountMinor;
      case 'bonus_points':
      case 'points_multiplier':
        return 0;
      case 'buy_x_get_y':
      case 'fixed_price':
      case 'gift_items':
        return Infinity;
    }
  })();
  return Math.min(own, budget?.amountMinor ?? Infinity);
}

/** The most units on which a promotion may take something off. */
function mostUnits({ effect }: PromotionDefinition, lines: number): number {
  switch (effect.kind) {
    case 'percent_off':
    case 'fixed_price': {
      const { maxUnits = Infinity, basis = 'cart' } = effect.unitCap ?? {};
      return basis === 'cart' ? maxUnits : maxUnits * lines;
    }
    case 'buy_x_get_y':
      return effect.maxGroups * effect.getQuantity;
    default:
      return Infinity;
  }
}

function definitionOf({ current, older }: Situation, applied: AppliedPromotion): PromotionDefinition {
  const found = [...current, ...older].find(
    ({ ref, version }) => ref === applied.promotionRef && version === applied.promotionVersion,
  );
  if (found === undefined) throw new Error(`no promotion ${applied.promotionId}`);
  return found;
}

// SPEC P2, P9
it('never takes more than a ceiling, a budget or a number of units allows', () => {
  fc.assert(
    fc.property(anySituation, (situation) => {
      for (const applied of decide(situation).applied) {
        const definition = definitionOf(situation, applied);
        expect(applied.discountMinor).toBeLessThanOrEqual(ceilingOf(definition));
        const units = sum(applied.shares.flatMap((share) => share.units.map((run) => run.units)));
        expect(units).toBeLessThanOrEqual(mostUnits(definition, situation.input.cart.lines.length));
      }
    }),
    RUNS,
  );
});

// SPEC P9
it('never uses a promotion more often, or for more money, than its limits leave', () => {
  let bound = 0;
  fc.assert(
    fc.property(anySituation, (situation) => {
      const { applied } = decide(situation);
      for (const { promotionRef, uses, userUses, budget } of situation.input.limits ?? []) {
        const ofPromotion = applied.filter((each) => each.promotionRef === promotionRef);
        const left = [uses, userUses].map((count) => (count ? count.allowed - count.seen : Infinity));
        expect(ofPromotion.length).toBeLessThanOrEqual(Math.min(...left));
        expect(sum(ofPromotion.map(({ discountMinor }) => discountMinor))).toBeLessThanOrEqual(
          budget?.leftMinor ?? Infinity,
        );
        bound += ofPromotion.length > 1 ? 1 : 0;
      }
    }),
    RUNS,
  );
  expect(bound).toBeGreaterThan(0);
});

/** Where a promotion wins whatever it saves, one more coupon may well make an order dearer. */
const bySaving = (rule: Rule): Rule =>
  rule.kind === 'stackability' ? { ...rule, choice: 'best_saving' } : rule;
const COMPETING: Focus = { ...CROWDED, rules: CROWDED.rules.map(bySaving), coupons: { min: 1, max: 4 } };

// SPEC R11. Without limits of promotions there are coupons of: what those leave is given out before the search, to whoever saves
// most alone (`ration.ts`).
it('never saves less because of one more coupon', () => {
  fc.assert(
    fc.property(situations(COMPETING), fc.nat(), ({ current, older, input: { limits, ...input } }, at) => {
      const isOfCoupons = new Set(input.coupons.map(({ promotionRef }) => promotionRef));
      const unshared = limits?.filter(({ promotionRef }) => !isOfCoupons.has(promotionRef));
      const best = { ...input, limits: unshared ?? [], selection: { kind: 'best' } as const };
      const without = best.coupons.toSpliced(at % Math.max(1, best.coupons.length), 1);
      const fewer = engineEvaluate(current, older, { ...best, coupons: without });
      expect(savedBy(engineEvaluate(current, older, best))).toBeGreaterThanOrEqual(savedBy(fewer));
    }),
    RUNS,
  );
});

// SPEC R11
it('saves no less than any own selection of the same coupons and codes', () => {
  fc.assert(
    fc.property(
      situations(COMPETING),
      fc.shuffledSubarray(['k1', 'k2', 'k3', 'k4']),
      ({ current, older, input: { limits: _, ...input } }, couponIds) => {
        const own = { kind: 'own', couponIds, codes: input.codes } as const;
        const best = engineEvaluate(current, older, { ...input, selection: { kind: 'best' } });
        const chosen = engineEvaluate(current, older, { ...input, selection: own });
        expect(savedBy(best)).toBeGreaterThanOrEqual(savedBy(chosen));
      },
    ),
    RUNS,
  );
});

/** An answer with line ids in the place of numbers, lines sorted by id. */
function byLineId({ lines, applied, ...rest }: Decision, { input }: Situation): unknown {
  const lineId = (at: number): string => input.cart.lines[at]?.lineId ?? '?';
  const sorted = <Entry extends { readonly lineId: string }>(entries: readonly Entry[]): Entry[] =>
    entries.toSorted((one, other) => (one.lineId < other.lineId ? -1 : 1));
  return {
    ...rest,
    lines: sorted(lines.map((line, at) => ({ ...line, lineId: lineId(at) }))),
    applied: applied.map(({ shares, ...each }) => ({
      ...each,
      shares: sorted(shares.map(({ lineIndex, ...share }) => ({ ...share, lineId: lineId(lineIndex) }))),
    })),
  };
}

// SPEC R13
it('does not depend on the order in which lines, coupons, codes and promotions are listed', () => {
  fc.assert(
    fc.property(anySituation, fc.infiniteStream(fc.nat()), (situation, numbers) => {
      const shuffle = <Value>(values: readonly Value[]): Value[] =>
        values
          .map((value) => ({ value, rank: numbers.next().value }))
          .sort((one, other) => one.rank - other.rank)
          .map(({ value }) => value);
      const { current, older, input } = situation;
      const cart = { ...input.cart, lines: shuffle(input.cart.lines) };
      const shuffled: Situation = {
        current: shuffle(current),
        older: shuffle(older),
        input: { ...input, cart, coupons: shuffle(input.coupons), codes: shuffle(input.codes) },
      };
      expect(byLineId(decide(shuffled), shuffled)).toEqual(byLineId(decide(situation), situation));
    }),
    RUNS,
  );
});

// SPEC R13
it('gives the byte-same answer every time, also from a table that has seen other carts', () => {
  const others = fc.sample(situations(MIXED), { numRuns: 3, seed: 1 });
  fc.assert(
    fc.property(anySituation, (situation) => {
      const { current, older, input } = situation;
      const table = tableOf(current, older);
      const first = JSON.stringify(evaluateCart(table, input));
      for (const other of others) evaluateCart(table, { ...other.input, coupons: [] });
      expect(JSON.stringify(evaluateCart(table, input))).toBe(first);
      expect(JSON.stringify(decide(situation))).toBe(first);
    }),
    RUNS,
  );
});

// SPEC R10
it('accounts for every coupon and every code once', () => {
  fc.assert(
    fc.property(anySituation, (situation) => {
      const { applied, rejected } = decide(situation);
      const sources = [...applied, ...rejected].map(({ source }) => source);
      const answered = sources.flatMap((source) => (source.kind === 'coupon' ? [source.couponId] : []));
      const { coupons, selection, codes } = situation.input;
      const asked = [
        ...coupons.map(({ couponId }) => couponId),
        ...(selection.kind === 'own' ? selection.couponIds : []),
      ];
      expect(answered.toSorted()).toEqual([...new Set(asked)].sort());
      const typed = [...codes, ...(selection.kind === 'own' ? selection.codes : [])];
      const codesAnswered = sources.flatMap((source) => (source.kind === 'code' ? [source.code] : []));
      expect(codesAnswered.toSorted()).toEqual(
        [...new Set(typed.map((code) => code.trim().toLowerCase()))].sort(),
      );
    }),
    RUNS,
  );
});

// SPEC R10
it('says nothing of promotions that ask for what is not in the cart', () => {
  fc.assert(
    fc.property(anySituation, situations(DETAILED), (situation, { current: idle }) => {
      const elsewhere: Rule = {
        kind: 'item_eligibility',
        match: 'any',
        selection: { itemIds: ['somewhere-else'], categoryIds: [] },
      };
      const added = idle.map((definition, at) => ({
        ...definition,
        ref: 1000 + at,
        id: `idle-${at}`,
        rules: [...definition.rules, elsewhere],
      }));
      const more = { ...situation, current: [...added, ...situation.current] };
      expect(decide(more)).toEqual(decide(situation));
    }),
    RUNS,
  );
});

// SPEC R14
it('takes discounts from prices as they are, whether they hold the tax or not', () => {
  fc.assert(
    fc.property(anySituation, (situation) => {
      const { input } = situation;
      const inMode = (taxMode: TaxMode): Decision =>
        decide({ ...situation, input: { ...input, cart: { ...input.cart, taxMode } } });
      expect(inMode('excluded')).toEqual(inMode('included'));
    }),
    RUNS,
  );
});
