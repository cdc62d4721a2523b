import { plainArray } from '../database/array-literal.ts';
import { type Sql, withDeadline } from '../database/client.ts';
import { couponIdsFrom } from './coupon-ids.ts';
import type { ArchivePlaces } from './places.ts';

/** A coupon as the archive has it, with the public id of its promotion. */
export interface ArchivedCoupon {
  readonly coupon_id: Buffer;
  readonly user_id: string;
  readonly promotion_id: string;
  readonly promotion_version: number;
  readonly value: Buffer;
}

/** Which coupons; an absent filter lets every one through. Times in ms since the epoch. */
export interface CouponFilter {
  readonly promotionId: string | undefined;
  readonly userId: string | undefined;
  /** Issued at or after. */
  readonly fromMs: number | undefined;
  /** Issued before. */
  readonly untilMs: number | undefined;
}

/** A page of rows in descending order of the key. */
export interface PageBelow<Key> {
  /** Rows below this key; absent on the first page. */
  readonly below: Key | undefined;
  readonly limit: number;
}

/** Issued coupons, newest first; none of users who were erased. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
export function findIssuedCoupons(
  sql: Sql,
  filter: CouponFilter,
  page: PageBelow<Buffer>,
  deadlineMs: number,
): Promise<ArchivedCoupon[]> {
  const { promotionId, userId, fromMs, untilMs } = filter;
  const rows = sql<ArchivedCoupon[]>`
    SELECT coupon_id, user_id, coalesce(promotion.id, '') AS promotion_id, promotion_version, value
    FROM coupon LEFT JOIN promotion ON promotion.ref = coupon.promotion_ref
    WHERE NOT EXISTS (SELECT FROM erasure WHERE erasure.user_id = coupon.user_id)
      ${promotionId === undefined ? sql`` : sql`AND promotion_ref = (SELECT ref FROM promotion WHERE id = ${promotionId})`}
      ${userId === undefined ? sql`` : sql`AND user_id = ${userId}`}
      ${fromMs === undefined ? sql`` : sql`AND coupon_id >= ${couponIdsFrom(fromMs)}`}
      ${untilMs === undefined ? sql`` : sql`AND coupon_id < ${couponIdsFrom(untilMs)}`}
      ${page.below === undefined ? sql`` : sql`AND coupon_id < ${page.below}`}
    ORDER BY coupon_id DESC LIMIT ${page.limit}`;
  return withDeadline(rows, deadlineMs);
}

/**
 * Everything that happened up to this instant is archived, ms since the epoch, of the partition that is furthest behind: the
 * time of its last archived entry, or of a later look that found its stream at an end there. Undefined while nothing is archived
 * of one of them.
 */
export async function readArchivedUntil(
  sql: Sql,
  { generation, all }: ArchivePlaces,
  deadlineMs: number,
): Promise<number | undefined> {
  const rows = sql<{ until: Date | null }[]>`
    SELECT greatest(entry_time, level_at) AS until
    FROM ledger_cursor LEFT JOIN event_log USING (generation, partition, seq)
    WHERE generation = ${generation}`;
  const times = (await withDeadline(rows, deadlineMs)).flatMap(({ until }) => until?.getTime() ?? []);
  return times.length < all.length ? undefined : Math.min(...times);
}

/** The number of a promotion inside the ledger; undefined when there is none with this id. */
export async function readPromotionRef(
  sql: Sql,
  promotionId: string,
  deadlineMs: number,
): Promise<number | undefined> {
  const rows = sql<{ ref: number }[]>`SELECT ref FROM promotion WHERE id = ${promotionId}`;
  const [row] = await withDeadline(rows, deadlineMs);
  return row?.ref;
}

/** The public ids of promotions by their number. */
export async function readPromotionIds(
  sql: Sql,
  refs: readonly number[],
  deadlineMs: number,
): Promise<ReadonlyMap<number, string>> {
  if (refs.length === 0) return new Map();
  const rows = sql<{ ref: number; id: string }[]>`
    SELECT ref, id FROM promotion WHERE ref = ANY(${plainArray([...new Set(refs)])}::bigint[])`;
  const names = await withDeadline(rows, deadlineMs);
  return new Map(names.map(({ ref, id }) => [ref, id]));
}
