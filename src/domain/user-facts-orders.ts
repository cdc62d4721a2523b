/**
 * How many orders a user has completed: what the shop stated, and the orders completed since, counted one by one. Statements
 * and orders arrive in any order, so the moments of recent orders are kept and a statement counts anew from its own moment.
 */
import { CorruptRecordError, type RecordFields } from './record-json.ts';

/** The count. Times in ms since the epoch. */
export interface OrderCount {
  /** Orders the shop stated; 0 when it stated none. */
  readonly stated: number;
  /** When; absent when it stated none. Orders completed up to then are in `stated`. */
  readonly statedAtMs: number | undefined;
  /** Orders completed after that. */
  readonly counted: number;
  /** When the latest of them were completed, rising. */
  readonly recentMs: readonly number[];
}

/** Moments kept: so many orders may overtake a statement. */
export const RECENT_ORDERS = 32;

/** A user of whom nothing is stated and nothing counted. */
export const NO_ORDERS: OrderCount = { stated: 0, statedAtMs: undefined, counted: 0, recentMs: [] };

/** Orders completed. */
export function ordersCompletedOf({ stated, counted }: OrderCount): number {
  return stated + counted;
}

/** The count after a statement of the shop; an earlier one than the last changes nothing. */
export function stateOrders(count: OrderCount, stated: number, atMs: number): OrderCount {
  const before = count.statedAtMs ?? -1;
  if (atMs < before) return count;
  if (atMs === before) return { ...count, stated: Math.max(stated, count.stated) };
  const recentMs = count.recentMs.filter((completedAtMs) => completedAtMs > atMs);
  const isAllKept = count.recentMs.length === count.counted;
  const kept = isAllKept || recentMs.length < count.recentMs.length ? recentMs.length : count.counted;
  return { stated, statedAtMs: atMs, counted: kept, recentMs };
}

/** The count with one more order; one that a statement holds already adds nothing. */
export function countOrder(count: OrderCount, completedAtMs: number): OrderCount {
  if (count.statedAtMs !== undefined && completedAtMs <= count.statedAtMs) return count;
  const recentMs = [...count.recentMs, completedAtMs].toSorted((left, right) => left - right);
  return { ...count, counted: count.counted + 1, recentMs: recentMs.slice(-RECENT_ORDERS) };
}

/** The count without an order that fell through; one that a statement holds stays in it. */
export function uncountOrder(count: OrderCount, completedAtMs: number): OrderCount {
  if (count.statedAtMs !== undefined && completedAtMs <= count.statedAtMs) return count;
  const at = count.recentMs.lastIndexOf(completedAtMs);
  return {
    ...count,
    counted: Math.max(0, count.counted - 1),
    recentMs: at === -1 ? count.recentMs : count.recentMs.toSpliced(at, 1),
  };
}

/** Reads the count as it stands in the facts' record. */
export function readOrderCount(orders: RecordFields): OrderCount {
  const recentMs = orders.list('recentMs').map((value) => {
    if (typeof value !== 'number') throw new CorruptRecordError('recentMs holds something else than moments');
    return value;
  });
  return {
    stated: orders.whole('stated'),
    statedAtMs: orders.has('statedAtMs') ? orders.whole('statedAtMs') : undefined,
    counted: orders.whole('counted'),
    recentMs,
  };
}
