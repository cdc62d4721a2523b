/** What a promotion has done, counted from the archived coupons and orders. Money in minor units. */
import { type Sql, withDeadline } from '../database/client.ts';

/** Figures for life. A use that was given back counts as returned and nowhere else. */
export interface PromotionTotals {
  /** Coupons issued in other ways than by a claim. */
  readonly issuedOtherwise: number;
  readonly used: number;
  readonly reserved: number;
  readonly expired: number;
  readonly revoked: number;
  /** Uses given back. */
  readonly returned: number;
  readonly discountMinor: number;
  /** Orders with a use. */
  readonly orders: number;
  /** Items of these orders before discounts. */
  readonly grossMinor: number;
}

/** One day's figures: coupons by the day they were issued or expired, uses by the day of the commit. */
export interface PromotionDayFigures {
  /** As YYYY-MM-DD. */
  readonly date: string;
  readonly issued: number;
  readonly used: number;
  readonly expired: number;
  readonly discountMinor: number;
  readonly orders: number;
  readonly grossMinor: number;
}

/** Which days: both ends as YYYY-MM-DD and included, begun at midnight of the zone (IANA name). */
export interface DayRange {
  readonly fromDate: string;
  readonly toDate: string;
  readonly timeZone: string;
}

/** The figures of a promotion at `nowMs`. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
export async function readPromotionTotals(
  sql: Sql,
  promotionRef: number,
  nowMs: number,
  deadlineMs: number,
): Promise<PromotionTotals> {
  const rows = sql<Record<keyof PromotionTotals, string>[]>`
    SELECT * FROM (
      SELECT count(*) FILTER (WHERE source <> 'claim') AS "issuedOtherwise",
        count(*) FILTER (WHERE state = 'used') AS used,
        count(*) FILTER (WHERE state = 'reserved') AS reserved,
        count(*) FILTER (WHERE ${isExpired(sql, nowMs)}) AS expired,
        count(*) FILTER (WHERE state = 'revoked') AS revoked
      FROM coupon WHERE promotion_ref = ${promotionRef}
    ) AS coupons, (
      SELECT count(*) FILTER (WHERE state = 'returned') AS returned,
        coalesce(sum(discount_minor) FILTER (WHERE state = 'committed'), 0) AS "discountMinor"
      FROM redemption_promotion WHERE promotion_ref = ${promotionRef} AND committed_at IS NOT NULL
    ) AS uses, (
      SELECT count(*) AS orders, coalesce(sum(items_minor), 0) AS "grossMinor" FROM redemption
      WHERE (user_id, order_id) IN (
        SELECT user_id, order_id FROM redemption_promotion
        WHERE promotion_ref = ${promotionRef} AND committed_at IS NOT NULL AND state = 'committed')
    ) AS carts`;
  const [row] = await withDeadline(rows, deadlineMs);
  const figure = (name: keyof PromotionTotals): number => Number(row?.[name] ?? 0);
  return {
    issuedOtherwise: figure('issuedOtherwise'),
    used: figure('used'),
    reserved: figure('reserved'),
    expired: figure('expired'),
    revoked: figure('revoked'),
    returned: figure('returned'),
    discountMinor: figure('discountMinor'),
    orders: figure('orders'),
    grossMinor: figure('grossMinor'),
  };
}

/**
 * The figures of each day of the range, oldest first, days without anything among them. Throws ARCHIVE_UNAVAILABLE or
 * DEADLINE_EXCEEDED; the caller has checked the dates and the zone.
 */
export async function readPromotionDays(
  sql: Sql,
  promotionRef: number,
  range: DayRange,
  nowMs: number,
  deadlineMs: number,
): Promise<PromotionDayFigures[]> {
  const { fromDate, toDate, timeZone } = range;
  const dayOf = (column: string) => sql`(${sql(column)} AT TIME ZONE ${timeZone}::text)::date`;
  const isWithin = (column: string) => sql`
    ${sql(column)} >= ${fromDate}::date::timestamp AT TIME ZONE ${timeZone}::text
    AND ${sql(column)} < (${toDate}::date + 1)::timestamp AT TIME ZONE ${timeZone}::text`;
  const rows = sql<Record<keyof PromotionDayFigures, string>[]>`
    WITH uses AS (
      SELECT ${dayOf('committed_at')} AS day, count(*) AS used, sum(discount_minor) AS discount
      FROM redemption_promotion
      WHERE promotion_ref = ${promotionRef} AND state = 'committed' AND ${isWithin('committed_at')} GROUP BY 1
    ), carts AS (
      SELECT day, count(*) AS orders, sum(items_minor) AS gross FROM (
        SELECT DISTINCT user_id, order_id, ${dayOf('committed_at')} AS day FROM redemption_promotion
        WHERE promotion_ref = ${promotionRef} AND state = 'committed' AND ${isWithin('committed_at')}
      ) AS used JOIN redemption USING (user_id, order_id) GROUP BY 1
    ), births AS (
      SELECT ${dayOf('issued_at')} AS day, count(*) AS issued FROM coupon
      WHERE promotion_ref = ${promotionRef} AND ${isWithin('issued_at')} GROUP BY 1
    ), ends AS (
      SELECT ${dayOf('expires_at')} AS day, count(*) AS expired FROM coupon
      WHERE promotion_ref = ${promotionRef} AND ${isExpired(sql, nowMs)} AND ${isWithin('expires_at')} GROUP BY 1
    )
    SELECT to_char(day, 'YYYY-MM-DD') AS date, coalesce(issued, 0) AS issued, coalesce(used, 0) AS used,
      coalesce(expired, 0) AS expired, coalesce(discount, 0) AS "discountMinor", coalesce(orders, 0) AS orders,
      coalesce(gross, 0) AS "grossMinor"
    FROM (SELECT ${fromDate}::date + step AS day FROM generate_series(0, ${toDate}::date - ${fromDate}::date) AS step)
      AS days
    LEFT JOIN births USING (day) LEFT JOIN uses USING (day) LEFT JOIN carts USING (day) LEFT JOIN ends USING (day)
    ORDER BY day`;
  return (await withDeadline(rows, deadlineMs)).map(({ date, ...figures }) => ({
    date,
    issued: Number(figures.issued),
    used: Number(figures.used),
    expired: Number(figures.expired),
    discountMinor: Number(figures.discountMinor),
    orders: Number(figures.orders),
    grossMinor: Number(figures.grossMinor),
  }));
}

/** An unused coupon past its end is expired, whether or not that was written down. */
function isExpired(sql: Sql, nowMs: number) {
  return sql`(state = 'expired' OR (state = 'unused' AND expires_at < to_timestamp(${nowMs} / 1000.0)))`;
}
