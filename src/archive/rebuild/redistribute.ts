/**
 * Divides what promotions count among another number of partitions. Coupons and uses are counted where their users are, since a
 * coupon that is taken back, or an order that is let go, lowers the count of its own partition. With several partitions each
 * starts with exactly the units it has used, and the pool lends the rest (LEDGER rule 10). Pure.
 */
import { homePartition } from '../../ledger/keys.ts';
import type { RebuiltRecord } from '../../ledger/rebuild-target.ts';
import { LEASE_PREFIX, PROMOTION_FIELDS, poolFields } from '../../ledger/record-fields.ts';

/** Figures of a promotion by partition. */
type Figures = number[];

/** What was counted of users and orders while they were carried over, by the partition they belong to now. */
export class Tally {
  private readonly partitions: number;
  private readonly figures = new Map<string, Figures>();

  constructor(partitions: number) {
    this.partitions = partitions;
  }

  /** Counts so many of something of a promotion in a partition. */
  add(what: string, ref: string, partition: number, units: number): void {
    const figures = this.of(what, ref);
    figures[partition] = (figures[partition] ?? 0) + units;
    this.figures.set(`${what}\0${ref}`, figures);
  }

  /** What was counted, by partition. */
  of(what: string, ref: string): Figures {
    return this.figures.get(`${what}\0${ref}`) ?? new Array<number>(this.partitions).fill(0);
  }
}

/** Coupons of a promotion ever issued to users, and those of them that were revoked, as {@link Tally} names them. */
export const EVER_ISSUED = 'ever issued';
export const REVOKED = 'revoked';
/** How {@link Tally} names a counter of uses. */
export function usesCounted(counter: string): string {
  return `uses ${counter}`;
}

/** A record, and where it goes. */
export interface PlacedRecord {
  readonly partition: number;
  readonly record: RebuiltRecord;
}

const { definition, issued, received, granted, back, returned } = PROMOTION_FIELDS;
const VERSION_OFFSET = 3;

/**
 * The records of one promotion for the new partitions, given those of the old ones and the old pool, if there was one.
 *
 * @param olds the promotion's record in each old partition that has one
 */
export function dividePromotion(
  ref: string,
  olds: readonly RebuiltRecord[],
  pool: RebuiltRecord | undefined,
  tally: Tally,
  partitions: number,
): PlacedRecord[] {
  const newest = olds.reduce<RebuiltRecord | undefined>(
    (best, old) => (isNewer(old, best) ? old : best),
    undefined,
  );
  if (newest === undefined) return [];
  const home = homePartition(Number(ref), partitions);
  const totals = { issued: sumOf(olds, issued.name), returned: sumOf(olds, returned.name) };
  const shares = divideIssued(totals, tally.of(EVER_ISSUED, ref), tally.of(REVOKED, ref), home);
  const quantity = quantityOf(newest, pool);
  const placed = shares.map(({ issued: own, returned: ownReturned }, partition): PlacedRecord => {
    const fields = new Map(newest.fields);
    for (const { name } of [granted, back, returned]) fields.delete(name);
    fields.set(issued.name, digits(own));
    if (ownReturned > 0) fields.set(returned.name, digits(ownReturned));
    if (quantity !== undefined) fields.set(received.name, digits(partitions === 1 ? quantity : own));
    return { partition, record: { target: 'promotion', id: ref, fields } };
  });
  if (quantity === undefined || partitions === 1) return placed;
  const limit = new Map([[poolFields('').limit.name, digits(quantity)]]);
  return [...placed, { partition: home, record: { target: 'pool', id: ref, fields: limit } }];
}

/** The usage records of one promotion for the new partitions. Leases are made anew when they are asked for. */
export function divideUsage(
  ref: string,
  olds: readonly RebuiltRecord[],
  tally: Tally,
  partitions: number,
): PlacedRecord[] {
  const counters = new Set(olds.flatMap(({ fields }) => [...fields.keys()]));
  const records = Array.from({ length: partitions }, () => new Map<string, Buffer>());
  for (const counter of counters) {
    if (counter.startsWith(LEASE_PREFIX)) continue;
    const shares = [...tally.of(usesCounted(counter), ref)];
    const home = homePartition(Number(ref), partitions);
    // What no order tells, like money that came back in part, is counted where the promotion is at home.
    shares[home] = (shares[home] ?? 0) + sumOf(olds, counter) - sum(shares);
    for (const [partition, units] of shares.entries())
      if (units !== 0 || partition === home) records[partition]?.set(counter, digits(units));
  }
  return records.flatMap((fields, partition) => {
    return fields.size === 0 ? [] : [{ partition, record: { target: 'usage', id: ref, fields } as const }];
  });
}

/** Each partition counts the coupons ever issued to its users; of those whose stock came back, as many as it has revoked. */
function divideIssued(
  totals: { readonly issued: number; readonly returned: number },
  ever: readonly number[],
  revoked: readonly number[],
  home: number,
): { issued: number; returned: number }[] {
  let left = totals.returned;
  const shares = ever.map((units, partition) => {
    const own = Math.min(left, revoked[partition] ?? 0);
    left -= own;
    return { issued: units - own, returned: own };
  });
  const unplaced = totals.issued - sum(shares.map((share) => share.issued));
  return shares.map((share, partition) => {
    if (partition !== home) return share;
    return { issued: share.issued + unplaced, returned: share.returned + left };
  });
}

function quantityOf(newest: RebuiltRecord, pool: RebuiltRecord | undefined): number | undefined {
  const own = textOf(newest, received.name);
  if (own === '') return undefined;
  const pooled = pool === undefined ? '' : textOf(pool, poolFields('').limit.name);
  return Number(pooled === '' ? own : pooled);
}

function isNewer(one: RebuiltRecord, other: RebuiltRecord | undefined): boolean {
  return other === undefined || versionOf(one) > versionOf(other);
}

function versionOf({ fields }: RebuiltRecord): number {
  const bytes = fields.get(definition.name);
  return bytes === undefined ? 0 : bytes.readUInt32BE(VERSION_OFFSET);
}

function textOf({ fields }: RebuiltRecord, name: string): string {
  return fields.get(name)?.toString('latin1') ?? '';
}

function sumOf(records: readonly RebuiltRecord[], name: string): number {
  return sum(records.map((record) => Number(textOf(record, name))));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function digits(value: number): Buffer {
  return Buffer.from(String(value));
}
