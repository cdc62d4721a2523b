/** A Postgres that is away for long: what is still taken, and that Redis does not grow without end. SPEC C4, LEDGER 14, F21, I14 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ArchiveClient } from '../../src/archive/archive-client.ts';
import type { Archiver } from '../../src/archive/archiver.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import { accountOf, type Transaction } from '../../src/ledger/transaction.ts';
import type { PostgresServer } from '../../tools/servers/postgres-server.ts';
import { archiverOf } from '../archived-ledger.ts';
import { definitionOf, type LedgerFixture, reasonOf, soon, startLedgerFixture } from '../ledger-fixture.ts';
import { createMigrated, startOwnPostgres } from '../own-postgres.ts';

const LIMIT = 100;
const CLAIMS_AT = 60;
const RESERVATIONS_AT = 80;
const TIMEOUT = { timeout: 120_000 };

let fixture: LedgerFixture;
let postgres: PostgresServer;
let client: ArchiveClient;
let archiver: Archiver;

beforeAll(async () => {
  const settings = { claimBacklogEvents: CLAIMS_AT, reservationBacklogEvents: RESERVATIONS_AT };
  [fixture, postgres] = await Promise.all([startLedgerFixture({ settings }), startOwnPostgres()]);
  const url = await createMigrated(postgres);
  client = new ArchiveClient(url, 500);
  archiver = archiverOf(client, fixture.admin, { flushIntervalMs: 0 });
  await fixture.ledger.define(definitionOf({ quantity: 1_000 }), soon());
}, 120_000);
afterAll(async () => {
  await client.close();
  await Promise.all([fixture.close(), postgres.stop()]);
});

async function waiting(): Promise<number> {
  const [events, archived] = await fixture.redis.hmget('{p0}meta', 'events', 'archivedEvents');
  return Number(events) - Number(archived ?? 0);
}

async function archiveAll(): Promise<void> {
  while ((await waiting()) > 0) await sleep(await archiver.turn());
}

async function write(userId: string, event: Transaction['event'], opensNew: boolean): Promise<string> {
  const on = accountOf(userId);
  const steps = [{ kind: 'set', on, field: Buffer.from('test'), value: Buffer.from(event) }] as const;
  try {
    return (await fixture.ledger.transact({ event, opensNew, steps }, soon())).kind;
  } catch (error) {
    return error instanceof Refusal ? error.reason : String(error);
  }
}

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

async function claimAll(users: readonly string[]): Promise<string[]> {
  return (await Promise.all(users.map((user) => fixture.claim({ user, request: 'r1' })))).map(reasonOf);
}

it(
  'claims close at 60 %, what begins something at 80 %, what ends something never; all open again',
  TIMEOUT,
  async () => {
    await archiveAll();
    await postgres.kill();
    const claims = await claimAll(names('u', LIMIT));
    expect(claims.filter((reason) => reason === 'claimed')).toHaveLength(CLAIMS_AT);
    expect(new Set(claims)).toEqual(new Set(['claimed', 'ARCHIVE_BACKLOG']));
    // A replay is no new event: whoever has a coupon hears of it.
    const first = claims.indexOf('claimed');
    expect(await claimAll([`u${first}`])).toEqual(['claimed']);

    const holds = [];
    for (const user of names('h', 40)) holds.push(await write(user, 'reserved', true));
    expect(holds.filter((kind) => kind === 'done')).toHaveLength(RESERVATIONS_AT - CLAIMS_AT);
    expect(new Set(holds)).toEqual(new Set(['done', 'ARCHIVE_BACKLOG']));
    for (const event of ['committed', 'released', 'returned'] as const)
      expect(await write('h0', event, false)).toBe('done');

    // I14: refusing costs Redis nothing, however long it goes on.
    const before = await fixture.redis.xlen('{p0}stream');
    for (let round = 0; round < 5; round += 1) await claimAll(names(`more-${round}-`, 200));
    expect(await fixture.redis.xlen('{p0}stream')).toBe(before);
    expect(await fixture.redis.exists('{p0}w:more-0-0')).toBe(0);

    await postgres.restart();
    await archiveAll();
    expect(await claimAll(['late'])).toEqual(['claimed']);
    expect(await write('late', 'reserved', true)).toBe('done');
  },
);
