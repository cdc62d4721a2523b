/**
 * Uses, uses of a day, week or month, and budgets as they are leased. A usage record keeps, beside each counter, what the
 * counter may come to in this partition: `lease:<counter>` = `<granted>/<back>/<limit>`, in decimal. The limit is the one it
 * was granted under. Whoever counts under a smaller one does not use the lease but renews it, so that uses which were lent
 * before the limit fell are taken back first.
 */
import { leaseField, poolFields, type RecordField } from '../record-fields.ts';
import { poolOf, type Step, usageOf } from '../transaction.ts';
import { type Fields, type LeaseShape, numberIn, type Share } from './lease-shape.ts';

/** A counter of uses or of money, and the most it may come to in all partitions. */
export interface UsageCounter {
  readonly promotionRef: number;
  /** The counter's field in usage records. */
  readonly counter: string;
  readonly limit: number;
}

/** A lease as it is stored. */
interface StoredLease {
  readonly granted: number;
  readonly back: number;
  readonly limit: number;
}

const NO_LEASE: StoredLease = { granted: 0, back: 0, limit: 0 };

function storedLease(record: Fields, { name }: RecordField): StoredLease {
  const [granted = 0, back = 0, limit = 0] = (record.get(name)?.toString('latin1') ?? '')
    .split('/')
    .map(Number);
  return record.has(name) ? { granted, back, limit } : NO_LEASE;
}

/** How a counter is leased. */
export function usageLease({ promotionRef, counter, limit }: UsageCounter): LeaseShape {
  const record = usageOf(promotionRef);
  const lease = leaseField(counter);
  const used: RecordField = { name: counter, bytes: Buffer.from(counter, 'latin1') };
  const writeUnder = (under: number, granted: number, back: number): Step[] => [
    { kind: 'set', on: record, field: lease.bytes, value: Buffer.from(`${granted}/${back}/${under}`) },
  ];
  return {
    promotionRef,
    pool: poolOf(promotionRef),
    poolFields: poolFields(counter),
    record,
    leaseFields: [lease],
    usedFields: [used],
    fence: [],
    limitIn: () => limit,
    shareIn: (fields) => shareOf(storedLease(fields, lease), numberIn(fields, used), limit),
    write: (granted, back) => writeUnder(limit, granted, back),
    // One of several that give back when the limit fell: how much is lent in all is not within it yet.
    writeBack: (read, granted, back) => writeUnder(storedLease(read, lease).limit, granted, back),
    usedAtMost: (units) => ({
      kind: 'add',
      on: record,
      field: used.bytes,
      delta: 0,
      min: Number.MIN_SAFE_INTEGER,
      max: units,
    }),
  };
}

function shareOf(stored: StoredLease, counted: number, limit: number): Share {
  const used = Math.max(0, counted);
  const { granted, back } = stored;
  return {
    granted: Math.max(granted, used + back),
    back,
    used,
    isBounded: true,
    isInForce: stored !== NO_LEASE && stored.limit <= limit,
  };
}

/** What a counter may come to in this partition, by its usage record; undefined when no lease may be used under this limit. */
export function allowanceIn(record: Fields, { counter, limit }: UsageCounter): number | undefined {
  const field = leaseField(counter);
  if (!record.has(field.name)) return undefined;
  const stored = storedLease(record, field);
  return stored.limit > limit ? undefined : stored.granted - stored.back;
}
