/** What a kind of effect is made of. Every file in `effects/` exports one {@link EffectCompiler}. Amounts in minor units. */
import type { Failure, Gift } from '../domain/decision.ts';
import type { EffectKind, EffectOf } from '../domain/promotion.ts';
import type { LineList, PreparedCart } from './prepared-cart.ts';
import type { Vocabulary } from './vocabulary.ts';

/** What an effect starts from: the lines it may touch, and what earlier discounts have left of them. */
export interface EffectInput {
  readonly cart: PreparedCart;
  /** The lines that take part, in line order. */
  readonly eligible: LineList;
  /** Sum of the eligible lines before any discount, and their units. */
  readonly spendMinor: number;
  readonly units: number;
  /** What is left of every line of the cart, by place; whole numbers from 0 to the line's amount. */
  readonly left: Float64Array;
  readonly shippingLeftMinor: number;
  /** Compare every threshold with the amounts before discounts: an upper bound, for the search. */
  readonly isOptimistic: boolean;
}

/** Where an effect writes what it gives. One object serves many applications; the caller clears it before each. */
export interface EffectOutcome {
  /**
   * Taken off each line, by place, never above what is left of it. An effect that takes something off lines writes it for every
   * eligible line; one that does not leaves it as it was, so it says something only when `itemsOffMinor` is above zero.
   */
  readonly lineOff: Float64Array;
  /** Units of each line that share its discount, by place; written for every eligible line with a discount. */
  readonly unitsOff: Float64Array;
  /** Sum of `lineOff` over the eligible lines. */
  itemsOffMinor: number;
  shippingOffMinor: number;
  gifts: readonly Gift[];
  bonusPoints: number;
}

const NO_GIFTS: readonly Gift[] = [];

/** An outcome of nothing, with room for so many lines. */
export function emptyOutcome(lines: number): EffectOutcome {
  return {
    lineOff: new Float64Array(lines),
    unitsOff: new Float64Array(lines),
    itemsOffMinor: 0,
    shippingOffMinor: 0,
    gifts: NO_GIFTS,
    bonusPoints: 0,
  };
}

/** Makes an outcome serve again. The lines need not be cleared: without a sum nobody reads them, with one all are written. */
export function clearOutcome(outcome: EffectOutcome): void {
  outcome.itemsOffMinor = 0;
  outcome.shippingOffMinor = 0;
  outcome.gifts = NO_GIFTS;
  outcome.bonusPoints = 0;
}

/** A compiled effect. */
export interface CompiledEffect {
  readonly kind: EffectKind;
  /** Shipping and benefits (points) go last whatever the scope; money on items goes by the scope. */
  readonly target: 'items' | 'shipping' | 'benefit';
  /** Odd units are handed out over lines, so that what is left of one line may be a unit more or less. */
  readonly isSpread: boolean;
  /** Why the cart gets nothing from it, judged before any discount; undefined when it may get something. */
  check(input: EffectInput): Failure | undefined;
  /** Takes its discount. All zero means that nothing is to be had from what is left. */
  apply(input: EffectInput, outcome: EffectOutcome): void;
  /** What it takes off when the eligible lines cost exactly this much and nothing else is known; undefined when that cannot be told. */
  offAtSpend(spendMinor: number): number | undefined;
}

/** One kind of effect. */
export interface EffectCompiler<Kind extends EffectKind> {
  readonly kind: Kind;
  compile(effect: EffectOf<Kind>, vocabulary: Vocabulary): CompiledEffect;
}
