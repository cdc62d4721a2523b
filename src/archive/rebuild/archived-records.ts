/**
 * Everything Redis holds, as the projections have it at the cursor, page by page: wallets by user, all other records by class
 * and id, the due set as it follows from the orders (LEDGER rule 17). A record may come in two pages, with other fields in each.
 */
import type { Sql } from '../../database/client.ts';
import { decodeRedemption } from '../../domain/redemption.ts';
import { partitionOf } from '../../ledger/keys.ts';
import type { RebuiltRecord } from '../../ledger/rebuild-target.ts';
import { ORDER_FIELDS, PROMOTION_FIELDS } from '../../ledger/record-fields.ts';
import type { PartitionId } from '../ledger-port.ts';
import { REBUILD_FIELDS_PER_PAGE, REBUILD_USERS_PER_PAGE } from '../limits.ts';
import { type ArchivedWallet, readArchivedWallets } from '../wallet-images.ts';

/** A generation and its number of partitions. */
export interface Source {
  readonly generation: number;
  readonly partitions: number;
}

/** A wallet with all coupons of its user. */
export interface UserWallet extends ArchivedWallet {
  readonly userId: string;
}

type OtherClass = Exclude<RebuiltRecord['target'], 'wallet' | 'due'>;

interface FieldRow {
  readonly target: OtherClass;
  readonly id: string;
  readonly field: Buffer;
  readonly value: Buffer;
}

/** All wallets, whatever partition they are in, each user's once. */
export async function* archivedWallets(sql: Sql, source: Source): AsyncGenerator<UserWallet[]> {
  for await (const userIds of usersWithCoupons(sql)) yield await walletsOf(sql, source, userIds);
  for await (const userIds of usersWithFields(sql, source)) {
    const wallets = await walletsOf(sql, source, userIds);
    yield wallets.filter(({ coupons }) => coupons.length === 0);
  }
}

/** The records of a partition but wallets, promotions and the due set. */
export async function* archivedOthers(sql: Sql, id: PartitionId): AsyncGenerator<RebuiltRecord[]> {
  for await (const rows of fieldPages(sql, id)) yield recordsOf(rows);
}

/** The part of the due set that these records make: a reserved order is due when its head says. */
export function dueRecord(records: readonly RebuiltRecord[]): RebuiltRecord {
  const due = new Map<string, Buffer>();
  for (const { target, id, fields } of records) {
    const head = target === 'order' ? fields.get(ORDER_FIELDS.head.name) : undefined;
    if (head === undefined) continue;
    const { state, dueAtMs } = decodeRedemption(head);
    if (state === 'reserved' && dueAtMs > 0) due.set(id, Buffer.from(String(dueAtMs)));
  }
  return { target: 'due', id: '', fields: due };
}

/** The records of a partition's promotions. */
export async function archivedPromotions(sql: Sql, id: PartitionId): Promise<RebuiltRecord[]> {
  const { generation, partition } = id;
  const rows = await sql<FieldRow[]>`
    SELECT target, id, field, value FROM ledger_field
    WHERE generation = ${generation} AND partition = ${partition} AND target = 'promotion' AND NOT retired`;
  const counters = await sql<CounterRecord[]>`
    SELECT promotion_ref, issued, seq, received, received_seq FROM promotion_counter
    WHERE generation = ${generation} AND partition = ${partition}`;
  const records = new Map(recordsOf(rows).map((record) => [record.id, new Map(record.fields)]));
  for (const counter of counters) {
    const ref = String(counter.promotion_ref);
    const fields = records.get(ref) ?? new Map<string, Buffer>();
    records.set(ref, fields);
    if (Number(counter.seq) >= 0) fields.set(PROMOTION_FIELDS.issued.name, Buffer.from(counter.issued));
    if (Number(counter.received_seq) >= 0)
      fields.set(PROMOTION_FIELDS.received.name, Buffer.from(counter.received ?? ''));
  }
  return [...records].map(([ref, fields]) => ({ target: 'promotion', id: ref, fields }));
}

interface CounterRecord {
  readonly promotion_ref: number;
  readonly issued: string;
  readonly seq: string;
  readonly received: string | null;
  readonly received_seq: string;
}

async function* usersWithCoupons(sql: Sql): AsyncGenerator<string[]> {
  for (let after = ''; ; ) {
    const rows = await sql<{ user_id: string }[]>`
      SELECT DISTINCT user_id FROM coupon WHERE user_id > ${after} ORDER BY user_id LIMIT ${REBUILD_USERS_PER_PAGE}`;
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map((row) => row.user_id);
    after = last.user_id;
  }
}

async function* usersWithFields(sql: Sql, { generation, partitions }: Source): AsyncGenerator<string[]> {
  for (let partition = 0; partition < partitions; partition += 1) {
    for (let after = ''; ; ) {
      const rows = await sql<{ id: string }[]>`
        SELECT DISTINCT id FROM ledger_field
        WHERE generation = ${generation} AND partition = ${partition} AND target = 'wallet' AND id > ${after}
        ORDER BY id LIMIT ${REBUILD_USERS_PER_PAGE}`;
      const last = rows.at(-1);
      if (last === undefined) break;
      yield rows.map((row) => row.id);
      after = last.id;
    }
  }
}

async function walletsOf(
  sql: Sql,
  { generation, partitions }: Source,
  userIds: readonly string[],
): Promise<UserWallet[]> {
  const wallets: UserWallet[] = [];
  for (const [partition, own] of Map.groupBy(userIds, (userId) => partitionOf(userId, partitions))) {
    const read = await readArchivedWallets(sql, { generation, partition }, own);
    for (const [index, wallet] of read.entries()) wallets.push({ ...wallet, userId: own[index] ?? '' });
  }
  return wallets;
}

async function* fieldPages(sql: Sql, { generation, partition }: PartitionId): AsyncGenerator<FieldRow[]> {
  let after: { target: string; id: string; field: Buffer } = { target: '', id: '', field: Buffer.alloc(0) };
  for (;;) {
    const rows = await sql<FieldRow[]>`
      SELECT target, id, field, value FROM ledger_field
      WHERE generation = ${generation} AND partition = ${partition} AND target NOT IN ('wallet', 'promotion')
        AND NOT retired AND (target, id, field) > (${after.target}, ${after.id}, ${after.field})
      ORDER BY target, id, field LIMIT ${REBUILD_FIELDS_PER_PAGE}`;
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = last;
  }
}

function recordsOf(rows: readonly FieldRow[]): RebuiltRecord[] {
  const byName = Map.groupBy(rows, ({ target, id }) => `${target}\0${id}`);
  return [...byName.values()].flatMap((own) => {
    const [first] = own;
    if (first === undefined) return [];
    const fields = new Map(own.map(({ field, value }) => [field.toString('latin1'), value]));
    return [{ target: first.target, id: first.id, fields }];
  });
}
