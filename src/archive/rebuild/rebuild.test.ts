/** Rebuilds between a real Redis and a real Postgres: what they refuse, what they survive, and what there is afterwards. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { archiverOf } from '../../../test/archived-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import {
  definitionOf,
  isClaimed,
  type LedgerFixture,
  reasonOf,
  soon,
  startLedgerFixture,
} from '../../../test/ledger-fixture.ts';
import { redisRecords } from '../../../test/redis-records.ts';
import { createDatabase, type Sql } from '../../database/client.ts';
import { LedgerAdmin } from '../../ledger/admin.ts';
import { partitionKeys } from '../../ledger/keys.ts';
import { RebuildTarget } from '../../ledger/rebuild-target.ts';
import { ArchiveClient } from '../archive-client.ts';
import type { Archiver } from '../archiver.ts';
import { formatReport } from '../audit/audit-report.ts';
import { runAudit } from '../audit.ts';
import { makeGeneration } from './new-generation.ts';
import type { RebuildPorts } from './rebuild-ports.ts';
import { rebuildPostgres } from './rebuild-postgres.ts';
import { rebuildRedis } from './rebuild-redis.ts';

const ID = { generation: 1, partition: 0 };
const ORDER = { generation: 1, partitions: 1, isConfirmed: true };
const KEYS = partitionKeys(0);

let fixture: LedgerFixture;
let database: TestDatabase;
let sql: Sql;
let client: ArchiveClient;
let archiver: Archiver;
let lines: string[];

beforeEach(async () => {
  [fixture, database] = await Promise.all([startLedgerFixture(), createTestDatabase()]);
  sql = createDatabase(database.url, {
    applicationName: 'test',
    maxConnections: 2,
    statementTimeoutMs: 20_000,
    connectTimeoutMs: 5_000,
  });
  client = new ArchiveClient(database.url);
  archiver = newArchiver('archive');
  lines = [];
  await sql`UPDATE ledger_generation SET partitions = 1`;
  await fixture.ledger.define(definitionOf({ quantity: 50, perUserLimit: 3 }), soon());
});
afterEach(async () => {
  await client.close();
  await sql.end({ timeout: 1 });
  await Promise.all([fixture.close(), database.drop()]);
});

function newArchiver(owner: string): Archiver {
  return archiverOf(client, fixture.admin, { owner, flushIntervalMs: 0 });
}

function ports(changes: Partial<RebuildPorts> = {}): RebuildPorts {
  return {
    sql,
    client,
    target: (partition) => new RebuildTarget(fixture.redis, partition, 'test'),
    ledger: ({ generation, partition }, partitions) =>
      new LedgerAdmin(fixture.redis, generation, partition, partitions),
    connected: () => Promise.resolve([]),
    owner: 'rebuild',
    say: (line) => lines.push(line),
    nowMs: Date.now,
    ...changes,
  };
}

async function claim(user: string, request = 'r1'): Promise<string> {
  const answer = await fixture.claim({ user, request });
  return isClaimed(answer) ? answer.couponId : reasonOf(answer);
}

async function archiveAll(keeper = archiver): Promise<void> {
  for (;;) {
    await sleep(await keeper.turn());
    const [cursor] = await sql<{ seq: string }[]>`SELECT seq FROM ledger_cursor WHERE generation = 1`;
    if (Number(cursor?.seq ?? -1) === (await fixture.admin.lastSeq())) return;
  }
}

async function audited(id = ID, partitions = 1): Promise<string> {
  const ledger = new LedgerAdmin(fixture.redis, id.generation, id.partition, partitions);
  const report = await runAudit({ sql, ledger, id });
  return report.holds ? 'holds' : formatReport(report);
}

async function claimsArchived(users: readonly string[]): Promise<string[]> {
  const coupons = [];
  for (const user of users) coupons.push(await claim(user));
  await archiveAll();
  return coupons;
}

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`);

// LEDGER 17, SPEC C4
describe('rebuild redis', () => {
  it('fills an emptied Redis from the projections alone, and claims go on where they were', async () => {
    const coupons = await claimsArchived(names('u', 20));
    const before = await redisRecords(fixture.redis);
    const lastSeq = await fixture.admin.lastSeq();
    await archiver.giveBack();
    // The log is no help: what is older than a while is detached.
    await sql`DELETE FROM event_log WHERE seq < ${lastSeq ?? 0}`;
    await fixture.redis.flushall();
    expect(await rebuildRedis(ports(), { ...ORDER, isConfirmed: false })).toBe('only looked');
    expect(await redisRecords(fixture.redis)).toEqual({});
    expect(await rebuildRedis(ports(), ORDER)).toBe('rebuilt');
    expect(await redisRecords(fixture.redis)).toEqual(before);
    await archiveAll(newArchiver('next'));
    // L5: request ids of before are answered with the coupons of before.
    expect(await claim('u3')).toBe(coupons[3]);
    expect(await claim('v')).toMatch(/^[0-9a-f]{44}$/);
    expect(await fixture.admin.lastSeq()).toBe((lastSeq ?? 0) + 1);
    expect(await fixture.redis.hget(`${KEYS.promotionPrefix}1`, 'issued')).toBe('21');
    expect(await rebuildRedis(ports(), ORDER)).toBe('nothing to do');
  });

  it('refuses while somebody archives, and while the partition is open', async () => {
    await claimsArchived(names('u', 3));
    await fixture.redis.flushall();
    await expect(rebuildRedis(ports(), ORDER)).rejects.toThrow(
      /archived by archive: stop all archive processes/,
    );
    await archiver.giveBack();
    await fixture.open();
    await expect(rebuildRedis(ports(), ORDER)).rejects.toThrow(/partition 0 is open/);
  });

  it('refuses while an event waits in quarantine', async () => {
    await claimsArchived(names('u', 3));
    await archiver.giveBack();
    await sql`INSERT INTO quarantine (generation, partition, seq, event_index, subject, error)
      VALUES (1, 0, 1, 0, 'user:u1', 'test')`;
    await fixture.redis.flushall();
    await expect(rebuildRedis(ports(), ORDER)).rejects.toThrow(/1 events wait in quarantine/);
  });

  it('begins anew where it was cut off, and until then the partition stays closed', async () => {
    await claimsArchived(names('u', 20));
    const before = await redisRecords(fixture.redis);
    await archiver.giveBack();
    await fixture.redis.flushall();
    const cut = ports({
      target: (partition) =>
        new Proxy(new RebuildTarget(fixture.redis, partition, 'cut'), {
          get: (target, name) => {
            if (name === 'finish') return () => Promise.reject(new Error('cut off'));
            const value: unknown = Reflect.get(target, name);
            return typeof value === 'function' ? value.bind(target) : value;
          },
        }),
    });
    await expect(rebuildRedis(cut, ORDER)).rejects.toThrow('cut off');
    expect(await fixture.claim({ user: 'w', request: 'r1', timeoutMs: 200 })).toMatchObject({
      reason: 'LEDGER_CLOSED',
    });
    expect(await rebuildRedis(ports(), ORDER)).toBe('rebuilt');
    expect(await redisRecords(fixture.redis)).toEqual(before);
    expect(await audited()).toBe('holds');
  });
});

// LEDGER 8
describe('a new generation', () => {
  it('closes the old one for good: neither its processes nor its archive go on', async () => {
    await claimsArchived(names('u', 10));
    await claim('late');
    await archiver.giveBack();
    expect(await makeGeneration(ports(), { partitions: 2, isConfirmed: false })).toBeUndefined();
    expect(await makeGeneration(ports(), { partitions: 2, isConfirmed: true })).toBe(2);
    expect(await audited({ generation: 2, partition: 0 }, 2)).toBe('holds');
    expect(await audited({ generation: 2, partition: 1 }, 2)).toBe('holds');
    // What came after the last look of the archive is there too.
    const [row] = await sql`SELECT count(*)::int AS coupons FROM coupon WHERE generation = 2`;
    expect(row?.['coupons']).toBe(11);
    for (const partition of [0, 1]) {
      const ledger = new LedgerAdmin(fixture.redis, 2, partition, 2);
      await ledger.open(await ledger.serverRunId());
    }
    expect(await fixture.claim({ user: 'w', request: 'r1', timeoutMs: 200 })).toMatchObject({
      reason: 'LEDGER_CLOSED',
    });
    const old = newArchiver('old');
    await old.turn();
    const [cursor] = await sql`SELECT owner FROM ledger_cursor WHERE generation = 1`;
    expect(cursor?.['owner']).toBe('closed by generation 2');
    await expect(fixture.admin.open(await fixture.admin.serverRunId())).rejects.toThrow(/GENERATION/);
  });

  it('refuses while processes are connected', async () => {
    await claimsArchived(names('u', 1));
    const order = { partitions: 2, isConfirmed: true };
    const busy = ports({ connected: () => Promise.resolve(['hongbao-ledger-claim']) });
    await expect(makeGeneration(busy, order)).rejects.toThrow(/hongbao-ledger-claim\): stop all/);
  });

  it('is begun anew where it was cut off, under another number', async () => {
    await claimsArchived(names('u', 10));
    await archiver.giveBack();
    const cut = ports({
      ledger: ({ generation, partition }, partitions) => {
        const ledger = new LedgerAdmin(fixture.redis, generation, partition, partitions);
        if (generation > 1) ledger.applyEntries = () => Promise.reject(new Error('cut off'));
        return ledger;
      },
    });
    await expect(makeGeneration(cut, { partitions: 2, isConfirmed: true })).rejects.toThrow('cut off');
    expect(await makeGeneration(ports(), { partitions: 2, isConfirmed: true })).toBe(3);
    expect(await audited({ generation: 3, partition: 0 }, 2)).toBe('holds');
    expect(await audited({ generation: 3, partition: 1 }, 2)).toBe('holds');
    const rows = await sql`SELECT generation, state FROM ledger_generation ORDER BY generation`;
    expect(rows.map((row) => row['state'])).toEqual(['closed', 'abandoned', 'current']);
  });
});

// LEDGER 16, F35
describe('rebuild postgres', () => {
  /** Brings Postgres back to what it is now, whatever happens in `meanwhile`. */
  async function restoredAfter(meanwhile: () => Promise<void>): Promise<void> {
    const tables = [
      'coupon',
      'ledger_field',
      'promotion_counter',
      'event_log',
      'ledger_cursor',
      'coupon_history',
    ];
    for (const table of tables) await sql`CREATE TABLE ${sql(`kept_${table}`)} AS TABLE ${sql(table)}`;
    await meanwhile();
    for (const table of tables) {
      await sql`DELETE FROM ${sql(table)}`;
      await sql`INSERT INTO ${sql(table)} SELECT * FROM ${sql(`kept_${table}`)}`;
    }
    await sql`UPDATE ledger_cursor SET owner = NULL, lease_until = NULL`;
  }

  it('notes what is lost, and has everything Redis holds; the audit tells of the hole and is clean', async () => {
    await claimsArchived(names('u', 5));
    await restoredAfter(async () => {
      await claimsArchived(names('v', 10));
      await claim('u1', 'r2');
      await archiveAll();
      await archiver.giveBack();
      await fixture.admin.trimBelow((await fixture.admin.lastSeq()) ?? 0);
    });
    const stopped = newArchiver('stopped');
    for (let turn = 0; turn < 5; turn += 1) await stopped.turn();
    await stopped.giveBack();
    expect(await audited()).not.toBe('holds');
    const before = await redisRecords(fixture.redis);
    const order = { ...ORDER, isForced: false };
    expect(await rebuildPostgres(ports(), { ...order, isConfirmed: false })).toBe('only looked');
    expect(await rebuildPostgres(ports(), order)).toBe('rebuilt');
    await archiveAll(newArchiver('next'));
    const report = await runAudit({ sql, ledger: fixture.admin, id: ID });
    expect(report.holds, formatReport(report)).toBe(true);
    expect(formatReport(report)).toMatch(/entries 7 to 16 \(10 events\) are in no log/);
    const [row] = await sql`SELECT count(*)::int AS coupons FROM coupon`;
    expect(row?.['coupons']).toBe(16);
    expect(Object.keys(await redisRecords(fixture.redis))).toEqual(Object.keys(before));
    // Now Redis may be lost again.
    await fixture.redis.flushall();
    await sql`UPDATE ledger_cursor SET owner = NULL, lease_until = NULL`;
    expect(await rebuildRedis(ports(), ORDER)).toBe('rebuilt');
    expect(await audited()).toBe('holds');
    expect(await rebuildPostgres(ports(), order)).toBe('nothing to do');
  });

  it('goes on where it was cut off', async () => {
    await claimsArchived(names('u', 2));
    await restoredAfter(async () => {
      await claimsArchived(names('v', 3));
      await archiver.giveBack();
      await fixture.admin.trimBelow((await fixture.admin.lastSeq()) ?? 0);
    });
    const cut = ports({
      target: (partition) =>
        Object.assign(new RebuildTarget(fixture.redis, partition, 'cut'), {
          records: () => {
            throw new Error('cut off');
          },
        }),
    });
    const order = { ...ORDER, isForced: false };
    await expect(rebuildPostgres(cut, order)).rejects.toThrow('cut off');
    const half = await audited();
    expect(half).toContain('run "hongbao rebuild postgres"');
    expect(await rebuildPostgres(ports(), order)).toBe('rebuilt');
    expect(await audited()).toBe('holds');
  });
});
