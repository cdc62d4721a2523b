import { textArray } from '../../database/array-literal.ts';
import type { Sql } from '../../database/client.ts';
import type { Redemption } from '../../domain/redemption.ts';
import { splitOrderId } from '../event-place.ts';
import type { PartitionId } from '../ledger-port.ts';
import { redemptionOf } from '../order-rows.ts';
import type { RecordImage } from './apply-write.ts';
import type { Check } from './check.ts';
import { orderHead } from './order-head.ts';

/** What a comparison of the tables people query works with. */
export interface TableComparison {
  readonly sql: Sql;
  readonly id: PartitionId;
  readonly check: Check;
  readonly isWhole: boolean;
}

/**
 * Reads the orders from `redemption` and `redemption_promotion`. What it answers with compares those that have not moved
 * since: every order says what its head says, and every head is there.
 */
export async function compareRedemptions(
  { sql, id, check, isWhole }: TableComparison,
  orders: ReadonlyMap<string, RecordImage>,
  ids: readonly string[],
): Promise<(quiet: readonly string[]) => void> {
  const archived = await readRedemptions(sql, id, ids);
  return (quiet) => {
    for (const order of quiet) {
      const head = orderHead(orders.get(order));
      const seen = archived.get(order);
      if (head !== undefined) {
        check.count('orders');
        const expected = expectedRow(order, head);
        check.require(seen === expected, () => {
          return `Postgres tells of order ${order} ${seen ?? 'nothing'}, the events ${expected}`;
        });
      } else if (isWhole) {
        // An order that left Redis stays in the tables; the events have its record, without fields.
        const isKnown = seen === undefined || orders.has(order);
        check.require(isKnown, () => `Postgres has order ${order}, which no event wrote`);
      }
    }
  };
}

/** Every transaction of the users' points up to the cursor is in `points_entry`, once. */
export async function comparePoints(
  { sql, id: { generation, partition }, check }: TableComparison,
  transactionsOf: (userId: string) => { readonly count: number; readonly sum: number },
  userIds: readonly string[],
  entries: { readonly firstSeq: number; readonly cursorSeq: number },
): Promise<void> {
  const rows = await sql<{ user_id: string; count: string; sum: string }[]>`
    SELECT user_id, count(*) AS count, sum(points) AS sum FROM points_entry
    WHERE user_id = ANY(${textArray(userIds)}::text[]) AND generation = ${generation} AND partition = ${partition}
      AND seq BETWEEN ${entries.firstSeq} AND ${entries.cursorSeq} GROUP BY user_id`;
  const archived = new Map(rows.map((row) => [row.user_id, row]));
  for (const userId of userIds) {
    const { count, sum } = transactionsOf(userId);
    check.count('points transactions', count);
    const row = archived.get(userId);
    const agrees = Number(row?.count ?? 0) === count && Number(row?.sum ?? 0) === sum;
    check.require(agrees, () => {
      return `Postgres has ${row?.count ?? 0} points transactions of ${userId} over ${row?.sum ?? 0}, the events ${count} over ${sum}`;
    });
  }
}

function expectedRow(order: string, head: Redemption): string {
  const row = redemptionOf(splitOrderId(order), head, { seq: 0, eventIndex: 0, timeMs: 0 });
  const promotions = row.promotions.map((use) => {
    return [use.promotionRef, use.couponId?.toString('hex') ?? null, use.discountMinor, use.state];
  });
  const times = [row.reservedAtMs, row.dueAtMs, row.committedAtMs, row.endedAtMs].map((time) => time ?? null);
  const sums = [row.itemsMinor, row.discountMinor, row.payableMinor, row.refundedMinor];
  return JSON.stringify([row.state, row.currency, ...times, ...sums, promotions]);
}

/** The rows as the same text that is expected of them. JSON, because connections do not look up the types of arrays. */
async function readRedemptions(
  sql: Sql,
  { generation, partition }: PartitionId,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const names = ids.map(splitOrderId);
  const rows = await sql<{ id: string; cells: (string | null)[]; uses: unknown[] | null }[]>`
    SELECT user_id || '/' || order_id AS id, json_build_array(state, currency, ${msOf(sql, 'reserved_at')}, ${msOf(sql, 'due_at')},
        ${msOf(sql, 'committed_at')}, ${msOf(sql, 'ended_at')}, items_minor::text, discount_minor::text,
        payable_minor::text, refunded_minor::text) AS cells,
      (SELECT json_agg(json_build_array(promotion_ref, encode(coupon_id, 'hex'), discount_minor, state) ORDER BY position)
        FROM redemption_promotion WHERE redemption_promotion.user_id = redemption.user_id
          AND redemption_promotion.order_id = redemption.order_id) AS uses
    FROM redemption JOIN unnest(
      ${textArray(names.map(({ userId }) => userId))}::text[], ${textArray(names.map(({ orderId }) => orderId))}::text[]
    ) AS name (user_id, order_id) USING (user_id, order_id)
    WHERE generation = ${generation} AND partition = ${partition}`;
  return new Map(
    rows.map(({ id, cells, uses }) => {
      const [state, currency, ...figures] = cells;
      const numbers = figures.map((cell) => (cell === null ? null : Number(cell)));
      return [id, JSON.stringify([state, currency, ...numbers, uses ?? []])];
    }),
  );
}

function msOf(sql: Sql, column: string) {
  return sql`(extract(epoch FROM ${sql(column)}) * 1000)::bigint::text`;
}
