/** Orders and their coupons as archived, also after they have left Redis. */
import { bytesArray } from '../database/array-literal.ts';
import { type Sql, withDeadline } from '../database/client.ts';
import type { PartitionId } from './ledger-port.ts';

/** A coupon as the archive has it. */
export interface CouponOfOrder {
  readonly couponId: Buffer;
  /** The bytes of its wallet field. */
  readonly value: Buffer;
  /** The order that holds or has used it. */
  readonly orderId: string | undefined;
}

/**
 * The record of an order (`<user>/<order>`) by field name (latin1); empty when there never was one. A process that has outlived
 * its generation finds none either: what that says of the order may be over. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED.
 */
export async function readArchivedOrder(
  sql: Sql,
  { generation, partition }: PartitionId,
  id: string,
  deadlineMs: number,
): Promise<Map<string, Buffer>> {
  const rows = sql<{ field: Buffer; value: Buffer }[]>`
    SELECT field, value FROM ledger_field
    WHERE generation = ${generation} AND partition = ${partition} AND target = 'order' AND id = ${id} AND value IS NOT NULL
      AND EXISTS (SELECT FROM ledger_generation WHERE ledger_generation.generation = ledger_field.generation AND state = 'current')`;
  const fields = await withDeadline(rows, deadlineMs);
  return new Map(fields.map(({ field, value }) => [field.toString('latin1'), value]));
}

/** The coupons of a user among these ids (hex). Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
export async function readArchivedCoupons(
  sql: Sql,
  userId: string,
  couponIds: readonly string[],
  deadlineMs: number,
): Promise<CouponOfOrder[]> {
  if (couponIds.length === 0) return [];
  const ids = couponIds.map((couponId) => Buffer.from(couponId, 'hex'));
  const rows = sql<{ coupon_id: Buffer; value: Buffer; order_id: string | null }[]>`
    SELECT coupon_id, value, order_id FROM coupon
    WHERE coupon_id = ANY(${bytesArray(ids)}::bytea[]) AND user_id = ${userId} ORDER BY coupon_id`;
  return (await withDeadline(rows, deadlineMs)).map((row) => ({
    couponId: row.coupon_id,
    value: row.value,
    orderId: row.order_id ?? undefined,
  }));
}
