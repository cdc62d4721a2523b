/** Jobs and readers of the archive over a ledger of four partitions: what is due, what is over, and what is told. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runAudit } from '../../src/archive/audit.ts';
import { type ListPosition, listEvents } from '../../src/archive/list-events.ts';
import { ArchivePlaces } from '../../src/archive/places.ts';
import { type ArchiveRole, createArchiveRole } from '../../src/archive/role.ts';
import { createDatabase, type Sql } from '../../src/database/client.ts';
import { archiveProgress } from '../../src/definitions/store/archive-progress.ts';
import { MS_PER_DAY } from '../../src/domain/durations.ts';
import { decodeCursor, encodeCursor, type FeedPosition } from '../../src/feed/cursor.ts';
import { Feed } from '../../src/feed/feed.ts';
import { createExpiryJob } from '../../src/jobs/note-expiry.ts';
import { createRetireJob } from '../../src/jobs/retire-ledger.ts';
import { LedgerAdmin } from '../../src/ledger/admin.ts';
import type { ClaimedCoupon, ClaimRefusal } from '../../src/ledger/claim-operation.ts';
import { couponFieldHex } from '../../src/ledger/coupon-field.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { PartitionConnections } from '../../src/ledger/partition-connection.ts';
import { orderOf, usageOf, walletOf } from '../../src/ledger/transaction.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import { type RedisServer, startRedisServer } from '../../tools/servers/redis-server.ts';
import { EVERY_EVENT, EVERY_HAPPENING, runOnce } from '../archived-ledger.ts';
import { createTestDatabase } from '../database.ts';
import { definitionOf, LEDGER_SETTINGS, soon } from '../ledger-fixture.ts';

const PARTITIONS = 4;
const USERS = Array.from({ length: 24 }, (_, user) => `user-${user}`);
const PLACES = new ArchivePlaces(1, PARTITIONS);
const SETTINGS = { ...LEDGER_SETTINGS, partitions: PARTITIONS };

let server: RedisServer;
let connections: PartitionConnections;
let ledger: Ledger;
let sql: Sql;
let role: ArchiveRole;
let archiveMetrics: Metrics;

beforeAll(async () => {
  const [redis, database] = await Promise.all([startRedisServer(), createTestDatabase()]);
  server = redis;
  const settings = { ...SETTINGS, url: server.url };
  const logger = pino({ level: 'silent' });
  const pool = { maxConnections: 4, statementTimeoutMs: 10_000, connectTimeoutMs: 5_000 };
  sql = createDatabase(database.url, { applicationName: 'test', ...pool });
  connections = new PartitionConnections(settings, 'test-keeper', () => undefined);
  await connections.start(10_000);
  archiveMetrics = createMetrics({ version: 'test', node: process.version });
  role = createArchiveRole({
    databaseUrl: database.url,
    ledgerAdmin: ({ partition }) => adminOf(partition),
    metrics: archiveMetrics,
    logger,
    config: { generation: 1, partitions: PARTITIONS, owner: randomUUID(), flushIntervalMs: 0 },
    nowMs: () => Date.now(),
  });
  role.start();
  ledger = new Ledger({
    settings,
    metrics: createMetrics({ version: 'test', node: process.version }),
    logger,
    defineMissing: async () => false,
    nowMs: () => Date.now(),
  });
  await ledger.start(10_000);
  await ledger.define(definitionOf({ quantity: 1_000, perUserLimit: 2 }), soon());
  const answers = await Promise.all(USERS.map((userId) => claim(userId)));
  expect(answers.filter((answer) => !('couponId' in answer))).toEqual([]);
});

afterAll(async () => {
  await ledger.close();
  await role.stop();
  connections.close();
  await sql.end({ timeout: 1 });
  await server.stop();
});

function adminOf(partition: number): LedgerAdmin {
  return new LedgerAdmin(connections.of(partition), 1, partition, PARTITIONS);
}

async function claim(userId: string): Promise<ClaimedCoupon | ClaimRefusal> {
  const { promise, resolve } = Promise.withResolvers<ClaimedCoupon | ClaimRefusal>();
  const fieldHex = couponFieldHex('claim', userId, 'r1');
  const listener = { claimed: resolve, refused: resolve };
  ledger.claim({ promotionRef: 1, userId, fieldHex, deadlineMs: soon(), facts: undefined, listener });
  return await promise;
}

/** Resolves when Postgres has everything of every partition. */
async function archived(): Promise<void> {
  const { all } = PLACES;
  const last = await Promise.all(all.map(({ partition }) => adminOf(partition).lastSeq()));
  for (;;) {
    const cursors = await archiveProgress(sql).readCursors(soon());
    if (last.every((seq, partition) => (cursors[partition] ?? -1) >= (seq ?? 0))) return;
    await sleep(20);
  }
}

async function breaches(): Promise<unknown[]> {
  await archived();
  const reports = [];
  for (const id of PLACES.all) reports.push(await runAudit({ sql, ledger: adminOf(id.partition), id }));
  return reports.flatMap(({ checks }) => checks.flatMap((check) => check.breaches));
}

/** A ledger of as many partitions, opened by hand, whose events no archive judges. */
async function unarchived(): Promise<{ ledger: Ledger; close(): Promise<void> }> {
  const redis = await startRedisServer();
  const settings = { ...SETTINGS, url: redis.url };
  const keepers = new PartitionConnections(settings, 'test-keeper', () => undefined);
  await keepers.start(10_000);
  for (const { partition } of PLACES.all) {
    const admin = new LedgerAdmin(keepers.of(partition), 1, partition, PARTITIONS);
    await admin.open(await admin.serverRunId());
  }
  const own = new Ledger({
    settings,
    metrics: createMetrics({ version: 'test', node: process.version }),
    logger: pino({ level: 'silent' }),
    defineMissing: async () => false,
    nowMs: () => Date.now(),
  });
  await own.start(10_000);
  const close = async (): Promise<void> => {
    await own.close();
    keepers.close();
    await redis.stop();
  };
  return { ledger: own, close };
}

describe('a ledger of four partitions (SPEC C9)', { shuffle: false }, () => {
  it('keeps each user in one of them, and uses all', async () => {
    const keepers = new Set(USERS.map((userId) => ledger.partitionOf(userId)));
    expect(keepers.size).toBe(PARTITIONS);
    for (const { partition } of PLACES.all) {
      const { userIds } = await adminOf(partition).scanWalletUsers('0');
      expect(userIds.every((userId) => ledger.partitionOf(userId) === partition)).toBe(true);
    }
    const [stock] = await ledger.reads.stock([1], USERS[0]);
    expect(stock).toMatchObject({ issued: USERS.length, claimedByUser: 1 });
    const kept = await ledger.reads.keptWallets(USERS);
    expect(kept.every(({ coupons }) => coupons.length > 0)).toBe(true);
    expect(await breaches()).toEqual([]);
  });

  // C5: what one partition suffers from must not hide behind the others.
  it('shows each of them by itself', async () => {
    await archived();
    const shown = await archiveMetrics.registry.metrics();
    for (const { partition } of PLACES.all) {
      expect(shown).toContain(`promo_archive_owner{partition="${partition}"} 1\n`);
      for (const name of ['oldest_unflushed_seconds', 'quarantined_events', 'fork_detected'])
        expect(shown).toContain(`promo_archive_${name}{partition="${partition}"} `);
    }
  });

  it('answers a repeated claim from the same partition with the same coupon', async () => {
    const answers = await Promise.all(USERS.map((userId) => claim(userId)));
    expect(answers.every((answer) => 'isReplay' in answer && answer.isReplay)).toBe(true);
  });

  // LEDGER 8: a process that counts the partitions otherwise may not write.
  it('refuses a process with another number of partitions', async () => {
    const metrics = createMetrics({ version: 'test', node: process.version });
    const ports = {
      metrics,
      logger: pino({ level: 'silent' }),
      defineMissing: async () => false,
      nowMs: Date.now,
    };
    const other = new Ledger({ ...ports, settings: { ...SETTINGS, partitions: 1, url: server.url } });
    await other.start(5_000);
    const steps = [
      { kind: 'set', on: walletOf('ann'), field: Buffer.from('?'), value: Buffer.from('1') },
    ] as const;
    const attempt = other.transact({ event: 'facts_changed', opensNew: false, steps }, Date.now() + 300);
    await expect(attempt).rejects.toMatchObject({
      reason: expect.stringMatching(/LEDGER_CLOSED|DEADLINE_EXCEEDED/),
    });
    await other.close();
    const opening = new LedgerAdmin(connections.of(0), 1, 0, 2);
    await expect(opening.open(await opening.serverRunId())).rejects.toThrow(
      'another number is made by a rebuild',
    );
  });

  it('finds what is due in all of them, adds up counters, and refuses what no partition holds', async () => {
    const own = await unarchived();
    await Promise.all(
      USERS.map((userId) => {
        const steps = [
          { kind: 'due', member: orderOf(userId, 'o').id, afterMs: 0 },
          { kind: 'add', on: usageOf(1), field: Buffer.from('n'), delta: 2 },
        ] as const;
        return own.ledger.transact({ event: 'order_noted', opensNew: false, steps }, soon());
      }),
    );
    const due = await own.ledger.reads.dueOrders(own.ledger.nowMs() + 10_000, 100);
    expect(due.toSorted()).toEqual(USERS.map((userId) => orderOf(userId, 'o').id).toSorted());
    const counters = [{ on: usageOf(1), fields: [Buffer.from('n'), Buffer.from('z')] }];
    expect(await own.ledger.reads.counters(counters)).toEqual([[2 * USERS.length, null]]);
    const steps = [{ kind: 'add', on: usageOf(1), field: Buffer.from('n'), delta: -1 }] as const;
    const lost = own.ledger.transact({ event: 'order_noted', opensNew: false, steps }, soon());
    await expect(lost).rejects.toThrow(TypeError);
    await own.close();
  });

  // SPEC L12
  it('feeds everything once and in the order of each user, however it is cut', async () => {
    await archived();
    const beginning: FeedPosition = {
      generation: 1,
      logs: PLACES.all.map(() => ({ seq: -1, index: 0xff_ff, part: 0 })),
      notice: 0,
    };
    const feed = new Feed(sql, PLACES);
    const read = async (limit: number): Promise<string[]> => {
      const ids: string[] = [];
      for (let position = beginning; ; ) {
        const batch = await feed.read(
          decodeCursor(encodeCursor(position)),
          EVERY_HAPPENING,
          { limit },
          soon(),
        );
        if (batch.items.length === 0) return ids;
        ids.push(...batch.items.map(({ eventId }) => eventId));
        position = batch.position;
      }
    };
    const whole = await read(1_000);
    expect(whole.length).toBeGreaterThanOrEqual(USERS.length);
    expect(new Set(whole).size).toBe(whole.length);
    for (const limit of [1, 7]) expect((await read(limit)).toSorted()).toEqual(whole.toSorted());
    await expect(feed.requireKept(beginning, soon())).resolves.toBeUndefined();
  });

  it('lists the events of all logs newest first, page by page', async () => {
    await archived();
    const list = async (limit: number): Promise<string[]> => {
      const found: string[] = [];
      let lastMs = Number.POSITIVE_INFINITY;
      for (let below: ListPosition | undefined; ; ) {
        const page = await listEvents(
          { sql, places: PLACES, filter: EVERY_EVENT, deadlineMs: soon() },
          { below, limit },
        );
        for (const { partition, seq, eventIndex, timeMs } of page.events) {
          expect(timeMs).toBeLessThanOrEqual(lastMs);
          lastMs = timeMs;
          found.push(`${partition}-${seq}-${eventIndex}`);
        }
        if (page.next === undefined) return found;
        below = page.next;
      }
    };
    const whole = await list(1_000);
    expect(new Set(whole).size).toBe(whole.length);
    expect(whole.length).toBeGreaterThan(USERS.length);
    for (const limit of [1, 5]) expect(await list(limit)).toEqual(whole);
  });

  // LEDGER 25
  it('notes what expired and takes what is over out of every partition', async () => {
    await archived();
    const later = Date.now() + 200 * MS_PER_DAY;
    const expiry = createExpiryJob(
      {
        sql,
        places: PLACES,
        batch: 5,
        metrics: createMetrics({ version: 'test', node: process.version }),
        nowMs: Date.now,
      },
      { name: 'expire-coupons', times: { kind: 'every', everyMs: 1_000 }, isEnabled: true },
    );
    expect(await runOnce(expiry, later)).toMatchObject({ expired: USERS.length });
    const retire = createRetireJob({
      sql,
      places: PLACES,
      ledger,
      days: 90,
      cron: '0 3 * * *',
      timeZone: 'UTC',
      nowMs: Date.now,
    });
    expect(await runOnce(retire, later)).toMatchObject({ coupons: USERS.length });
    const kept = await ledger.reads.keptWallets(USERS);
    expect(kept.map(({ coupons, retired }) => [coupons.length, retired])).toEqual(USERS.map(() => [0, 1]));
    expect(await breaches()).toEqual([]);
  });
});
