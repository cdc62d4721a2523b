/** Units in bundles of a fixed price: which go into bundles, and what the bundles take off. */
import { spreadOver, sumAt } from '../../domain/money.ts';
import type { UnitCap } from '../../domain/promotion.ts';
import type { EffectInput, EffectOutcome } from '../effect-parts.ts';
import type { LineList, PreparedCart } from '../prepared-cart.ts';
import { pickUnits, positionsByPrice, quantityOf, type TakenUnits } from './pick-units.ts';

/** The units that may go into bundles, before any discount. */
export interface BundlePlan {
  /** Positions in the list of eligible lines, in the order in which their units are taken. */
  readonly order: readonly number[];
  readonly taken: TakenUnits;
  readonly units: number;
}

/** Makes the plan for a cart: cheapest units first unless the cap says otherwise. */
export function planBundles(cap: UnitCap | undefined, cart: PreparedCart, eligible: LineList): BundlePlan {
  const taken = pickUnits(cart, eligible, cap);
  return {
    order: positionsByPrice(cart, eligible, cap?.choice ?? 'cheapest'),
    taken,
    units: taken.reduce((sum, units) => sum + units, 0),
  };
}

/**
 * Takes off what each bundle is worth above its price. A line has units of at most two values, so whole bundles of equal
 * units are counted at once and the work follows the number of lines. One object serves one compiled effect.
 */
export class Bundles {
  readonly #bundleUnits: number;
  readonly #priceMinor: number;
  /** The bundle that is being filled: the lines its units are of, how many, and what each of them is worth. */
  readonly #places: Int32Array;
  readonly #units: Float64Array;
  readonly #eachMinor: Float64Array;
  #parts = 0;
  #openUnits = 0;
  #openValueMinor = 0;
  #offMinor = 0;

  constructor(bundleUnits: number, priceMinor: number) {
    this.#bundleUnits = bundleUnits;
    this.#priceMinor = priceMinor;
    this.#places = new Int32Array(bundleUnits);
    this.#units = new Float64Array(bundleUnits);
    this.#eachMinor = new Float64Array(bundleUnits);
  }

  /**
   * The sum is spread by the value of the units in the bundles that take something off; while these are being found,
   * `lineOff` holds those values.
   */
  take(plan: BundlePlan, input: EffectInput, outcome: EffectOutcome): void {
    const { eligible } = input;
    for (let at = 0; at < eligible.length; at += 1) {
      const place = eligible[at] ?? 0;
      outcome.lineOff[place] = 0;
      outcome.unitsOff[place] = 0;
    }
    this.#fill(plan, input, outcome);
    const valueMinor = sumAt(eligible, outcome.lineOff);
    spreadOver(this.#offMinor, valueMinor, eligible, outcome.lineOff, outcome.lineOff);
    outcome.itemsOffMinor = this.#offMinor;
  }

  #fill(plan: BundlePlan, { cart, eligible, left }: EffectInput, outcome: EffectOutcome): void {
    this.#offMinor = 0;
    let unitsLeft = plan.units - (plan.units % this.#bundleUnits);
    for (let at = 0; at < plan.order.length && unitsLeft > 0; at += 1) {
      const position = plan.order[at] ?? 0;
      const place = eligible[position] ?? 0;
      const units = Math.min(unitsLeft, plan.taken[position] ?? 0);
      if (units === 0) continue;
      const quantity = quantityOf(cart, place);
      const leftMinor = left[place] ?? 0;
      const each = Math.floor(leftMinor / quantity);
      const odd = Math.min(units, leftMinor - quantity * each);
      this.#add(place, odd, each + 1, outcome);
      this.#add(place, units - odd, each, outcome);
      unitsLeft -= units;
    }
  }

  /** Adds units of one line and one value to the open bundle and, when that is full, to bundles of their own. */
  #add(place: number, units: number, eachMinor: number, outcome: EffectOutcome): void {
    const first = this.#openUnits === 0 ? 0 : Math.min(units, this.#bundleUnits - this.#openUnits);
    this.#open(place, first, eachMinor, outcome);
    const rest = (units - first) % this.#bundleUnits;
    const bundles = (units - first - rest) / this.#bundleUnits;
    const offMinor = this.#bundleUnits * eachMinor - this.#priceMinor;
    if (bundles > 0 && offMinor > 0) {
      this.#offMinor += bundles * offMinor;
      credit(outcome, place, units - first - rest, eachMinor);
    }
    this.#open(place, rest, eachMinor, outcome);
  }

  #open(place: number, units: number, eachMinor: number, outcome: EffectOutcome): void {
    if (units === 0) return;
    this.#places[this.#parts] = place;
    this.#units[this.#parts] = units;
    this.#eachMinor[this.#parts] = eachMinor;
    this.#parts += 1;
    this.#openUnits += units;
    this.#openValueMinor += units * eachMinor;
    if (this.#openUnits === this.#bundleUnits) this.#close(outcome);
  }

  #close(outcome: EffectOutcome): void {
    const offMinor = this.#openValueMinor - this.#priceMinor;
    if (offMinor > 0) {
      this.#offMinor += offMinor;
      for (let at = 0; at < this.#parts; at += 1) {
        credit(outcome, this.#places[at] ?? 0, this.#units[at] ?? 0, this.#eachMinor[at] ?? 0);
      }
    }
    this.#parts = 0;
    this.#openUnits = 0;
    this.#openValueMinor = 0;
  }
}

function credit({ lineOff, unitsOff }: EffectOutcome, place: number, units: number, eachMinor: number): void {
  lineOff[place] = (lineOff[place] ?? 0) + units * eachMinor;
  unitsOff[place] = (unitsOff[place] ?? 0) + units;
}
