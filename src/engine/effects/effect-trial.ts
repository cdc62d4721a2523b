/** One effect on one small cart, for tests: what is read and written in words instead of arrays by place. */
import type { ItemOffer } from '../../domain/cart.ts';
import type { Failure, Gift } from '../../domain/decision.ts';
import type { Effect } from '../../domain/promotion.ts';
import { compileEffect } from '../compile-effect.ts';
import { type CompiledEffect, type EffectInput, emptyOutcome } from '../effect-parts.ts';
import { type LineList, type PreparedCart, prepareCart } from '../prepared-cart.ts';
import { Vocabulary } from '../vocabulary.ts';

/** One line; line ids follow the order of the list. */
export interface TrialLine {
  readonly price: number;
  readonly quantity?: number;
  /** What earlier discounts left; absent: all of it. */
  readonly left?: number;
  readonly item?: string;
  readonly categories?: readonly string[];
}

/** What the effect meets besides lines. */
export interface TrialSetting {
  readonly currency?: string;
  readonly shipping?: number;
  /** Places of the eligible lines; absent: all. */
  readonly eligible?: LineList;
  readonly offers?: ReadonlyMap<string, ItemOffer>;
  readonly isOptimistic?: boolean;
}

/** What the effect gave; `off` and `units` by line. */
export interface TrialResult {
  readonly failure: Failure | undefined;
  readonly off: readonly number[];
  readonly units: readonly number[];
  readonly itemsOff: number;
  readonly shippingOff: number;
  readonly gifts: readonly Gift[];
  readonly points: number;
}

/** A compiled effect and a cart that can be tried with several amounts left. */
export interface Trial {
  readonly effect: CompiledEffect;
  readonly cart: PreparedCart;
  run(left?: readonly number[], isOptimistic?: boolean): TrialResult;
}

/** Sets an effect and a cart up. */
export function trialOf(effect: Effect, lines: readonly TrialLine[], setting: TrialSetting = {}): Trial {
  const vocabulary = new Vocabulary();
  const compiled = compileEffect(effect, vocabulary);
  const cart = cartOf(lines, setting, vocabulary);
  const leftOf = ({ price, quantity = 1, left = price * quantity }: TrialLine): number => left;
  return {
    effect: compiled,
    cart,
    run: (left = lines.map(leftOf), isOptimistic = setting.isOptimistic ?? false) =>
      apply(compiled, inputOf(cart, left, isOptimistic, setting)),
  };
}

/** Applies an effect to a cart once. */
export function tryEffect(effect: Effect, lines: readonly TrialLine[], setting?: TrialSetting): TrialResult {
  return trialOf(effect, lines, setting).run();
}

function cartOf(lines: readonly TrialLine[], setting: TrialSetting, vocabulary: Vocabulary): PreparedCart {
  const { currency = 'CNY', shipping = 0, offers } = setting;
  const cartLines = lines.map(({ price, quantity = 1, item, categories = [] }, at) => ({
    lineId: String(at + 1),
    itemId: item ?? `item-${at + 1}`,
    categoryIds: categories,
    quantity,
    unitPriceMinor: price,
    isOnSale: false,
  }));
  const cart = {
    currency,
    taxMode: 'included',
    lines: cartLines,
    shippingMinor: shipping,
    attributes: new Map(),
  } as const;
  return prepareCart(cart, vocabulary, offers);
}

function inputOf(
  cart: PreparedCart,
  left: readonly number[],
  isOptimistic: boolean,
  { eligible = cart.allLines }: TrialSetting,
): EffectInput {
  const sum = (values: ArrayLike<number>): number =>
    eligible.reduce((total, place) => total + (values[place] ?? 0), 0);
  return {
    cart,
    eligible,
    spendMinor: sum(cart.amounts),
    units: sum(cart.quantities),
    left: Float64Array.from(left),
    shippingLeftMinor: cart.cart.shippingMinor,
    isOptimistic,
  };
}

function apply(effect: CompiledEffect, input: EffectInput): TrialResult {
  const outcome = emptyOutcome(input.cart.lines.length);
  const failure = effect.check(input);
  effect.apply(input, outcome);
  return {
    failure,
    off: [...outcome.lineOff],
    units: [...outcome.unitsOff].map((units, place) => ((outcome.lineOff[place] ?? 0) > 0 ? units : 0)),
    itemsOff: outcome.itemsOffMinor,
    shippingOff: outcome.shippingOffMinor,
    gifts: outcome.gifts,
    points: outcome.bonusPoints,
  };
}
