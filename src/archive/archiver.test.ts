import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { archiverOf } from '../../test/archived-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import {
  definitionOf,
  type LedgerFixture,
  reasonOf,
  soon,
  startLedgerFixture,
} from '../../test/ledger-fixture.ts';
import { ENTRY_FORMAT } from '../ledger/event-format.ts';
import { partitionKeys } from '../ledger/keys.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { ArchiveClient } from './archive-client.ts';
import type { Archiver, ArchiverDependencies } from './archiver.ts';
import { renewLease } from './lease.ts';
import { LEASE_MS, LEVEL_INTERVAL_MS, LEVEL_MARGIN_MS } from './limits.ts';
import { ArchivePlaces } from './places.ts';
import { readArchivedUntil } from './queries.ts';

const ID = { generation: 1, partition: 0 };
const KEYS = partitionKeys(0);
/** A promotion whose number does not fit the archive's column: the database refuses every event about it. */
const POISON_REF = 4_000_000_000;

let fixture: LedgerFixture;
let database: TestDatabase;
let sql: postgres.Sql;
const clients: ArchiveClient[] = [];

beforeEach(async () => {
  [fixture, database] = await Promise.all([startLedgerFixture(), createTestDatabase()]);
  sql = postgres(database.url, { max: 2, onnotice: () => {} });
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await sql.end();
  await Promise.all([fixture.close(), database.drop()]);
});

function newArchiver(
  changes: Partial<ArchiverDependencies> = {},
): Archiver & { metrics: ArchiverDependencies['metrics'] } {
  const client = new ArchiveClient(database.url);
  clients.push(client);
  const metrics = createMetrics({ version: 'test', node: process.version });
  const archiver = archiverOf(client, fixture.admin, { metrics, owner: 'first', ...changes });
  return Object.assign(archiver, { metrics });
}

function ownerOf({ metrics }: { readonly metrics: ArchiverDependencies['metrics'] }): number {
  return metrics.archiveOwner.child('0').read();
}

/** Takes turns until the condition holds; the test's own time limit ends a loop that never gets there. */
async function turnUntil(archiver: Archiver, isTrue: () => Promise<boolean> | boolean): Promise<void> {
  for (;;) {
    await sleep(await archiver.turn());
    if (await isTrue()) return;
  }
}

async function isLevel(): Promise<boolean> {
  const last = await fixture.admin.lastSeq().catch(() => undefined);
  return last !== undefined && (await cursorSeq()) === last;
}

async function cursorSeq(): Promise<number> {
  const [row] = await sql`SELECT seq FROM ledger_cursor`;
  return Number(row?.['seq'] ?? -1);
}

async function isOpen(): Promise<boolean> {
  const [running, openFor] = await Promise.all([
    fixture.admin.serverRunId(),
    fixture.admin.openRunId(),
  ]).catch(() => [1, 2]);
  return running === openFor;
}

async function claimAll(prefix: string, count: number, ref = 1): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}${index}`);
  const answers = await Promise.all(names.map((user) => fixture.claim({ user, request: 'r1', ref })));
  expect(new Set(answers.map(reasonOf))).toEqual(new Set(['claimed']));
}

async function archivedUsers(): Promise<string[]> {
  const rows = await sql`SELECT user_id FROM coupon ORDER BY user_id`;
  return rows.map((row) => String(row['user_id']));
}

/** A copy of Redis's files as they are now, to go back to. */
async function keepFiles(): Promise<() => Promise<void>> {
  const [, directory] = (await fixture.redis.config('GET', 'dir')) as [string, string];
  const kept = `${directory}-kept`;
  await cp(directory, kept, { recursive: true });
  return async () => {
    await fixture.server.kill();
    await rm(join(directory, 'appendonlydir'), { recursive: true });
    await cp(join(kept, 'appendonlydir'), join(directory, 'appendonlydir'), { recursive: true });
    await rm(kept, { recursive: true });
    await fixture.server.restart();
  };
}

describe('archiving', () => {
  // SPEC C4: state is flushed asynchronously, exactly once.
  test('claims reach Postgres, and the ledger is told how far', async () => {
    await fixture.ledger.define(definitionOf(), soon());
    await claimAll('u', 20);
    const archiver = newArchiver();
    await turnUntil(archiver, isLevel);
    expect(await archivedUsers()).toHaveLength(20);
    expect(archiver.metrics.couponsIssued.child('claim').value).toBe(20);
    const [meta] = await sql`SELECT seq, events_total FROM ledger_cursor`;
    expect(await fixture.redis.hmget(KEYS.meta, 'archivedSeq', 'archivedEvents', 'events')).toEqual([
      meta?.['seq'],
      meta?.['events_total'],
      meta?.['events_total'],
    ]);
  });

  // SPEC C9: one partition nothing happens in must not hold back what is known of all.
  test('a partition that is level with its stream counts as archived until now', async () => {
    const places = new ArchivePlaces(ID.generation, 1);
    const until = async (): Promise<number> => (await readArchivedUntil(sql, places, soon())) ?? 0;
    const clock = { aheadMs: 0 };
    const archiver = newArchiver({ elapsedMs: () => performance.now() + clock.aheadMs });
    await turnUntil(archiver, isLevel);
    const entryMs = await until();
    // The margin is over: what the server says now is later than the entry.
    fixture.admin.serverTimeMs = () => Promise.resolve(entryMs + LEVEL_MARGIN_MS + 60_000);
    clock.aheadMs += LEVEL_INTERVAL_MS;
    await archiver.turn();
    clock.aheadMs += LEASE_MS;
    await archiver.turn();
    expect(await until()).toBe(entryMs + 60_000);

    // Entries that wait are not archived: what was seen before them holds.
    await fixture.ledger.define(definitionOf(), soon());
    fixture.admin.serverTimeMs = () => Promise.resolve(entryMs + LEVEL_MARGIN_MS + 120_000);
    const seen = { seq: 0, atMs: entryMs + 90_000 };
    await turnUntil(archiver, isLevel);
    await renewLease(sql, ID, 1, LEASE_MS, seen);
    expect(await until()).toBe(entryMs + 60_000);
  });

  test('a partition that was never opened is opened, with the entry that starts it', async () => {
    await fixture.redis.flushall();
    const archiver = newArchiver();
    await turnUntil(archiver, async () => (await isOpen()) && (await isLevel()));
    expect(await cursorSeq()).toBe(0);
  });

  // LEDGER rule 16
  test('trims by time that has passed, not by a clock that was set an hour ahead (F26)', async () => {
    await fixture.ledger.define(definitionOf(), soon());
    await claimAll('u', 5);
    const clock = { aheadMs: 0 };
    const nowMs = (): number => Date.now() + clock.aheadMs;
    const archiver = newArchiver({ nowMs, elapsedMs: () => performance.now(), trimIntervalMs: 0 });
    await turnUntil(archiver, isLevel);
    clock.aheadMs = 3_600_000;
    await archiver.turn();
    await archiver.turn();
    expect(await fixture.admin.firstSeq()).toBe(0);
  });

  // LEDGER rule 16
  test('trims late, and never the entry at the cursor', async () => {
    await fixture.ledger.define(definitionOf(), soon());
    await claimAll('u', 5);
    const archiver = newArchiver({ trimMarginMs: 0, trimIntervalMs: 0 });
    await turnUntil(archiver, async () => (await isLevel()) && (await fixture.redis.xlen(KEYS.stream)) === 1);
    expect(await fixture.admin.firstSeq()).toBe(await cursorSeq());
    const patient = newArchiver({ owner: 'second' });
    await archiver.giveBack();
    await claimAll('v', 5);
    await turnUntil(patient, isLevel);
    expect(await fixture.redis.xlen(KEYS.stream)).toBeGreaterThan(1);
  });

  // LEDGER rule 19: one archiver per partition.
  test('a second archiver takes over when the lease lapses, and the first changes nothing any more', async () => {
    let nowMs = Date.now();
    const first = newArchiver({ leaseMs: 300_000, nowMs: () => nowMs });
    await turnUntil(first, isLevel);
    const second = newArchiver({ owner: 'second' });
    await second.turn();
    expect(ownerOf(second)).toBe(0);
    await sql`UPDATE ledger_cursor SET lease_until = now() - interval '1 second'`;
    await turnUntil(second, () => ownerOf(second) === 1);
    await fixture.ledger.define(definitionOf(), soon());
    await claimAll('u', 3);
    const before = await cursorSeq();
    await first.turn();
    expect(await cursorSeq()).toBe(before);
    await turnUntil(second, isLevel);
    nowMs += 300_000;
    await first.turn();
    expect(ownerOf(first)).toBe(0);
    expect(await archivedUsers()).toHaveLength(3);
  });

  test('connections that keep dying cost nothing and double nothing', async () => {
    await fixture.ledger.define(definitionOf({ quantity: 1_000 }), soon());
    const archiver = newArchiver();
    for (let round = 0; round < 5; round += 1) {
      await claimAll(`u${round}-`, 20);
      const turn = archiver.turn();
      await sql`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'hongbao archive'`;
      await turn;
    }
    await turnUntil(archiver, isLevel);
    expect(await archivedUsers()).toHaveLength(100);
    const [log] = await sql`SELECT count(*)::int AS entries, sum(event_count)::int AS events FROM event_log`;
    expect(log).toMatchObject({ entries: (await cursorSeq()) + 1, events: 102 });
  });
});

describe('the gate', () => {
  // LEDGER rule 15
  test('a restarted Redis is opened again when it holds the archived history', async () => {
    await fixture.ledger.define(definitionOf(), soon());
    await claimAll('u', 5);
    const archiver = newArchiver();
    await turnUntil(archiver, isLevel);
    await fixture.server.kill();
    await archiver.turn();
    await fixture.server.restart();
    await turnUntil(archiver, isOpen);
    await claimAll('v', 5);
    await turnUntil(archiver, isLevel);
    expect(await archivedUsers()).toHaveLength(10);
  });

  // F11, F34: an old backup of Redis.
  test('a Redis that lost its newest entries gets them back before it opens', async () => {
    await fixture.ledger.define(definitionOf({ quantity: 10 }), soon());
    await claimAll('u', 4);
    const goBack = await keepFiles();
    await claimAll('v', 6);
    const archiver = newArchiver();
    await turnUntil(archiver, isLevel);
    const before = await fixture.admin.readWalletFields('v3');
    await goBack();
    await turnUntil(archiver, isOpen);
    expect(await fixture.admin.readWalletFields('v3')).toEqual(before);
    // SPEC C3: the stock that was sold stays sold.
    expect(reasonOf(await fixture.claim({ user: 'w', request: 'r1' }))).toBe('SOLD_OUT');
    expect(reasonOf(await fixture.claim({ user: 'v3', request: 'r1' }))).toBe('claimed');
  });

  test('an empty Redis gets everything back from the log', async () => {
    await fixture.ledger.define(definitionOf(), soon());
    await claimAll('u', 4);
    const archiver = newArchiver();
    await turnUntil(archiver, isLevel);
    const wallet = await fixture.admin.readWalletFields('u1');
    await fixture.redis.flushall();
    await turnUntil(archiver, isOpen);
    expect(await fixture.admin.readWalletFields('u1')).toEqual(wallet);
    await claimAll('v', 1);
    await turnUntil(archiver, isLevel);
    expect(await archivedUsers()).toHaveLength(5);
  });

  // LEDGER rule 15: "Redis is not behind" is not enough.
  test('a fork stays closed and is archived no further, also when it took 40 new claims', async () => {
    await fixture.ledger.define(definitionOf(), soon());
    const goBack = await keepFiles();
    await claimAll('u', 1);
    const archiver = newArchiver();
    await turnUntil(archiver, isLevel);
    const cursor = await cursorSeq();
    await goBack();
    await fixture.open();
    for (let number = 0; number < 40; number += 1) await fixture.claim({ user: `x${number}`, request: 'r1' });
    expect(await fixture.admin.lastSeq()).toBeGreaterThan(cursor);
    await fixture.server.restart();
    await turnUntil(archiver, () => archiver.metrics.archiveForkDetected.child('0').read() === 1);
    expect(archiver.metrics.archiveHalted.child('0', 'fork').value).toBe(1);
    for (let turns = 0; turns < 5; turns += 1) await archiver.turn();
    expect(await isOpen()).toBe(false);
    expect(await cursorSeq()).toBe(cursor);
    expect(await archivedUsers()).toEqual(['u0']);
    // Whoever holds the partition next says so; an alarm of two processes would outlive the fork.
    await archiver.giveBack();
    expect(archiver.metrics.archiveForkDetected.child('0').read()).toBe(0);
    expect(archiver.metrics.archiveHalted.child('0', 'fork').value).toBe(0);
  });

  // LEDGER rule 16: entries the archive has not seen are gone.
  test('a stream that starts beyond the cursor stops the archive', async () => {
    await fixture.ledger.define(definitionOf(), soon());
    const archiver = newArchiver();
    await turnUntil(archiver, isLevel);
    for (const user of ['x', 'y', 'z']) await fixture.claim({ user, request: 'r1' });
    const last = await fixture.admin.lastSeq();
    await fixture.admin.trimBelow(last ?? 0);
    const cursor = await cursorSeq();
    for (let turns = 0; turns < 5; turns += 1) await archiver.turn();
    await fixture.server.restart();
    for (let turns = 0; turns < 5; turns += 1) await archiver.turn();
    expect(await cursorSeq()).toBe(cursor);
    expect(await isOpen()).toBe(false);
    expect(archiver.metrics.archiveHalted.child('0', 'hole').value).toBe(1);
  });

  // LEDGER rule 20: roll the archive first.
  test('an entry of an unknown format stops the archive before it, and not the gate', async () => {
    await fixture.ledger.define(definitionOf(), soon());
    await claimAll('u', 1);
    const last = (await fixture.admin.lastSeq()) ?? 0;
    await fixture.redis.xadd(KEYS.stream, `1-${last + 1}`, 'e', Buffer.of(ENTRY_FORMAT + 1, 0, 0));
    const archiver = newArchiver();
    await turnUntil(archiver, async () => (await cursorSeq()) === last);
    await archiver.turn();
    await fixture.server.restart();
    await turnUntil(archiver, isOpen);
    expect(await cursorSeq()).toBe(last);
    expect(archiver.metrics.archiveHalted.child('0', 'unknown_format').value).toBe(1);
  });
});

describe('poison', () => {
  async function poison(): Promise<void> {
    await fixture.ledger.define(definitionOf({ perUserLimit: 5 }), soon());
    await fixture.ledger.define(definitionOf({ ref: POISON_REF, id: 'poison' }), soon());
    await Promise.all([
      fixture.claim({ user: 'ann', request: 'r1' }),
      fixture.claim({ user: 'bob', request: 'r1', ref: POISON_REF }),
      fixture.claim({ user: 'eve', request: 'r1' }),
    ]);
    await fixture.claim({ user: 'bob', request: 'r2' });
    await fixture.claim({ user: 'ann', request: 'r2' });
  }

  // LEDGER rule 20
  test('what the database refuses is set aside, its user waits, the rest flows', async () => {
    await poison();
    const archiver = newArchiver();
    await turnUntil(archiver, isLevel);
    expect(await archivedUsers()).toEqual(['ann', 'ann', 'eve']);
    const rows =
      await sql`SELECT subject, count(*)::int AS events FROM quarantine GROUP BY subject ORDER BY subject`;
    expect(rows).toMatchObject([
      { subject: `promotion:${POISON_REF}`, events: 1 },
      { subject: 'user:bob', events: 2 },
    ]);
    expect(archiver.metrics.archiveQuarantinedEvents.child('0').read()).toBe(3);
    const [log] = await sql`SELECT count(*) FILTER (WHERE NOT projected)::int AS open FROM event_log`;
    expect(log?.['open']).toBeGreaterThan(0);
  });

  test('once repaired, the next owner projects what waited, in order', async () => {
    await poison();
    const archiver = newArchiver();
    await turnUntil(archiver, isLevel);
    await archiver.giveBack();
    await sql`ALTER TABLE coupon ALTER promotion_ref TYPE bigint`;
    await sql`ALTER TABLE promotion_counter ALTER promotion_ref TYPE bigint`;
    const next = newArchiver({ owner: 'second' });
    await turnUntil(next, () => ownerOf(next) === 1);
    await next.turn();
    expect(await archivedUsers()).toEqual(['ann', 'ann', 'bob', 'bob', 'eve']);
    expect(next.metrics.archiveQuarantinedEvents.child('0').read()).toBe(0);
    expect(await sql`SELECT 1 FROM event_log WHERE NOT projected`).toHaveLength(0);
    const counters = await sql`SELECT promotion_ref::text AS ref, issued FROM promotion_counter ORDER BY 1`;
    expect(counters).toMatchObject([
      { ref: '1', issued: '4' },
      { ref: String(POISON_REF), issued: '1' },
    ]);
  });

  test('the wait outlives the process that found the poison', async () => {
    await poison();
    const archiver = newArchiver();
    await turnUntil(archiver, isLevel);
    await archiver.giveBack();
    await fixture.claim({ user: 'bob', request: 'r3' });
    const next = newArchiver({ owner: 'second' });
    await turnUntil(next, isLevel);
    expect(await archivedUsers()).toEqual(['ann', 'ann', 'eve']);
  });
});
