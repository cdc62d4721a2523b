import type { Sql } from '../../database/client.ts';
import type { LedgerAdmin, PartitionId, RecordClass } from '../ledger-port.ts';

/** Users or records compared at once: one pipeline to Redis and one statement to Postgres. */
export const PAGE_IDS = 500;

/** Every user who has a wallet in Redis, page by page; a user may come twice. */
export async function* walletUsers(ledger: LedgerAdmin): AsyncGenerator<readonly string[]> {
  let cursor = '0';
  do {
    const page = await ledger.scanWalletUsers(cursor);
    yield page.userIds;
    cursor = page.cursor;
  } while (cursor !== '0');
}

/** Every user who has a coupon in Postgres, page by page. */
export async function* archivedUsers(
  sql: Sql,
  { partition }: PartitionId,
): AsyncGenerator<readonly string[]> {
  for (let after = ''; ; ) {
    const rows = await sql<{ user_id: string }[]>`
      SELECT DISTINCT user_id FROM coupon WHERE user_id > ${after} AND partition = ${partition}
      ORDER BY user_id LIMIT ${PAGE_IDS}`;
    if (rows.length === 0) return;
    yield rows.map((row) => row.user_id);
    after = rows.at(-1)?.user_id ?? '';
  }
}

/** Every record of a class in Redis, page by page; one may come twice. */
export async function* liveRecords(
  ledger: LedgerAdmin,
  target: RecordClass | 'due',
): AsyncGenerator<readonly string[]> {
  let cursor = '0';
  do {
    const page = await (target === 'due' ? ledger.scanDue(cursor) : ledger.scanRecords(target, cursor));
    yield page.ids;
    cursor = page.cursor;
  } while (cursor !== '0');
}

/** Every record of a class in Postgres, page by page. */
export async function* archivedRecords(
  sql: Sql,
  { generation, partition }: PartitionId,
  target: RecordClass,
): AsyncGenerator<readonly string[]> {
  for (let after = ''; ; ) {
    const rows = await sql<{ id: string }[]>`
      SELECT DISTINCT id FROM ledger_field
      WHERE generation = ${generation} AND partition = ${partition} AND target = ${target} AND id > ${after}
      ORDER BY id LIMIT ${PAGE_IDS}`;
    if (rows.length === 0) return;
    yield rows.map((row) => row.id);
    after = rows.at(-1)?.id ?? '';
  }
}

/** Every order in the table of orders, as `<user>/<order>`, page by page. */
export async function* archivedOrders(
  sql: Sql,
  { generation, partition }: PartitionId,
): AsyncGenerator<readonly string[]> {
  for (let after = { user_id: '', order_id: '' }; ; ) {
    const rows = await sql<{ user_id: string; order_id: string }[]>`
      SELECT user_id, order_id FROM redemption
      WHERE generation = ${generation} AND partition = ${partition}
        AND (user_id, order_id) > (${after.user_id}, ${after.order_id})
      ORDER BY user_id, order_id LIMIT ${PAGE_IDS}`;
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map((row) => `${row.user_id}/${row.order_id}`);
    after = last;
  }
}

/** Cuts a list of ids into pages. */
export function* pagesOf(ids: Iterable<string>): Generator<readonly string[]> {
  let page: string[] = [];
  for (const id of ids) {
    page.push(id);
    if (page.length < PAGE_IDS) continue;
    yield page;
    page = [];
  }
  yield page;
}
