import { bytesArray, plainArray, textArray } from '../database/array-literal.ts';
import type { Sql } from '../database/client.ts';
import type { PartitionId } from './ledger-port.ts';
import type {
  CounterRow,
  CouponRow,
  FieldRow,
  HistoryRow,
  Projection,
  QuarantineRow,
  RetiredCouponRow,
} from './projection.ts';
import { countOrders, writeOrders } from './write-orders.ts';

/**
 * Parts of the archiver's statements: each inserts one kind of row, and only when the statement's first part, `cur`,
 * has found the cursor row where it was expected. `unnest` over one array per column was the fastest form measured.
 */

function writeCoupons(sql: Sql, { generation, partition }: PartitionId, rows: readonly CouponRow[]) {
  return sql`
    INSERT INTO coupon (coupon_id, user_id, promotion_ref, promotion_version, state, source, issued_at, valid_from,
      expires_at, hidden, value, generation, partition, seq, event_index, issued_seq, order_id, changed_at, retired, claims,
      live)
    SELECT id, user_id, ref, version, state, source, to_timestamp(issued / 1000.0), to_timestamp(starts / 1000.0),
      to_timestamp(ends / 1000.0), hidden, value, ${generation}::integer, ${partition}::integer, seq, at, issued_seq,
      order_id, to_timestamp(changed / 1000.0), retired, claims, live
    FROM unnest(
      ${bytesArray(rows.map((row) => row.couponId))}::bytea[],
      ${textArray(rows.map((row) => row.userId))}::text[],
      ${plainArray(rows.map((row) => row.promotionRef))}::bigint[],
      ${plainArray(rows.map((row) => row.promotionVersion))}::bigint[],
      ${textArray(rows.map((row) => row.state))}::text[],
      ${textArray(rows.map((row) => row.source))}::text[],
      ${plainArray(rows.map((row) => row.issuedAtMs))}::bigint[],
      ${plainArray(rows.map((row) => row.validFromMs))}::bigint[],
      ${plainArray(rows.map((row) => row.expiresAtMs))}::bigint[],
      ${plainArray(rows.map((row) => row.hidden))}::boolean[],
      ${bytesArray(rows.map((row) => row.value))}::bytea[],
      ${plainArray(rows.map((row) => row.seq))}::bigint[],
      ${plainArray(rows.map((row) => row.eventIndex))}::integer[],
      ${plainArray(rows.map((row) => row.issuedSeq))}::bigint[],
      ${textArray(rows.map((row) => row.orderId))}::text[],
      ${plainArray(rows.map((row) => row.changedAtMs))}::bigint[],
      ${plainArray(rows.map((row) => row.retired))}::boolean[],
      ${plainArray(rows.map((row) => row.claims))}::bigint[],
      ${plainArray(rows.map((row) => row.live))}::integer[]
    ) AS row (id, user_id, ref, version, state, source, issued, starts, ends, hidden, value, seq, at, issued_seq,
      order_id, changed, retired, claims, live)
    WHERE EXISTS (SELECT 1 FROM cur)
    ON CONFLICT (coupon_id) DO UPDATE SET
      state = excluded.state, hidden = excluded.hidden, valid_from = excluded.valid_from,
      expires_at = excluded.expires_at, value = excluded.value, generation = excluded.generation,
      partition = excluded.partition, seq = excluded.seq, event_index = excluded.event_index,
      retired = excluded.retired, changed_at = coalesce(excluded.changed_at, coupon.changed_at),
      claims = coalesce(excluded.claims, coupon.claims), live = coalesce(excluded.live, coupon.live),
      order_id = CASE WHEN excluded.state IN ('reserved', 'used') THEN coalesce(excluded.order_id, coupon.order_id) END
    WHERE excluded.issued_seq < 0 AND (excluded.generation, excluded.seq, excluded.event_index)
      > (coupon.generation, coupon.seq, coupon.event_index)
    RETURNING 1`;
}

function retireCoupons(sql: Sql, { generation, partition }: PartitionId, rows: readonly RetiredCouponRow[]) {
  return sql`
    UPDATE coupon SET retired = true, generation = ${generation}::integer, partition = ${partition}::integer,
      seq = row.seq, event_index = row.at, live = coalesce(row.live, coupon.live)
    FROM unnest(
      ${textArray(rows.map((row) => row.userId))}::text[],
      ${bytesArray(rows.map((row) => row.field))}::bytea[],
      ${plainArray(rows.map((row) => row.seq))}::bigint[],
      ${plainArray(rows.map((row) => row.eventIndex))}::integer[],
      ${plainArray(rows.map((row) => row.live))}::integer[]
    ) AS row (user_id, field, seq, at, live)
    WHERE EXISTS (SELECT 1 FROM cur) AND coupon.user_id = row.user_id AND substring(coupon.coupon_id FROM 7) = row.field
      AND (coupon.generation, coupon.seq, coupon.event_index) < (${generation}::integer, row.seq, row.at)
    RETURNING 1`;
}

function writeCounters(sql: Sql, { generation, partition }: PartitionId, rows: readonly CounterRow[]) {
  return sql`
    INSERT INTO promotion_counter AS known (promotion_ref, generation, partition, issued, seq, received, received_seq)
    SELECT ref, ${generation}::integer, ${partition}::integer, issued, issued_seq, received, received_seq
    FROM unnest(
      ${plainArray(rows.map((row) => row.promotionRef))}::bigint[],
      ${plainArray(rows.map((row) => row.issued))}::bigint[],
      ${plainArray(rows.map((row) => row.issuedSeq))}::bigint[],
      ${plainArray(rows.map((row) => row.received))}::bigint[],
      ${plainArray(rows.map((row) => row.receivedSeq))}::bigint[]
    ) AS row (ref, issued, issued_seq, received, received_seq)
    WHERE EXISTS (SELECT 1 FROM cur)
    ON CONFLICT (promotion_ref, generation, partition) DO UPDATE SET
      issued = CASE WHEN excluded.seq > known.seq THEN excluded.issued
        WHEN excluded.seq = known.seq THEN greatest(excluded.issued, known.issued) ELSE known.issued END,
      seq = greatest(excluded.seq, known.seq),
      received = CASE WHEN excluded.received_seq > known.received_seq THEN excluded.received ELSE known.received END,
      received_seq = greatest(excluded.received_seq, known.received_seq)
    RETURNING 1`;
}

function writeFields(sql: Sql, { generation, partition }: PartitionId, all: readonly FieldRow[]) {
  const rows = all.filter(({ value }) => value !== undefined);
  return sql`
    INSERT INTO ledger_field AS known (generation, partition, target, id, field, value, seq, event_index, retired)
    SELECT ${generation}::integer, ${partition}::integer, target, id, field, value, seq, at, retired
    FROM unnest(
      ${textArray(rows.map((row) => row.target))}::text[],
      ${textArray(rows.map((row) => row.id))}::text[],
      ${bytesArray(rows.map((row) => row.field))}::bytea[],
      ${bytesArray(rows.map((row) => row.value))}::bytea[],
      ${plainArray(rows.map((row) => row.seq))}::bigint[],
      ${plainArray(rows.map((row) => row.eventIndex))}::integer[],
      ${plainArray(rows.map((row) => row.retired))}::boolean[]
    ) AS row (target, id, field, value, seq, at, retired)
    WHERE EXISTS (SELECT 1 FROM cur)
    ON CONFLICT (generation, partition, target, id, field) DO UPDATE SET value = excluded.value, seq = excluded.seq,
      event_index = excluded.event_index, retired = excluded.retired
    WHERE (excluded.seq, excluded.event_index) > (known.seq, known.event_index)
    RETURNING 1`;
}

/** The fields named in a statement about fields that are gone; as a table `row`. */
function goneFields(sql: Sql, rows: readonly FieldRow[]) {
  return sql`unnest(
      ${textArray(rows.map((row) => row.target))}::text[],
      ${textArray(rows.map((row) => row.id))}::text[],
      ${bytesArray(rows.map((row) => row.field))}::bytea[],
      ${plainArray(rows.map((row) => row.seq))}::bigint[],
      ${plainArray(rows.map((row) => row.eventIndex))}::integer[]
    ) AS row (target, id, field, seq, at)`;
}

function isGoneField(sql: Sql, { generation, partition }: PartitionId) {
  return sql`
    EXISTS (SELECT 1 FROM cur) AND known.generation = ${generation} AND known.partition = ${partition}
      AND known.target = row.target AND known.id = row.id AND known.field = row.field
      AND (known.seq, known.event_index) < (row.seq, row.at)`;
}

function removeFields(sql: Sql, id: PartitionId, all: readonly FieldRow[]) {
  const rows = all.filter(({ value, retired }) => value === undefined && !retired);
  return sql`
    DELETE FROM ledger_field AS known USING ${goneFields(sql, rows)} WHERE ${isGoneField(sql, id)} RETURNING 1`;
}

function retireFields(sql: Sql, id: PartitionId, all: readonly FieldRow[]) {
  const rows = all.filter(({ value, retired }) => value === undefined && retired);
  return sql`
    UPDATE ledger_field AS known SET retired = true, seq = row.seq, event_index = row.at
    FROM ${goneFields(sql, rows)} WHERE ${isGoneField(sql, id)} RETURNING 1`;
}

function writeHistory(sql: Sql, { generation, partition }: PartitionId, rows: readonly HistoryRow[]) {
  return sql`
    INSERT INTO coupon_history (coupon_id, generation, partition, seq, event_index, kind, at, order_id)
    SELECT id, ${generation}::integer, ${partition}::integer, seq, at, kind, to_timestamp(decided / 1000.0), order_id
    FROM unnest(
      ${bytesArray(rows.map((row) => row.couponId))}::bytea[],
      ${plainArray(rows.map((row) => row.seq))}::bigint[],
      ${plainArray(rows.map((row) => row.eventIndex))}::integer[],
      ${textArray(rows.map((row) => row.kind))}::text[],
      ${plainArray(rows.map((row) => row.atMs))}::bigint[],
      ${textArray(rows.map((row) => row.orderId))}::text[]
    ) AS row (id, seq, at, kind, decided, order_id)
    WHERE EXISTS (SELECT 1 FROM cur)
    RETURNING 1`;
}

/** The part that writes quarantined events. */
export function writeQuarantine(
  sql: Sql,
  { generation, partition }: PartitionId,
  rows: readonly QuarantineRow[],
) {
  return sql`
    INSERT INTO quarantine (generation, partition, seq, event_index, subject, error)
    SELECT ${generation}::integer, ${partition}::integer, seq, at, subject, error
    FROM unnest(
      ${plainArray(rows.map((row) => row.seq))}::bigint[],
      ${plainArray(rows.map((row) => row.eventIndex))}::integer[],
      ${textArray(rows.map((row) => row.subject))}::text[],
      ${textArray(rows.map((row) => row.error))}::text[]
    ) AS row (seq, at, subject, error)
    WHERE EXISTS (SELECT 1 FROM cur)
    RETURNING 1`;
}

/** The parts that write the projections; `written_coupons` has one row per coupon that was really written. */
export function writeProjection(sql: Sql, id: PartitionId, rows: Projection) {
  return sql`
    written_coupons AS (${writeCoupons(sql, id, rows.coupons)}),
    written_counters AS (${writeCounters(sql, id, rows.counters)}),
    written_fields AS (${writeFields(sql, id, rows.fields)}),
    removed_fields AS (${removeFields(sql, id, rows.fields)}),
    retired_fields AS (${retireFields(sql, id, rows.fields)}),
    retired_coupons AS (${retireCoupons(sql, id, rows.retiredCoupons)}),
    written_history AS (${writeHistory(sql, id, rows.history)}),
    ${writeOrders(sql, id, rows)}`;
}

/** SQLSTATE of a batch in which a coupon could not take its place: it was issued before, or a newer event is known. */
export const COUPON_CLASH = 'HB001';
/** SQLSTATE of a trial that would have gone well and was undone. */
export const TRIAL_PASSED = 'HB002';

/** The condition that undoes a statement unless every coupon found its place. */
export function refuseClash(sql: Sql, rows: Projection) {
  return sql`
    CASE WHEN EXISTS (SELECT 1 FROM cur) AND (SELECT count(*) FROM written_coupons) <> ${rows.coupons.length}::integer
      THEN archive_refuse(${COUPON_CLASH}, 'a coupon was issued before, or a newer event of it is archived') END`;
}

/**
 * The condition that undoes a trial. It counts what every part wrote, because a part nobody asks for runs after the
 * condition, and its failure would not be seen.
 */
export function refuseTrial(sql: Sql, isTrial: boolean) {
  return sql`
    CASE WHEN ${isTrial}::boolean THEN archive_refuse(${TRIAL_PASSED}, format('a trial of %s rows',
      (SELECT count(*) FROM written_log) + (SELECT count(*) FROM written_quarantine) +
      (SELECT count(*) FROM written_coupons) + (SELECT count(*) FROM written_counters) +
      (SELECT count(*) FROM written_fields) + (SELECT count(*) FROM removed_fields) +
      (SELECT count(*) FROM retired_fields) + (SELECT count(*) FROM retired_coupons) +
      (SELECT count(*) FROM written_history) + ${countOrders(sql)})) END`;
}
