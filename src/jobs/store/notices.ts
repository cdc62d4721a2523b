import type { ArchivePlaces } from '../../archive/places.ts';
import { type Sql, withDeadline } from '../../database/client.ts';

/** What time does to a coupon without any event of the ledger. */
export type NoticeKind = 'expiring' | 'expired';

/** Where a walk over coupons by their last instant stands. */
export interface ExpiryPlace {
  readonly expiresAtMs: number;
  readonly couponId: Buffer;
}

/** One step of that walk. */
export interface NoticeStep {
  readonly kind: NoticeKind;
  /** Coupons after this place … */
  readonly after: ExpiryPlace;
  /** … whose last instant is before this one, ms since the epoch. */
  readonly beforeMs: number;
  readonly limit: number;
}

/** What a step did; `last` is undefined at the end of the walk. */
export interface NoticeResult {
  readonly noted: number;
  readonly last: ExpiryPlace | undefined;
}

interface StepRow {
  readonly noted: string;
  readonly seen: string;
  readonly expires_at: Date | null;
  readonly coupon_id: Buffer | null;
}

/** One writer of notices at a time, also across processes, so that their numbers are committed in order. */
const NOTICE_LOCK = 4_803_021_106;

/** The ends of the logs, read after the lock is held: a notice belongs right after what its partition had by then. */
function guard(sql: Sql, { generation }: ArchivePlaces) {
  return sql`
    SELECT partition AS log, seq AS log_seq FROM ledger_cursor, (SELECT pg_advisory_xact_lock(${NOTICE_LOCK})) locked
    WHERE generation = ${generation}`;
}

/**
 * Notes unused coupons by their last instant, in one statement. A coupon that was noted before is passed over, so a step
 * may be repeated. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED.
 */
export async function noteCoupons(
  sql: Sql,
  places: ArchivePlaces,
  step: NoticeStep,
  deadlineMs: number,
): Promise<NoticeResult> {
  const { kind, after, beforeMs, limit } = step;
  const rows = sql<StepRow[]>`
    WITH guard AS MATERIALIZED (${guard(sql, places)}), seen AS MATERIALIZED (
      SELECT coupon_id, user_id, promotion_ref, expires_at, log_seq FROM coupon LEFT JOIN guard ON log = partition
      WHERE state = 'unused' AND NOT retired AND expires_at < ${new Date(beforeMs)}
        AND (expires_at, coupon_id) > (${new Date(after.expiresAtMs)}::timestamptz, ${after.couponId}::bytea)
      ORDER BY expires_at, coupon_id LIMIT ${limit}
    ), noted AS (
      INSERT INTO coupon_notice (coupon_id, kind, user_id, promotion_ref, expires_at, log_seq)
      SELECT coupon_id, ${kind}, user_id, promotion_ref, expires_at, coalesce(log_seq, -1) FROM seen
      WHERE NOT EXISTS (SELECT FROM coupon_notice n WHERE n.coupon_id = seen.coupon_id AND n.kind = ${kind}
        AND (n.kind = 'expiring' OR n.expires_at = seen.expires_at))
      ORDER BY expires_at, coupon_id
      ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT (SELECT count(*) FROM noted) AS noted, (SELECT count(*) FROM seen) AS seen, last.expires_at, last.coupon_id
    FROM (SELECT 1) one LEFT JOIN LATERAL (
      SELECT expires_at, coupon_id FROM seen ORDER BY expires_at DESC, coupon_id DESC LIMIT 1
    ) last ON true`;
  const [row] = await withDeadline(rows, deadlineMs);
  const isMore = row !== undefined && Number(row.seen) === limit && row.expires_at && row.coupon_id;
  return {
    noted: Number(row?.noted ?? 0),
    last: isMore ? { expiresAtMs: row.expires_at.getTime(), couponId: row.coupon_id } : undefined,
  };
}

/** Notes the coupons that came back from an order after their last instant; at most `limit`. How many. */
export async function noteLateReturns(
  sql: Sql,
  places: ArchivePlaces,
  limit: number,
  deadlineMs: number,
): Promise<number> {
  const rows = sql`
    WITH guard AS MATERIALIZED (${guard(sql, places)}), late AS MATERIALIZED (
      SELECT coupon_id, user_id, promotion_ref, expires_at, log_seq FROM coupon LEFT JOIN guard ON log = partition
      WHERE state IN ('unused', 'expired') AND expires_at < changed_at AND NOT retired AND NOT EXISTS (
        SELECT FROM coupon_notice n WHERE n.coupon_id = coupon.coupon_id AND n.kind = 'expired' AND n.expires_at = coupon.expires_at)
      LIMIT ${limit}
    )
    INSERT INTO coupon_notice (coupon_id, kind, user_id, promotion_ref, expires_at, log_seq)
    SELECT coupon_id, 'expired', user_id, promotion_ref, expires_at, coalesce(log_seq, -1) FROM late
    ON CONFLICT DO NOTHING RETURNING 1`;
  return (await withDeadline(rows, deadlineMs)).length;
}
