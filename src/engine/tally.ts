/**
 * The running state of applying candidates one after the other: what is left of each line and of shipping. Applications are
 * undone in reverse order, so a depth-first search pays for one application per step and not for a whole set.
 */
import type { Gift } from '../domain/decision.ts';
import { spreadOver, sumAt } from '../domain/money.ts';
import type { Candidate } from './candidate.ts';
import { clearOutcome, type EffectInput, type EffectOutcome, emptyOutcome } from './effect-parts.ts';
import type { PreparedCart } from './prepared-cart.ts';

/** Why a candidate cannot be applied where it stands: too little is left for its threshold, it gives nothing, or too much. */
export type Refusal = 'BELOW_THRESHOLD' | 'GIVES_NOTHING' | 'OVER_BUDGET';

/** One application that can be undone, and where its effect wrote. */
export interface TallyStep {
  readonly candidate: Candidate;
  /** `lineOff` and `unitsOff` say something only about eligible lines, and only when `itemsOffMinor` is above zero. */
  readonly outcome: Readonly<EffectOutcome>;
}

interface MutableStep {
  candidate: Candidate | undefined;
  readonly outcome: EffectOutcome;
}

type MutableInput = { -readonly [Key in keyof EffectInput]: EffectInput[Key] };

/** Lines that every tally has room for, and the most for which room is kept when a smaller cart follows. */
const LEAST_ROOM = 64;
const MOST_ROOM_KEPT = 1_024;

const NO_LINES: readonly number[] = [];

/** Applies candidates to one cart. All amounts in minor units. */
export class Tally {
  #cart: PreparedCart;
  readonly #input: MutableInput;
  /** Steps, amounts and weights have room for so many lines; they are made once and serve cart after cart. */
  #room = 0;
  #steps: MutableStep[] = [];
  #amounts = new Float64Array();
  /** Shares of a discount cut to its budget: one per line and a last one for shipping. */
  #weights = new Float64Array();
  #depth = 0;
  #savedMinor = 0;
  #giftUnits = 0;
  #bonusPoints = 0;

  constructor(cart: PreparedCart) {
    this.#cart = cart;
    this.#input = {
      cart,
      eligible: NO_LINES,
      spendMinor: 0,
      units: 0,
      left: this.#amounts,
      shippingLeftMinor: 0,
      isOptimistic: false,
    };
    this.#makeRoom(cart.lines.length);
    this.#begin(cart);
  }

  /** Turns to another cart; nothing may be applied. Room for a very large cart is not kept for the next one. */
  turnTo(cart: PreparedCart): void {
    if (this.#depth > 0) throw new Error('a tally with applications cannot turn to another cart');
    const lines = cart.lines.length;
    if (lines > this.#room || (this.#room > MOST_ROOM_KEPT && lines <= MOST_ROOM_KEPT)) this.#makeRoom(lines);
    this.#begin(cart);
  }

  #makeRoom(lines: number): void {
    this.#room = Math.max(LEAST_ROOM, lines);
    this.#weights = new Float64Array(this.#room + 1);
    this.#amounts = new Float64Array(this.#room);
    this.#input.left = this.#amounts;
    this.#steps = [];
  }

  #begin(cart: PreparedCart): void {
    this.#cart = cart;
    this.#amounts.set(cart.amounts);
    this.#input.cart = cart;
    const { length } = cart.lines;
    if (this.#input.left.length !== length) this.#input.left = this.#amounts.subarray(0, length);
    this.#depth = 0;
    this.#input.shippingLeftMinor = cart.cart.shippingMinor;
    this.#savedMinor = 0;
    this.#giftUnits = 0;
    this.#bonusPoints = 0;
  }

  /** The cart it is turned to. */
  get cart(): PreparedCart {
    return this.#cart;
  }

  /** Taken off lines and shipping by all applications together. */
  get savedMinor(): number {
    return this.#savedMinor;
  }

  /** Units given as gifts, not counting those taken off lines of the cart. */
  get giftUnits(): number {
    return this.#giftUnits;
  }

  /** Points given by all applications together. */
  get bonusPoints(): number {
    return this.#bonusPoints;
  }

  /** What is left of every line, by place. To be read only. */
  get left(): Readonly<Float64Array> {
    return this.#input.left;
  }

  /** What is left of shipping. */
  get shippingLeftMinor(): number {
    return this.#input.shippingLeftMinor;
  }

  /** Number of applications that can be undone. */
  get depth(): number {
    return this.#depth;
  }

  /** The application at a depth, from 0; it is overwritten once it is undone. */
  stepAt(depth: number): TallyStep {
    const step = this.#steps[depth];
    if (step?.candidate === undefined || depth >= this.#depth) throw new RangeError(`no step ${depth}`);
    return { candidate: step.candidate, outcome: step.outcome };
  }

  /** What the application at a depth takes off lines and shipping. */
  offAt(depth: number): number {
    const { itemsOffMinor, shippingOffMinor } = this.stepAt(depth).outcome;
    return itemsOffMinor + shippingOffMinor;
  }

  /** What the last candidate gave, whether or not it could be kept; overwritten by the next one. To be read only. */
  get lastTried(): Readonly<EffectOutcome> {
    return this.#stepFor(this.#lastTried).outcome;
  }

  #lastTried = 0;

  /** Applies a candidate to what is left, or says why that cannot be and leaves everything as it was. */
  apply(candidate: Candidate): Refusal | undefined {
    const { spendAfter } = candidate.promotion;
    if (spendAfter !== undefined && sumAt(candidate.eligible, this.#input.left) < spendAfter.minor)
      return 'BELOW_THRESHOLD';
    const step = this.#try(candidate, false);
    const refusal = this.#keepBudget(candidate, step.outcome);
    if (refusal === undefined) this.#keep(candidate, step);
    return refusal;
  }

  /**
   * Applies a candidate whatever its thresholds and a budget that refuses say: at least as much is taken off as by any legal
   * application that starts from this or less. For upper bounds.
   */
  applyOptimistically(candidate: Candidate): void {
    const step = this.#try(candidate, true);
    this.#keepBudget(candidate, step.outcome);
    this.#keep(candidate, step);
  }

  /** The most a candidate could take off from here on, thresholds aside; nothing is changed. */
  mostOff(candidate: Candidate): number {
    const { outcome } = this.#try(candidate, true);
    return Math.min(outcome.itemsOffMinor + outcome.shippingOffMinor, candidate.budgetLeftMinor);
  }

  /** Undoes the last application. */
  undo(): void {
    this.#depth -= 1;
    const { candidate, outcome } = this.#stepFor(this.#depth);
    if (candidate === undefined) throw new RangeError('nothing to undo');
    const { left } = this.#input;
    const { eligible } = candidate;
    if (outcome.itemsOffMinor > 0) {
      for (let at = 0; at < eligible.length; at += 1) {
        const place = eligible[at] ?? 0;
        left[place] = (left[place] ?? 0) + (outcome.lineOff[place] ?? 0);
      }
    }
    this.#input.shippingLeftMinor += outcome.shippingOffMinor;
    this.#count(outcome, -1);
  }

  /** Undoes applications until so many are left. All of them together are undone by beginning anew. */
  undoTo(depth: number): void {
    if (depth === 0 && this.#depth > 1) this.#begin(this.#cart);
    else while (this.#depth > depth) this.undo();
  }

  #try(candidate: Candidate, isOptimistic: boolean): MutableStep {
    const input = this.#input;
    input.eligible = candidate.eligible;
    input.spendMinor = candidate.spendMinor;
    input.units = candidate.units;
    input.isOptimistic = isOptimistic;
    this.#lastTried = this.#depth;
    const step = this.#stepFor(this.#depth);
    const { outcome } = step;
    clearOutcome(outcome);
    candidate.promotion.effect.apply(input, outcome);
    return step;
  }

  #stepFor(depth: number): MutableStep {
    const known = this.#steps[depth];
    if (known !== undefined) return known;
    const step = { candidate: undefined, outcome: emptyOutcome(this.#room) };
    this.#steps[depth] = step;
    return step;
  }

  /** Holds an outcome against the budget; cuts it when the promotion says so. */
  #keepBudget(candidate: Candidate, outcome: EffectOutcome): Refusal | undefined {
    const offMinor = outcome.itemsOffMinor + outcome.shippingOffMinor;
    if (offMinor === 0 && outcome.bonusPoints === 0 && outcome.gifts.length === 0) return 'GIVES_NOTHING';
    const { budgetLeftMinor, promotion } = candidate;
    if (offMinor <= budgetLeftMinor) return undefined;
    if (promotion.definition.budget?.shortfall !== 'cut' || budgetLeftMinor <= 0) return 'OVER_BUDGET';
    this.#cut(budgetLeftMinor, candidate, outcome);
    return undefined;
  }

  /** Line and shipping offs together are cut to an amount, spread by what each would have been, shipping last. */
  #cut(toMinor: number, { eligible }: Candidate, outcome: EffectOutcome): void {
    const { itemsOffMinor, shippingOffMinor, lineOff } = outcome;
    const shippingPlace = this.#cart.lines.length;
    const places = itemsOffMinor === 0 ? [shippingPlace] : [...eligible, shippingPlace];
    const weights = this.#weights;
    for (const place of places) weights[place] = lineOff[place] ?? 0;
    weights[shippingPlace] = shippingOffMinor;
    spreadOver(toMinor, itemsOffMinor + shippingOffMinor, places, weights, weights);
    if (itemsOffMinor > 0) for (const place of eligible) lineOff[place] = weights[place] ?? 0;
    outcome.shippingOffMinor = weights[shippingPlace] ?? 0;
    outcome.itemsOffMinor = toMinor - outcome.shippingOffMinor;
  }

  #keep(candidate: Candidate, step: MutableStep): void {
    const { outcome } = step;
    step.candidate = candidate;
    const { left } = this.#input;
    const { eligible } = candidate;
    if (outcome.itemsOffMinor > 0) {
      for (let at = 0; at < eligible.length; at += 1) {
        const place = eligible[at] ?? 0;
        left[place] = (left[place] ?? 0) - (outcome.lineOff[place] ?? 0);
      }
    }
    this.#input.shippingLeftMinor -= outcome.shippingOffMinor;
    this.#count(outcome, 1);
    this.#depth += 1;
  }

  #count(outcome: EffectOutcome, sign: 1 | -1): void {
    this.#savedMinor += sign * (outcome.itemsOffMinor + outcome.shippingOffMinor);
    this.#bonusPoints += sign * outcome.bonusPoints;
    if (outcome.gifts.length > 0) this.#giftUnits += sign * giftUnitsOf(outcome.gifts);
  }
}

/** Units of gifts together. */
export function giftUnitsOf(gifts: readonly Gift[]): number {
  return gifts.reduce((units, { quantity }) => units + quantity, 0);
}

/** The tally that evaluations use one after the other. */
let shared: Tally | undefined;

/**
 * The tally of a cart with nothing applied. An evaluation uses it for one purpose after the other, and the next evaluation
 * uses it again, so that its arrays are made once; whoever applies undoes.
 */
export function tallyOf(cart: PreparedCart): Tally {
  if (shared === undefined || shared.depth > 0) shared = new Tally(cart);
  else if (shared.cart !== cart) shared.turnTo(cart);
  return shared;
}
