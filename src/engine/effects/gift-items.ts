import { firstUnitsValue, sumAt } from '../../domain/money.ts';
import type { EffectOf, GiftItem } from '../../domain/promotion.ts';
import type { EffectCompiler, EffectInput, EffectOutcome } from '../effect-parts.ts';
import type { LineList, PreparedCart } from '../prepared-cart.ts';
import { PerCart } from './per-cart.ts';
import { quantityOf, type TakenUnits } from './pick-units.ts';

/** Items for free: added to the order, or taken off where they are in the cart already. */
export const giftItems: EffectCompiler<'gift_items'> = {
  kind: 'gift_items',
  compile: (effect) => {
    const plans = new PerCart((cart, eligible) => planGifts(effect, cart, eligible));
    return {
      kind: effect.kind,
      target: 'items',
      isSpread: false,
      check: (input) => (plans.of(input).isAvailable ? undefined : { reason: 'GIFT_UNAVAILABLE' }),
      apply: (input, outcome) => {
        const plan = plans.of(input);
        outcome.gifts = plan.added;
        if (plan.taken !== undefined) takeWhole(plan.taken, input, outcome);
      },
      offAtSpend: () => undefined,
    };
  },
};

interface GiftPlan {
  readonly isAvailable: boolean;
  readonly added: readonly GiftItem[];
  /** Units of eligible lines that are the gift; absent when all gifts are added. */
  readonly taken?: TakenUnits;
}

function planGifts(effect: EffectOf<'gift_items'>, cart: PreparedCart, eligible: LineList): GiftPlan {
  const available = effect.items.filter(({ itemId }) => cart.offers.get(itemId)?.isAvailable !== false);
  const given = effect.onlyDearest ? dearestOf(available, cart) : available;
  const isAvailable = given.length > 0;
  return effect.placement === 'added_line'
    ? { isAvailable, added: given }
    : { isAvailable, ...takenInCart(given, cart, eligible) };
}

function dearestOf(items: readonly GiftItem[], cart: PreparedCart): readonly GiftItem[] {
  const prices = items.map(({ itemId }) => priceOf(itemId, cart));
  const at = prices.indexOf(prices.reduce((most, price) => Math.max(most, price), 0));
  return items.slice(at, at + 1);
}

/** The stated price, else the highest of the lines with the item, else nothing. */
function priceOf(itemId: string, cart: PreparedCart): number {
  const stated = cart.offers.get(itemId)?.unitPriceMinor;
  if (stated !== undefined) return stated;
  let highest = 0;
  for (const line of cart.lines) {
    if (line.itemId === itemId) highest = Math.max(highest, line.unitPriceMinor);
  }
  return highest;
}

/** Finds the given items on the eligible lines, in line order; what is not there is added. */
function takenInCart(
  given: readonly GiftItem[],
  cart: PreparedCart,
  eligible: LineList,
): Pick<GiftPlan, 'added' | 'taken'> {
  const taken = new Float64Array(eligible.length);
  const added: GiftItem[] = [];
  for (const { itemId, quantity } of given) {
    let missing = quantity;
    for (const [position, place] of eligible.entries()) {
      if (missing === 0) break;
      if (cart.lines[place]?.itemId !== itemId) continue;
      const units = Math.min(missing, quantityOf(cart, place));
      taken[position] = units;
      missing -= units;
    }
    if (missing > 0) added.push({ itemId, quantity: missing });
  }
  return taken.some((units) => units > 0) ? { added, taken } : { added };
}

function takeWhole(taken: TakenUnits, { cart, eligible, left }: EffectInput, outcome: EffectOutcome): void {
  for (let at = 0; at < eligible.length; at += 1) {
    const place = eligible[at] ?? 0;
    const units = taken[at] ?? 0;
    const off = units === 0 ? 0 : firstUnitsValue(left[place] ?? 0, quantityOf(cart, place), units);
    outcome.lineOff[place] = off;
    outcome.unitsOff[place] = units;
  }
  outcome.itemsOffMinor = sumAt(eligible, outcome.lineOff);
}
