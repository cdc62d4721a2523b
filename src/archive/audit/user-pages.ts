import type { Sql } from '../../database/client.ts';
import type { LedgerAdmin, PartitionId } from '../ledger-port.ts';

/** Users compared at once: one pipeline to Redis and one statement to Postgres. */
const PAGE_USERS = 500;

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
      ORDER BY user_id LIMIT ${PAGE_USERS}`;
    if (rows.length === 0) return;
    yield rows.map((row) => row.user_id);
    after = rows.at(-1)?.user_id ?? '';
  }
}

/** Cuts a list of users into pages. */
export function* pagesOf(userIds: Iterable<string>): Generator<readonly string[]> {
  let page: string[] = [];
  for (const userId of userIds) {
    page.push(userId);
    if (page.length < PAGE_USERS) continue;
    yield page;
    page = [];
  }
  yield page;
}
