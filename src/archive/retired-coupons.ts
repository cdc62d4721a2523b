/** Coupons that have left Redis after retention, for the lists and look-ups of their users. */
import { bytesArray, textArray } from '../database/array-literal.ts';
import { type Sql, withDeadline } from '../database/client.ts';
import { COUPON_FIELD_BYTES, decodeCouponValue } from '../domain/coupon.ts';
import { decodeRedemption, type Redemption } from '../domain/redemption.ts';
import { ACCOUNT_FIELDS, ORDER_FIELDS } from '../ledger/record-fields.ts';
import type { WalletCoupon } from '../ledger/wallet.ts';
import type { ArchivePlaces } from './places.ts';

/** How a life ended; a coupon that was never used and is past its date has expired. */
export type EndState = 'used' | 'expired' | 'revoked';

/** How many coupons of a user left Redis: those to be seen by state, and all. */
export interface RetiredCounts extends Readonly<Record<EndState, number>> {
  readonly total: number;
}

/** None did. */
export const NONE_RETIRED: RetiredCounts = { used: 0, expired: 0, revoked: 0, total: 0 };

/** What the account and the orders told about coupons, as archived. */
export interface RetiredRecords {
  /** Fields of the account by name (latin1). */
  readonly account: ReadonlyMap<string, Buffer>;
  readonly orders: ReadonlyMap<string, Redemption>;
}

interface CouponRow {
  readonly coupon_id: Buffer;
  readonly value: Buffer;
  readonly hidden: boolean;
}

/** Reads what left Redis. Every method throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
export class RetiredCoupons {
  private readonly sql: Sql;
  private readonly places: ArchivePlaces;

  constructor(sql: Sql, places: ArchivePlaces) {
    this.sql = sql;
    this.places = places;
  }

  /** Counts by state, without the hidden ones. */
  async counts(userId: string, deadlineMs: number): Promise<RetiredCounts> {
    const { sql } = this;
    const rows = sql<{ state: EndState; hidden: boolean; coupons: string }[]>`
      SELECT ${this.endState()} AS state, ${this.isHidden()} AS hidden, count(*) AS coupons FROM coupon
      WHERE user_id = ${userId} AND retired GROUP BY 1, 2`;
    const counts = { ...NONE_RETIRED };
    for (const { state, hidden, coupons } of await withDeadline(rows, deadlineMs)) {
      counts.total += Number(coupons);
      if (!hidden) counts[state] += Number(coupons);
    }
    return counts;
  }

  /** Coupons to be seen in these states, newest first. @param below only coupons older than this one */
  async page(
    userId: string,
    states: readonly EndState[],
    { below, limit }: { readonly below: string | undefined; readonly limit: number },
    deadlineMs: number,
  ): Promise<WalletCoupon[]> {
    if (states.length === 0) return [];
    const { sql } = this;
    const rows = sql<CouponRow[]>`
      SELECT coupon_id, value, false AS hidden FROM coupon
      WHERE user_id = ${userId} AND retired AND NOT ${this.isHidden()}
        AND ${this.endState()} = ANY(${textArray(states)}::text[])
        ${below === undefined ? sql`` : sql`AND coupon_id < ${Buffer.from(below, 'hex')}`}
      ORDER BY coupon_id DESC LIMIT ${limit}`;
    return (await withDeadline(rows, deadlineMs)).map(couponOf);
  }

  /** A coupon that is not in the wallet; also when the archive has not heard yet that it left. */
  async find(userId: string, couponId: string, deadlineMs: number): Promise<WalletCoupon | undefined> {
    const rows = this.sql<CouponRow[]>`
      SELECT coupon_id, value, ${this.isHidden()} AS hidden FROM coupon
      WHERE coupon_id = ${Buffer.from(couponId, 'hex')} AND user_id = ${userId}`;
    const [row] = await withDeadline(rows, deadlineMs);
    return row && couponOf(row);
  }

  /** What the account and the orders say about coupons (public ids) that left Redis. */
  async records(userId: string, couponIds: readonly string[], deadlineMs: number): Promise<RetiredRecords> {
    const { sql } = this;
    const { generation, partition } = this.places.ofUser(userId);
    const fields = couponIds.map((couponId) => Buffer.from(couponId, 'hex').subarray(-COUPON_FIELD_BYTES));
    const marks = [ACCOUNT_FIELDS.holder, ACCOUNT_FIELDS.revoked].flatMap((mark) =>
      fields.map((field) => mark.bytes(field)),
    );
    const told = sql<{ field: Buffer; value: Buffer }[]>`
      SELECT field, value FROM ledger_field
      WHERE generation = ${generation} AND partition = ${partition} AND target = 'account' AND id = ${userId}
        AND field = ANY(${bytesArray(marks)}::bytea[]) AND value IS NOT NULL`;
    const account = new Map(
      (await withDeadline(told, deadlineMs)).map(({ field, value }) => [field.toString('latin1'), value]),
    );
    const holders = [...account].filter(([name]) => name.startsWith(ACCOUNT_FIELDS.holder.mark));
    const orderIds = [...new Set(holders.map(([, orderId]) => orderId.toString()))];
    return { account, orders: await this.orders(userId, orderIds, deadlineMs) };
  }

  private async orders(
    userId: string,
    orderIds: readonly string[],
    deadlineMs: number,
  ): Promise<ReadonlyMap<string, Redemption>> {
    if (orderIds.length === 0) return new Map();
    const { generation, partition } = this.places.ofUser(userId);
    const ids = orderIds.map((orderId) => `${userId}/${orderId}`);
    const rows = this.sql<{ id: string; value: Buffer }[]>`
      SELECT id, value FROM ledger_field
      WHERE generation = ${generation} AND partition = ${partition} AND target = 'order'
        AND id = ANY(${textArray(ids)}::text[]) AND field = ${ORDER_FIELDS.head.bytes} AND value IS NOT NULL`;
    const heads = await withDeadline(rows, deadlineMs);
    return new Map(heads.map(({ id, value }) => [id.slice(userId.length + 1), decodeRedemption(value)]));
  }

  private endState() {
    return this.sql`CASE WHEN state IN ('used', 'revoked') THEN state ELSE 'expired' END`;
  }

  /** Coupons of erased users are hidden wherever they are. */
  private isHidden() {
    return this
      .sql`(hidden OR EXISTS (SELECT FROM erasure WHERE erasure.user_id = coupon.user_id AND erased_at IS NOT NULL))`;
  }
}

function couponOf({ coupon_id, value, hidden }: CouponRow): WalletCoupon {
  return { ...decodeCouponValue(value), hidden, couponId: coupon_id.toString('hex') };
}
