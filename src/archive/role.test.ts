import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import postgres from 'postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  definitionOf,
  type LedgerFixture,
  reasonOf,
  soon,
  startLedgerFixture,
} from '../../test/ledger-fixture.ts';
import { createMigrated, startOwnPostgres } from '../../test/own-postgres.ts';
import type { PostgresServer } from '../../tools/servers/postgres-server.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { runAudit } from './audit.ts';
import { type ArchiveRole, createArchiveRole } from './role.ts';

const ID = { generation: 1, partition: 0 };

let fixture: LedgerFixture;
let server: PostgresServer;
let url: string;
const roles: ArchiveRole[] = [];

beforeEach(async () => {
  [fixture, server] = await Promise.all([startLedgerFixture(), startOwnPostgres()]);
  url = await createMigrated(server);
});

afterEach(async () => {
  await Promise.all(roles.splice(0).map((role) => role.stop()));
  await Promise.all([fixture.close(), server.stop()]);
});

function startRole(owner: string): ArchiveRole {
  const role = createArchiveRole({
    databaseUrl: url,
    ledgerAdmin: () => fixture.admin,
    metrics: createMetrics({ version: 'test', node: process.version }),
    logger: pino({ level: 'silent' }),
    config: { generation: 1, partitions: 1, owner },
    nowMs: () => Date.now(),
  });
  roles.push(role);
  role.start();
  return role;
}

async function query<Row extends object>(text: (sql: postgres.Sql) => PromiseLike<Row[]>): Promise<Row[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await text(sql);
  } finally {
    await sql.end();
  }
}

async function archivedCoupons(): Promise<number> {
  const [row] = await query((sql) => sql<{ coupons: number }[]>`SELECT count(*)::int AS coupons FROM coupon`);
  return row?.coupons ?? 0;
}

async function untilArchived(coupons: number): Promise<void> {
  while ((await archivedCoupons()) < coupons) await sleep(20);
}

/** Claims until they are taken: a closed partition and a restarting Redis answer "unknown, ask again". */
async function claimAll(prefix: string, count: number): Promise<void> {
  const users = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
  await Promise.all(users.map((user) => claimOne(user)));
}

async function claimOne(user: string): Promise<void> {
  for (;;) {
    const outcome = await fixture.claim({ user, request: 'r1' }).then(reasonOf);
    if (outcome === 'claimed') return;
    await sleep(20);
  }
}

test('a role that stops gives the partition back, and the next one goes on', async () => {
  await fixture.ledger.define(definitionOf({ quantity: 1_000 }), soon());
  const first = startRole('first');
  await claimAll('a', 20);
  await untilArchived(20);
  startRole('second');
  await first.stop();
  const [cursor] = await query(
    (sql) => sql`SELECT owner FROM ledger_cursor WHERE owner IS DISTINCT FROM 'first'`,
  );
  expect(cursor).toBeDefined();
  await claimAll('b', 20);
  await untilArchived(40);
  expect(await archivedCoupons()).toBe(40);
});

// SPEC C4: after kill -9 of any process the archive equals the ledger.
test('Postgres and Redis killed in the middle of claims lose nothing and double nothing', async () => {
  await fixture.ledger.define(definitionOf({ quantity: 10_000 }), soon());
  startRole('only');
  const claims = [claimAll('a', 100)];
  await untilArchived(1);
  claims.push(claimAll('b', 100));
  await server.kill();
  claims.push(claimAll('c', 100));
  await sleep(100);
  await server.restart();
  await untilArchived(150);
  claims.push(claimAll('d', 100));
  await fixture.server.kill();
  await fixture.server.restart();
  await Promise.all(claims);
  await untilArchived(400);
  expect(await archivedCoupons()).toBe(400);
  const report = await query(async (sql) => [await runAudit({ sql, ledger: fixture.admin, id: ID })]);
  expect(report[0]?.checks.flatMap((check) => check.breaches)).toEqual([]);
});
