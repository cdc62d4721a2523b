/** Which acknowledged writes a restored Postgres has. That Redis has the same is the audit's part. */
import type { Sql } from 'postgres';
import { WRITE_KINDS, type Write, type WriteKind } from './writer.ts';

/** Writes that are gone, by kind. */
export type Missing = Readonly<Record<WriteKind, number>>;

/** Those of the writes that Postgres does not have. */
export async function missingOf(sql: Sql, writes: readonly Write[]): Promise<readonly Write[]> {
  const present = await readPresent(sql);
  return writes.filter(({ kind, id }) => !present[kind].has(id));
}

/** How many of each kind. */
export function countKinds(writes: readonly Write[]): Missing {
  const count = (wanted: WriteKind): number => writes.filter(({ kind }) => kind === wanted).length;
  return {
    coupon: count('coupon'),
    order: count('order'),
    points: count('points'),
    promotion: count('promotion'),
  };
}

/** In words: `3 of coupon, 2 of order`; `nothing` when there are none. */
export function describeKinds(counts: Missing): string {
  const told = WRITE_KINDS.filter((kind) => counts[kind] > 0).map((kind) => `${counts[kind]} of ${kind}`);
  return told.length === 0 ? 'nothing' : told.join(', ');
}

async function readPresent(sql: Sql): Promise<Readonly<Record<WriteKind, ReadonlySet<string>>>> {
  const ids = async (query: Promise<readonly { readonly id: string }[]>): Promise<ReadonlySet<string>> =>
    new Set((await query).map(({ id }) => id));
  return {
    coupon: await ids(sql<{ id: string }[]>`SELECT encode(coupon_id, 'hex') AS id FROM coupon`),
    order: await ids(sql<{ id: string }[]>`SELECT order_id AS id FROM redemption WHERE state = 'committed'`),
    points: await ids(sql<{ id: string }[]>`SELECT user_id AS id FROM points_entry WHERE type = 'award'`),
    promotion: await ids(sql<{ id: string }[]>`SELECT id FROM promotion WHERE state = 'active'`),
  };
}
