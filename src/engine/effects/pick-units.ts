/** Which units of the eligible lines an effect takes. Of every line the first units are taken, so a count says all. */
import type { UnitCap, UnitChoice } from '../../domain/promotion.ts';
import type { LineList, PreparedCart } from '../prepared-cart.ts';

/** Units taken of each eligible line, by position in the list of eligible lines. */
export type TakenUnits = Float64Array;

/** Positions in a list of lines by unit price before discounts, the chosen end first, equal prices in line order. */
export function positionsByPrice(cart: PreparedCart, eligible: LineList, choice: UnitChoice): number[] {
  const sign = choice === 'cheapest' ? 1 : -1;
  const prices = eligible.map((place) => sign * (cart.lines[place]?.unitPriceMinor ?? 0));
  return eligible
    .map((_, position) => position)
    .sort((left, right) => (prices[left] ?? 0) - (prices[right] ?? 0) || left - right);
}

/** Takes as many units as the cap allows; all of them without a cap. */
export function pickUnits(cart: PreparedCart, eligible: LineList, cap: UnitCap | undefined): TakenUnits {
  if (cap === undefined) return Float64Array.from(eligible, (place) => quantityOf(cart, place));
  if (cap.basis === 'line') {
    return Float64Array.from(eligible, (place) => Math.min(cap.maxUnits, quantityOf(cart, place)));
  }
  const taken = new Float64Array(eligible.length);
  let free = cap.maxUnits;
  for (const position of positionsByPrice(cart, eligible, cap.choice)) {
    const units = Math.min(free, quantityOf(cart, eligible[position] ?? -1));
    taken[position] = units;
    free -= units;
    if (free === 0) break;
  }
  return taken;
}

/** Units of the line at a place; 0 where there is no line. */
export function quantityOf(cart: PreparedCart, place: number): number {
  return cart.quantities[place] ?? 0;
}
