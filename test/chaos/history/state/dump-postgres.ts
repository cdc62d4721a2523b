/** Reads everything Postgres has of the ledger: the log, the projections, and the tables people query. */
import { readArchivedWallets } from '../../../../src/archive/wallet-images.ts';
import type { Sql } from '../../../../src/database/client.ts';
import { partitionOf } from '../../../../src/ledger/keys.ts';
import type {
  CouponRow,
  InboxRow,
  LedgerState,
  PartitionState,
  PointsRow,
  PromotionRow,
  Records,
  RedemptionRow,
  StoredCursor,
  StoredEntry,
} from './ledger-state.ts';
import { recordName } from './ledger-state.ts';

/** Wallets read at once. */
const PAGE_USERS = 500;

/** Which partition of which generation. */
interface Id {
  readonly generation: number;
  readonly partition: number;
}

/** Partitions that have a cursor, of every generation, in order. */
export async function partitionIds(sql: Sql): Promise<Id[]> {
  const rows = await sql<
    Id[]
  >`SELECT generation, partition FROM ledger_cursor ORDER BY generation, partition`;
  return rows.map(({ generation, partition }) => ({
    generation: Number(generation),
    partition: Number(partition),
  }));
}

/** What Postgres knows of one partition; `partitions` tells which users are of it. */
export async function dumpPartition(
  sql: Sql,
  id: Id,
  partitions: number,
): Promise<Omit<PartitionState, 'redis'>> {
  const { generation, partition } = id;
  const [{ quarantined = 0 } = {}] = await sql<{ quarantined: number }[]>`
    SELECT count(*)::integer AS quarantined FROM quarantine
    WHERE generation = ${generation} AND partition = ${partition} AND settled_at IS NULL`;
  const holes = await sql<{ from_seq: string; to_seq: string }[]>`
    SELECT from_seq, to_seq FROM ledger_hole WHERE generation = ${generation} AND partition = ${partition}`;
  return {
    generation,
    partition,
    log: await readLog(sql, id),
    cursor: await readCursor(sql, id),
    holes: holes.map(({ from_seq, to_seq }) => ({ fromSeq: Number(from_seq), toSeq: Number(to_seq) })),
    archived: await readArchived(sql, id, partitions),
    quarantined,
  };
}

async function readLog(sql: Sql, { generation, partition }: Id): Promise<StoredEntry[]> {
  const rows = await sql<{ seq: string; payload: Buffer }[]>`
    SELECT seq, payload FROM event_log WHERE generation = ${generation} AND partition = ${partition} ORDER BY seq`;
  return rows.map(({ seq, payload }) => ({ seq: Number(seq), payload }));
}

async function readCursor(sql: Sql, { generation, partition }: Id): Promise<StoredCursor | undefined> {
  const [row] = await sql<
    { seq: string; events_total: string; epoch: string; entry_payload: Buffer | null }[]
  >`
    SELECT seq, events_total, epoch, entry_payload FROM ledger_cursor
    WHERE generation = ${generation} AND partition = ${partition}`;
  if (row === undefined) return undefined;
  return {
    seq: Number(row.seq),
    eventsTotal: Number(row.events_total),
    epoch: Number(row.epoch),
    payload: row.entry_payload ?? undefined,
  };
}

async function readArchived(sql: Sql, id: Id, partitions: number): Promise<Records> {
  const records = new Map<string, Map<string, string>>();
  const put = (name: string, field: string, value: string): void => {
    const image = records.get(name) ?? new Map<string, string>();
    records.set(name, image.set(field, value));
  };
  const { generation, partition } = id;
  const fields = await sql<{ target: string; id: string; field: Buffer; value: Buffer }[]>`
    SELECT target, id, field, value FROM ledger_field
    WHERE generation = ${generation} AND partition = ${partition} AND NOT retired AND target <> 'wallet'`;
  for (const { target, id: name, field, value } of fields)
    put(recordName(target, name), field.toString('latin1'), value.toString('latin1'));
  const counters = await sql<{ promotion_ref: number; issued: string; received: string | null }[]>`
    SELECT promotion_ref, issued, received FROM promotion_counter
    WHERE generation = ${generation} AND partition = ${partition}`;
  for (const { promotion_ref, issued, received } of counters) {
    put(recordName('promotion', String(promotion_ref)), 'issued', issued);
    put(recordName('promotion', String(promotion_ref)), 'received', received ?? '');
  }
  const users = await sql<{ user_id: string }[]>`
    SELECT user_id FROM coupon UNION SELECT id FROM ledger_field
    WHERE generation = ${generation} AND partition = ${partition} AND target = 'wallet'`;
  // A coupon keeps the generation that wrote it last, so its user tells where it is.
  const own = users
    .map(({ user_id }) => user_id)
    .filter((userId) => partitionOf(userId, partitions) === partition);
  for (let start = 0; start < own.length; start += PAGE_USERS) {
    const page = own.slice(start, start + PAGE_USERS);
    for (const [index, wallet] of (await readArchivedWallets(sql, id, page)).entries()) {
      for (const [field, value] of wallet.fields)
        put(recordName('wallet', page[index] ?? ''), field, value.toString('latin1'));
    }
  }
  return records;
}

/** The tables people query. */
export async function dumpTables(
  sql: Sql,
): Promise<Pick<LedgerState, 'coupons' | 'redemptions' | 'points' | 'inbox' | 'promotions'>> {
  return {
    coupons: await readCoupons(sql),
    redemptions: await readRedemptions(sql),
    points: await readPoints(sql),
    inbox: await readInbox(sql),
    promotions: await readPromotions(sql),
  };
}

async function readCoupons(sql: Sql): Promise<CouponRow[]> {
  const rows = await sql<{ coupon_id: string; user_id: string; state: string; order_id: string | null }[]>`
    SELECT encode(coupon_id, 'hex') AS coupon_id, user_id, state, order_id FROM coupon`;
  return rows.map((row) => ({
    couponId: row.coupon_id,
    userId: row.user_id,
    state: row.state,
    orderId: row.order_id ?? undefined,
  }));
}

async function readRedemptions(sql: Sql): Promise<RedemptionRow[]> {
  const rows = await sql<
    { user_id: string; order_id: string; state: string; payable_minor: string; refunded_minor: string }[]
  >`SELECT user_id, order_id, state, payable_minor, refunded_minor FROM redemption`;
  return rows.map((row) => ({
    userId: row.user_id,
    orderId: row.order_id,
    state: row.state,
    payableMinor: Number(row.payable_minor),
    refundedMinor: Number(row.refunded_minor),
  }));
}

async function readPoints(sql: Sql): Promise<PointsRow[]> {
  const rows = await sql<{ user_id: string; number: string; points: string; balance_after: string }[]>`
    SELECT user_id, number, points, balance_after FROM points_entry`;
  return rows.map((row) => ({
    userId: row.user_id,
    number: Number(row.number),
    points: Number(row.points),
    balanceAfter: Number(row.balance_after),
  }));
}

async function readInbox(sql: Sql): Promise<InboxRow[]> {
  const rows = await sql<{ event_id: string; state: string; is_overdue: boolean | null }[]>`
    SELECT event_id, state, next_attempt_at < now() - interval '30 seconds' AS is_overdue FROM event_inbox`;
  return rows.map((row) => ({ eventId: row.event_id, state: row.state, isOverdue: row.is_overdue === true }));
}

async function readPromotions(sql: Sql): Promise<PromotionRow[]> {
  const rows = await sql<{ id: string; ref: number; version: number; is_pending: boolean }[]>`
    SELECT id, ref, version,
      EXISTS (SELECT FROM definition_outbox WHERE definition_outbox.ref = promotion.ref) AS is_pending
    FROM promotion`;
  return rows.map((row) => ({
    promotionId: row.id,
    ref: Number(row.ref),
    version: row.version,
    isPending: row.is_pending,
  }));
}
