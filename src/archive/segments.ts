import type { Sql } from '../database/client.ts';
import { couponIdsFrom } from './coupon-ids.ts';
import type { PartitionId } from './ledger-port.ts';
import { COUPON_MONTHS_AHEAD, LOG_SEGMENT_ENTRIES } from './limits.ts';

/** Advisory lock of whoever makes a segment; no other lock of the database has this number. */
const SEGMENTS_LOCK = 7_317_001;

/**
 * Makes the segments that the next entries and coupons will fall into, well before they are needed: the log by ranges of
 * entries, coupons by month of issue (UTC). Rows without a segment would go to the default one and could not be detached
 * with their age. Each segment is a statement of its own; those that exist are left alone. Partitions share the months and
 * the tables, so that they take turns.
 */
export async function ensureSegments(
  run: <Result>(statement: (sql: Sql) => PromiseLike<Result>) => Promise<Result>,
  id: PartitionId,
  seq: number,
  nowMs: number,
): Promise<void> {
  const first = Math.floor(Math.max(seq, 0) / LOG_SEGMENT_ENTRIES);
  for (const segment of [first, first + 1]) {
    const from = segment * LOG_SEGMENT_ENTRIES;
    const { generation, partition } = id;
    await run(
      (sql) =>
        sql`
          WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(${SEGMENTS_LOCK}))
          SELECT archive_ensure_log_segment(${generation}, ${partition}, ${from}, ${from + LOG_SEGMENT_ENTRIES}) FROM turn`,
    );
  }
  for (const month of couponMonths(nowMs)) {
    await run(
      (sql) => sql`
        WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(${SEGMENTS_LOCK}))
        SELECT archive_ensure_coupon_segment(${month.label}, ${month.from}, ${month.until}) FROM turn`,
    );
  }
}

interface MonthSegment {
  readonly label: string;
  readonly from: Buffer;
  readonly until: Buffer;
}

/** The month before (events may be archived late), this one, and those ahead. */
function couponMonths(nowMs: number): MonthSegment[] {
  const now = new Date(nowMs);
  const months: MonthSegment[] = [];
  for (let offset = -1; offset <= COUPON_MONTHS_AHEAD; offset += 1) {
    const startMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset);
    const endMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset + 1);
    const label = new Date(startMs).toISOString().slice(0, 7).replace('-', '_');
    months.push({ label, from: couponIdsFrom(startMs), until: couponIdsFrom(endMs) });
  }
  return months;
}
