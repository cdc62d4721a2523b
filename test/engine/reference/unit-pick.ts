import type { UnitCap, UnitChoice } from '../../../src/domain/promotion.ts';
import { lineAt, type Turn } from './effect-turn.ts';

/** The eligible units one by one, each as the place of its line, cheapest or dearest first by the price before discounts. */
export function unitsInOrder(turn: Turn, places: readonly number[], choice: UnitChoice): number[] {
  const sign = choice === 'cheapest' ? 1n : -1n;
  const price = (place: number): bigint => sign * lineAt(turn, place).price;
  const order = places.toSorted((one, other) => Number(price(one) - price(other)) || one - other);
  return order.flatMap((place) => Array.from({ length: lineAt(turn, place).units }, () => place));
}

/** The units a cap lets an effect take, cheapest first or as the cap says; all of them without a cap. */
export function cappedUnits(turn: Turn, cap: UnitCap | undefined): number[] {
  const units = unitsInOrder(turn, turn.eligible, cap?.choice ?? 'cheapest');
  if (cap === undefined) return units;
  if (cap.basis === 'cart') return units.slice(0, cap.maxUnits);
  const taken = new Map<number, number>();
  return units.filter((place) => {
    const before = taken.get(place) ?? 0;
    taken.set(place, before + 1);
    return before < cap.maxUnits;
  });
}

/** How many of the units are of each line. */
export function countByPlace(units: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const place of units) counts.set(place, (counts.get(place) ?? 0) + 1);
  return counts;
}
