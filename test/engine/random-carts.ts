/** Random situations: a few promotions, a small cart, a user, coupons and codes that have much to do with each other. */
import fc from 'fast-check';
import type { PromotionDefinition } from '../../src/domain/promotion.ts';
import type { EvaluationInput } from '../../src/engine/evaluation-input.ts';
import { mostly } from './random-chances.ts';
import { effects, itemEffects, type Scale } from './random-effects.ts';
import { limitLists, resolvedCodeLists } from './random-limits.ts';
import { AT_MS, carts, type OrderSize, offers, users } from './random-orders.ts';
import { OF_CART, type PromotionSort, type Promotions, promotionLists, ways } from './random-promotions.ts';
import { rules as anyRules, exclusions, minimumSpends, scopes, stackabilities } from './random-rules.ts';
import { couponLists, ownSelections, type WalletSort } from './random-wallets.ts';
import { situationText } from './situation-text.ts';

/** Everything an evaluation depends on. */
export interface Situation extends Promotions {
  readonly input: EvaluationInput;
}

/** What sort of situations to make. */
export interface Focus extends PromotionSort, OrderSize, WalletSort {}

function inputs(focus: Focus, promotions: Promotions): fc.Arbitrary<EvaluationInput> {
  return fc.record({
    cart: carts(focus),
    offers,
    facts: users,
    atMs: fc.constant(AT_MS),
    coupons: couponLists(focus, promotions),
    limits: limitLists(focus.scale, promotions),
    resolvedCodes: resolvedCodeLists,
    codes: fc.oneof(fc.subarray(['X', ' y', 'x', 'S1 ', 's2', 's3']), mostly<string[]>([], ['z', 'y'])),
    selection: ownSelections,
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

function inCurrencyOf(input: EvaluationInput, { current, older }: Promotions): Situation {
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
