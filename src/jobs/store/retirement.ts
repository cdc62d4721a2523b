import type { PartitionId } from '../../archive/ledger-port.ts';
import { type Sql, withDeadline } from '../../database/client.ts';

/** A page of a walk by last event. */
export interface WalkPlace {
  readonly seq: number;
  /** Order or coupon. */
  readonly key: string;
}

/** A coupon whose life has been over for long. */
export interface EndedCoupon {
  readonly userId: string;
  readonly couponId: Buffer;
  /** The bytes of its wallet field as archived. */
  readonly value: Buffer;
}

/** Number of the last entry from before an instant; times never run backwards along the log, so it is found by halving. */
export async function lastEntryBefore(
  sql: Sql,
  { generation, partition }: PartitionId,
  beforeMs: number,
  deadlineMs: number,
): Promise<number> {
  const isHere = sql`generation = ${generation} AND partition = ${partition}`;
  const ends = sql<{ first: string | null; last: string | null }[]>`
    SELECT min(seq) AS first, max(seq) AS last FROM event_log WHERE ${isHere}`;
  const [end] = await withDeadline(ends, deadlineMs);
  let before = Number(end?.first ?? 0) - 1;
  let newest = Number(end?.last ?? -1);
  while (before < newest) {
    const middle = Math.ceil((before + newest) / 2);
    const rows = sql<{ entry_time: Date }[]>`
      SELECT entry_time FROM event_log WHERE ${isHere} AND seq >= ${middle} ORDER BY seq LIMIT 1`;
    const [row] = await withDeadline(rows, deadlineMs);
    if (row !== undefined && row.entry_time.getTime() < beforeMs) before = middle;
    else newest = middle - 1;
  }
  return newest;
}

/** Orders (`<user>/<order>`) whose record has not changed since entry `untilSeq`, longest untouched first. */
export async function quietOrders(
  sql: Sql,
  { generation, partition }: PartitionId,
  walk: { readonly after: WalkPlace; readonly untilSeq: number; readonly limit: number },
  deadlineMs: number,
): Promise<WalkPlace[]> {
  const { after, untilSeq, limit } = walk;
  const rows = sql<{ seq: string; key: string }[]>`
    SELECT seq, id AS key FROM ledger_field f
    WHERE generation = ${generation} AND partition = ${partition} AND target = 'order' AND NOT retired
      AND seq <= ${untilSeq} AND (seq, id) > (${after.seq}::bigint, ${after.key}::text)
      AND NOT EXISTS (
        SELECT FROM ledger_field n WHERE n.generation = f.generation AND n.partition = f.partition AND n.target = 'order'
          AND n.id = f.id AND n.seq > ${untilSeq})
    GROUP BY seq, id ORDER BY seq, id LIMIT ${limit}`;
  return (await withDeadline(rows, deadlineMs)).map(({ seq, key }) => ({ seq: Number(seq), key }));
}

/** Used, revoked and expired coupons whose last event is at or before entry `untilSeq`. */
export async function endedCoupons(
  sql: Sql,
  { generation, partition }: PartitionId,
  walk: { readonly after: WalkPlace; readonly untilSeq: number; readonly limit: number },
  deadlineMs: number,
): Promise<(EndedCoupon & { readonly place: WalkPlace })[]> {
  const { after, untilSeq, limit } = walk;
  const rows = sql<{ seq: string; coupon_id: Buffer; user_id: string; value: Buffer }[]>`
    SELECT seq, coupon_id, user_id, value FROM coupon
    WHERE generation = ${generation} AND partition = ${partition} AND state IN ('used', 'expired', 'revoked')
      AND NOT retired AND seq <= ${untilSeq}
      AND (seq, coupon_id) > (${after.seq}::bigint, ${Buffer.from(after.key, 'hex')}::bytea)
    ORDER BY seq, coupon_id LIMIT ${limit}`;
  return (await withDeadline(rows, deadlineMs)).map((row) => ({
    userId: row.user_id,
    couponId: row.coupon_id,
    value: row.value,
    place: { seq: Number(row.seq), key: row.coupon_id.toString('hex') },
  }));
}

/** Unused coupons whose last instant was before `beforeMs`; `seq` of a place is that instant. */
export async function lapsedCoupons(
  sql: Sql,
  walk: { readonly after: WalkPlace; readonly beforeMs: number; readonly limit: number },
  deadlineMs: number,
): Promise<(EndedCoupon & { readonly place: WalkPlace })[]> {
  const { after, beforeMs, limit } = walk;
  const rows = sql<{ expires_at: Date; coupon_id: Buffer; user_id: string; value: Buffer }[]>`
    SELECT expires_at, coupon_id, user_id, value FROM coupon
    WHERE state = 'unused' AND NOT retired AND expires_at < ${new Date(beforeMs)}
      AND (expires_at, coupon_id) > (${new Date(after.seq)}::timestamptz, ${Buffer.from(after.key, 'hex')}::bytea)
    ORDER BY expires_at, coupon_id LIMIT ${limit}`;
  return (await withDeadline(rows, deadlineMs)).map((row) => ({
    userId: row.user_id,
    couponId: row.coupon_id,
    value: row.value,
    place: { seq: row.expires_at.getTime(), key: row.coupon_id.toString('hex') },
  }));
}
