/** How a code gets bound to the user who takes it into the wallet, and what becomes of the bond. */
import { type Sql, withDeadline } from '../../database/client.ts';
import { HELD_AT_LEAST_MS } from '../limits.ts';

/** A code bound to a user, by the attempt that may still loosen it. */
export interface BoundCode {
  readonly hash: Buffer;
  readonly promotionRef: number;
  readonly userId: string;
  /** The claim that bound it first; names the coupon. */
  readonly requestId: string;
  readonly attempt: number;
  /** This attempt bound it; otherwise an earlier one did, which may still be under way. */
  readonly isFirst: boolean;
}

interface BoundRow {
  readonly hash: Buffer;
  readonly promotion_ref: number;
  readonly user_id: string;
  readonly request_id: string;
  readonly attempt: number;
  readonly was_free: boolean;
}

function boundCode(row: BoundRow): BoundCode {
  return {
    hash: row.hash,
    promotionRef: row.promotion_ref,
    userId: row.user_id,
    requestId: row.request_id,
    attempt: row.attempt,
    isFirst: row.was_free,
  };
}

const HOLD = `${HELD_AT_LEAST_MS} milliseconds`;

/**
 * Binds a free code to a user, or takes up the user's own earlier claim of it; undefined when it is neither. Throws the
 * driver's unique violation when the user's request id has bound another code.
 */
export async function bindCode(
  sql: Sql,
  hash: Buffer,
  claim: { readonly userId: string; readonly requestId: string },
  deadlineMs: number,
): Promise<BoundCode | undefined> {
  const [row] = await withDeadline(
    sql<BoundRow[]>`
      with before as (select hash, state from promo_code where hash = ${hash} for update)
      update promo_code c
      set state = 'held', user_id = ${claim.userId}, request_id = coalesce(c.request_id, ${claim.requestId}),
        attempt = c.attempt + 1, hold_until = now() + ${HOLD}::interval
      from before
      where c.hash = before.hash
        and (c.state = 'free' or (c.state = 'held' and c.user_id = ${claim.userId} and c.order_id is null))
      returning c.hash, c.promotion_ref, c.user_id, c.request_id, c.attempt, before.state = 'free' as was_free`,
    deadlineMs,
  );
  return row && boundCode(row);
}

/** Frees a code whose coupon was refused, provided nobody has made another attempt since. */
export async function unbindCode(sql: Sql, code: BoundCode, deadlineMs: number): Promise<void> {
  await withDeadline(
    sql`
      update promo_code
      set state = 'free', user_id = null, request_id = null, hold_until = null
      where hash = ${code.hash} and attempt = ${code.attempt} and state = 'held' and order_id is null`,
    deadlineMs,
  );
}

/** Writes down that a code has become a coupon. Repeating it changes nothing. */
export async function settleCode(
  sql: Sql,
  code: BoundCode,
  couponId: string,
  deadlineMs: number,
): Promise<void> {
  await withDeadline(
    sql`
      update promo_code
      set state = 'used', coupon_id = ${Buffer.from(couponId, 'hex')}, used_at = now(), hold_until = null
      where hash = ${code.hash} and user_id = ${code.userId} and request_id = ${code.requestId} and state = 'held'`,
    deadlineMs,
  );
}

/** Takes up claims that were left unfinished, longest first. Each is left alone by others for a while. */
export async function takeUnfinishedClaims(
  sql: Sql,
  limit: number,
  deadlineMs: number,
): Promise<readonly BoundCode[]> {
  const rows = await withDeadline(
    sql<BoundRow[]>`
      with unfinished as (
        select hash from promo_code
        where state = 'held' and order_id is null and hold_until <= now()
        order by hold_until
        limit ${limit}
        for update skip locked
      )
      update promo_code c
      set attempt = c.attempt + 1, hold_until = now() + ${HOLD}::interval
      from unfinished
      where c.hash = unfinished.hash
      returning c.hash, c.promotion_ref, c.user_id, c.request_id, c.attempt, false as was_free`,
    deadlineMs,
  );
  return rows.map(boundCode);
}
