/**
 * Limits of uses and budgets where several partitions of the ledger share them: a partition counts up to what it was lent, and
 * gets more from the others before an order is refused.
 */

import { unchanged } from '../ledger/leases/lease-shape.ts';
import { allowanceIn, type UsageCounter } from '../ledger/leases/usage-lease.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { leaseField } from '../ledger/record-fields.ts';
import { type Step, usageOf } from '../ledger/transaction.ts';
import type { ExhaustedUse, Use } from './usage-steps.ts';

/** Usage records of promotions in the partition of a user, by ref; undefined where it is the only one. */
export type SharedUsage = ReadonlyMap<number, ReadonlyMap<string, Buffer>> | undefined;

/** The ledger, as far as sharing needs it. */
export type SharingLedger = Pick<Ledger, 'partitions' | 'partitionOf' | 'recordsAt' | 'leases'>;

/** Nothing may be counted: the partition has no lease that may be used. */
const NOTHING_LENT = -1;

/** Reads what the partition of a user was lent of these promotions. Throws LEDGER_*. */
export async function readSharedUsage(
  ledger: SharingLedger,
  userId: string,
  refs: () => readonly number[],
  deadlineMs: number,
): Promise<SharedUsage> {
  if (ledger.partitions === 1) return undefined;
  const distinct = [...new Set(refs())];
  if (distinct.length === 0) return new Map();
  const names = distinct.map(usageOf);
  const records = await ledger.recordsAt(ledger.partitionOf(userId), names, deadlineMs);
  return new Map(distinct.map((ref, index) => [ref, records[index] ?? new Map()]));
}

/** The steps before a counter grows, and what it may then come to in this partition. */
export function lentOf(
  shared: NonNullable<SharedUsage>,
  counter: UsageCounter,
): { before: Step[]; max: number } {
  const record = shared.get(counter.promotionRef) ?? new Map<string, Buffer>();
  const before = unchanged(usageOf(counter.promotionRef), [leaseField(counter.counter)], record);
  return { before, max: allowanceIn(record, counter) ?? NOTHING_LENT };
}

/**
 * What becomes of a use that the partition cannot count: undefined when it has got more from others, so that the order is to
 * be planned again; otherwise the use as it is refused, with what all partitions count. Throws LEDGER_UNAVAILABLE when it
 * cannot be known what is left.
 */
export async function afterSharingUses(
  { leases }: SharingLedger,
  userId: string,
  found: ExhaustedUse,
): Promise<ExhaustedUse | undefined> {
  if (found.shared === undefined) return found;
  const { counter, units } = found.shared;
  const end = await leases.obtainUses(counter, units, userId);
  if (end.kind === 'granted') return undefined;
  return end.used === undefined ? found : found.counted(end.used);
}

/** The promotions that uses are of. */
export function refsOf(uses: readonly Use[]): readonly number[] {
  return uses.map(({ promotionRef }) => promotionRef);
}
