/** What happened to a coupon after it was issued, as the archive has it. */
import { type Sql, withDeadline } from '../database/client.ts';

/** One archived change. */
export interface ArchivedCouponChange {
  readonly kind: string;
  /** Ms since the epoch, by the ledger's clock. */
  readonly atMs: number;
  /** The order it was about; empty when it was about none. */
  readonly orderId: string;
}

/** The changes of a coupon, oldest first. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
export async function readCouponChanges(
  sql: Sql,
  couponId: string,
  deadlineMs: number,
): Promise<ArchivedCouponChange[]> {
  const rows = await withDeadline(
    sql<{ kind: string; at: Date; order_id: string | null }[]>`
      select kind, at, order_id from coupon_history
      where coupon_id = ${Buffer.from(couponId, 'hex')}
      order by generation, seq, event_index`,
    deadlineMs,
  );
  return rows.map((row) => ({ kind: row.kind, atMs: row.at.getTime(), orderId: row.order_id ?? '' }));
}
