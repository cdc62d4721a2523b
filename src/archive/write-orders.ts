import { bytesArray, plainArray, textArray } from '../database/array-literal.ts';
import type { Sql } from '../database/client.ts';
import type { PartitionId } from './ledger-port.ts';
import type { PointsRow, Projection, RedemptionHistoryRow, RedemptionRow } from './projection.ts';

/** Parts of the archiver's statements about orders and points, of the same make as those in `write-projection.ts`. */

function writeRedemptions(sql: Sql, { generation, partition }: PartitionId, rows: readonly RedemptionRow[]) {
  return sql`
    INSERT INTO redemption AS known (user_id, order_id, state, order_number, reserved_at, due_at, committed_at, ended_at,
      currency, items_minor, shipping_minor, discount_minor, payable_minor, refunded_minor, rule_set_version, generation,
      partition, seq, event_index)
    SELECT user_id, order_id, state, number, to_timestamp(reserved / 1000.0), to_timestamp(due / 1000.0),
      to_timestamp(committed / 1000.0), to_timestamp(ended / 1000.0), currency, items, shipping, discount, payable,
      refunded, rule_set, ${generation}::integer, ${partition}::integer, seq, at
    FROM unnest(
      ${textArray(rows.map((row) => row.userId))}::text[],
      ${textArray(rows.map((row) => row.orderId))}::text[],
      ${textArray(rows.map((row) => row.state))}::text[],
      ${textArray(rows.map((row) => row.orderNumber))}::text[],
      ${plainArray(rows.map((row) => row.reservedAtMs))}::bigint[],
      ${plainArray(rows.map((row) => row.dueAtMs))}::bigint[],
      ${plainArray(rows.map((row) => row.committedAtMs))}::bigint[],
      ${plainArray(rows.map((row) => row.endedAtMs))}::bigint[],
      ${textArray(rows.map((row) => row.currency))}::text[],
      ${plainArray(rows.map((row) => row.itemsMinor))}::bigint[],
      ${plainArray(rows.map((row) => row.shippingMinor))}::bigint[],
      ${plainArray(rows.map((row) => row.discountMinor))}::bigint[],
      ${plainArray(rows.map((row) => row.payableMinor))}::bigint[],
      ${plainArray(rows.map((row) => row.refundedMinor))}::bigint[],
      ${plainArray(rows.map((row) => row.ruleSetVersion))}::bigint[],
      ${plainArray(rows.map((row) => row.seq))}::bigint[],
      ${plainArray(rows.map((row) => row.eventIndex))}::integer[]
    ) AS row (user_id, order_id, state, number, reserved, due, committed, ended, currency, items, shipping, discount,
      payable, refunded, rule_set, seq, at)
    WHERE EXISTS (SELECT 1 FROM cur)
    ON CONFLICT (user_id, order_id) DO UPDATE SET
      state = excluded.state, order_number = excluded.order_number, reserved_at = excluded.reserved_at,
      due_at = excluded.due_at, committed_at = excluded.committed_at, ended_at = excluded.ended_at,
      currency = excluded.currency, items_minor = excluded.items_minor, shipping_minor = excluded.shipping_minor,
      discount_minor = excluded.discount_minor, payable_minor = excluded.payable_minor,
      refunded_minor = excluded.refunded_minor, rule_set_version = excluded.rule_set_version,
      generation = excluded.generation, partition = excluded.partition, seq = excluded.seq,
      event_index = excluded.event_index
    WHERE (excluded.generation, excluded.seq, excluded.event_index) > (known.generation, known.seq, known.event_index)
    RETURNING 1`;
}

function writePromotions(sql: Sql, { generation, partition }: PartitionId, orders: readonly RedemptionRow[]) {
  const rows = orders.flatMap((order) =>
    order.promotions.map((promotion, position) => ({ order, promotion, position })),
  );
  return sql`
    INSERT INTO redemption_promotion AS known (user_id, order_id, position, promotion_ref, promotion_version, coupon_id,
      code, currency, discount_minor, state, reserved_at, committed_at, generation, partition, seq, event_index)
    SELECT user_id, order_id, position, ref, version, coupon, code, currency, discount, state,
      to_timestamp(reserved / 1000.0), to_timestamp(committed / 1000.0), ${generation}::integer, ${partition}::integer,
      seq, at
    FROM unnest(
      ${textArray(rows.map(({ order }) => order.userId))}::text[],
      ${textArray(rows.map(({ order }) => order.orderId))}::text[],
      ${plainArray(rows.map(({ position }) => position))}::integer[],
      ${plainArray(rows.map(({ promotion }) => promotion.promotionRef))}::bigint[],
      ${plainArray(rows.map(({ promotion }) => promotion.promotionVersion))}::bigint[],
      ${bytesArray(rows.map(({ promotion }) => promotion.couponId))}::bytea[],
      ${textArray(rows.map(({ promotion }) => promotion.code))}::text[],
      ${textArray(rows.map(({ order }) => order.currency))}::text[],
      ${plainArray(rows.map(({ promotion }) => promotion.discountMinor))}::bigint[],
      ${textArray(rows.map(({ promotion }) => promotion.state))}::text[],
      ${plainArray(rows.map(({ order }) => order.reservedAtMs))}::bigint[],
      ${plainArray(rows.map(({ order }) => order.committedAtMs))}::bigint[],
      ${plainArray(rows.map(({ order }) => order.seq))}::bigint[],
      ${plainArray(rows.map(({ order }) => order.eventIndex))}::integer[]
    ) AS row (user_id, order_id, position, ref, version, coupon, code, currency, discount, state, reserved, committed, seq,
      at)
    WHERE EXISTS (SELECT 1 FROM cur)
    ON CONFLICT (user_id, order_id, position) DO UPDATE SET
      promotion_ref = excluded.promotion_ref, promotion_version = excluded.promotion_version,
      coupon_id = excluded.coupon_id, code = excluded.code, currency = excluded.currency,
      discount_minor = excluded.discount_minor, state = excluded.state, reserved_at = excluded.reserved_at,
      committed_at = excluded.committed_at, generation = excluded.generation, partition = excluded.partition,
      seq = excluded.seq, event_index = excluded.event_index
    WHERE (excluded.generation, excluded.seq, excluded.event_index) > (known.generation, known.seq, known.event_index)
    RETURNING 1`;
}

/** An order reserved anew may have fewer promotions than before. */
function removePromotions(sql: Sql, { generation }: PartitionId, rows: readonly RedemptionRow[]) {
  return sql`
    DELETE FROM redemption_promotion AS known USING unnest(
      ${textArray(rows.map((row) => row.userId))}::text[],
      ${textArray(rows.map((row) => row.orderId))}::text[],
      ${plainArray(rows.map((row) => row.promotions.length))}::integer[],
      ${plainArray(rows.map((row) => row.seq))}::bigint[],
      ${plainArray(rows.map((row) => row.eventIndex))}::integer[]
    ) AS row (user_id, order_id, count, seq, at)
    WHERE EXISTS (SELECT 1 FROM cur) AND known.user_id = row.user_id AND known.order_id = row.order_id
      AND known.position >= row.count
      AND (known.generation, known.seq, known.event_index) < (${generation}::integer, row.seq, row.at)
    RETURNING 1`;
}

function writeHistory(
  sql: Sql,
  { generation, partition }: PartitionId,
  rows: readonly RedemptionHistoryRow[],
) {
  return sql`
    INSERT INTO redemption_history (user_id, order_id, generation, partition, seq, event_index, kind, at)
    SELECT user_id, order_id, ${generation}::integer, ${partition}::integer, seq, at, kind, to_timestamp(decided / 1000.0)
    FROM unnest(
      ${textArray(rows.map((row) => row.userId))}::text[],
      ${textArray(rows.map((row) => row.orderId))}::text[],
      ${plainArray(rows.map((row) => row.seq))}::bigint[],
      ${plainArray(rows.map((row) => row.eventIndex))}::integer[],
      ${textArray(rows.map((row) => row.kind))}::text[],
      ${plainArray(rows.map((row) => row.atMs))}::bigint[]
    ) AS row (user_id, order_id, seq, at, kind, decided)
    WHERE EXISTS (SELECT 1 FROM cur)
    RETURNING 1`;
}

/** A second transaction under a number that is taken is refused: transactions are never changed. */
function writePoints(sql: Sql, { generation, partition }: PartitionId, rows: readonly PointsRow[]) {
  return sql`
    INSERT INTO points_entry (user_id, number, points, balance_after, type, reason, reference_type, reference_id, at,
      generation, partition, seq)
    SELECT user_id, number, points, balance, type, reason, reference_type, reference_id, to_timestamp(decided / 1000.0),
      ${generation}::integer, ${partition}::integer, seq
    FROM unnest(
      ${textArray(rows.map((row) => row.userId))}::text[],
      ${plainArray(rows.map((row) => row.number))}::bigint[],
      ${plainArray(rows.map((row) => row.points))}::bigint[],
      ${plainArray(rows.map((row) => row.balanceAfter))}::bigint[],
      ${textArray(rows.map((row) => row.type))}::text[],
      ${textArray(rows.map((row) => row.reason))}::text[],
      ${textArray(rows.map((row) => row.referenceType))}::text[],
      ${textArray(rows.map((row) => row.referenceId))}::text[],
      ${plainArray(rows.map((row) => row.atMs))}::bigint[],
      ${plainArray(rows.map((row) => row.seq))}::bigint[]
    ) AS row (user_id, number, points, balance, type, reason, reference_type, reference_id, decided, seq)
    WHERE EXISTS (SELECT 1 FROM cur)
    RETURNING 1`;
}

/** The parts that write orders and points. */
export function writeOrders(sql: Sql, id: PartitionId, rows: Projection) {
  return sql`
    written_redemptions AS (${writeRedemptions(sql, id, rows.redemptions)}),
    written_promotions AS (${writePromotions(sql, id, rows.redemptions)}),
    removed_promotions AS (${removePromotions(sql, id, rows.redemptions)}),
    written_order_history AS (${writeHistory(sql, id, rows.redemptionHistory)}),
    written_points AS (${writePoints(sql, id, rows.points)})`;
}

/** The number of rows those parts wrote. */
export function countOrders(sql: Sql) {
  return sql`
      (SELECT count(*) FROM written_redemptions) + (SELECT count(*) FROM written_promotions) +
      (SELECT count(*) FROM removed_promotions) + (SELECT count(*) FROM written_order_history) +
      (SELECT count(*) FROM written_points)`;
}
