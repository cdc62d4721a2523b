/** Codes typed for orders: held before the ledger decides, used or free afterwards. */
import { bytesArray, plainArray } from '../../database/array-literal.ts';
import { type Sql, withDeadline } from '../../database/client.ts';

/** A code an order wants, by digest, and the promotion it must be of. */
export interface WantedCode {
  readonly hash: Buffer;
  readonly promotionRef: number;
}

/** How many of the wanted codes there are, and how many the order can have. It holds them when it can have all. */
export interface HoldOutcome {
  readonly known: number;
  readonly available: number;
}

/** Holds all of these codes for an order, or none, in one statement. Each code stands there once. */
export async function holdCodes(
  sql: Sql,
  wanted: readonly WantedCode[],
  order: { readonly userId: string; readonly orderId: string; readonly untilMs: number },
  deadlineMs: number,
): Promise<HoldOutcome> {
  const hashes = bytesArray(wanted.map(({ hash }) => hash));
  const refs = plainArray(wanted.map(({ promotionRef }) => promotionRef));
  const [row] = await withDeadline(
    sql<HoldOutcome[]>`
      with locked as (
        select c.hash, c.state = 'free' or (c.user_id = ${order.userId} and c.order_id = ${order.orderId}) as available
        from promo_code c
        join unnest(${hashes}::bytea[], ${refs}::integer[]) as wanted (hash, ref)
          on wanted.hash = c.hash and wanted.ref = c.promotion_ref
        order by c.hash
        for update of c
      ),
      verdict as (
        select count(*)::integer as known, count(*) filter (where available)::integer as available from locked
      ),
      held as (
        update promo_code c
        set state = case when c.state = 'free' then 'held' else c.state end, user_id = ${order.userId},
          order_id = ${order.orderId}, attempt = c.attempt + 1,
          hold_until = case when c.state = 'used' then null else ${new Date(order.untilMs)}::timestamptz end
        from locked, verdict
        where c.hash = locked.hash and verdict.available = ${wanted.length}
      )
      select known, available from verdict`,
    deadlineMs,
  );
  return row ?? { known: 0, available: 0 };
}

/** The order was committed: its codes are used. */
export async function confirmCodes(
  sql: Sql,
  userId: string,
  orderId: string,
  deadlineMs: number,
): Promise<void> {
  await withDeadline(
    sql`
      update promo_code
      set state = 'used', used_at = now(), hold_until = null
      where user_id = ${userId} and order_id = ${orderId} and state = 'held'`,
    deadlineMs,
  );
}

/** The order holds nothing any more: its codes can be used again. */
export async function freeCodes(
  sql: Sql,
  userId: string,
  orderId: string,
  deadlineMs: number,
): Promise<void> {
  await withDeadline(
    sql`
      update promo_code
      set state = 'free', user_id = null, order_id = null, used_at = null, hold_until = null
      where user_id = ${userId} and order_id = ${orderId}`,
    deadlineMs,
  );
}

/** Orders whose codes are held past their time, longest overdue first. */
export async function unsettledOrders(
  sql: Sql,
  nowMs: number,
  limit: number,
  deadlineMs: number,
): Promise<readonly { readonly userId: string; readonly orderId: string }[]> {
  const rows = await withDeadline(
    sql<{ user_id: string; order_id: string }[]>`
      select user_id, order_id from promo_code
      where state = 'held' and order_id is not null and hold_until <= ${new Date(nowMs)}::timestamptz
      group by user_id, order_id
      order by min(hold_until)
      limit ${limit}`,
    deadlineMs,
  );
  return rows.map((row) => ({ userId: row.user_id, orderId: row.order_id }));
}
