import type { EffectInput } from '../effect-parts.ts';
import type { LineList, PreparedCart } from '../prepared-cart.ts';

/** Makes what an effect needs to know about the eligible lines of a cart before any discount. */
export type PlanMaker<Plan> = (cart: PreparedCart, eligible: LineList) => Plan;

/**
 * Plans of one effect that depend on the cart and its eligible lines but not on what is left of them, made once however
 * often the effect is tried in combinations. Plans go when their lists of lines go.
 */
export class PerCart<Plan> {
  readonly #make: PlanMaker<Plan>;
  readonly #made = new WeakMap<LineList, { readonly cart: PreparedCart; readonly plan: Plan }>();

  constructor(make: PlanMaker<Plan>) {
    this.#make = make;
  }

  /** The plan for a cart and its eligible lines. */
  of({ cart, eligible }: EffectInput): Plan {
    const known = this.#made.get(eligible);
    if (known !== undefined && known.cart === cart) return known.plan;
    const plan = this.#make(cart, eligible);
    this.#made.set(eligible, { cart, plan });
    return plan;
  }
}
