import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { ArchiveClient, UnknownOutcomeError } from './archive-client.ts';
import { type DecodedEntry, decodeStreamEntry } from './decoded-entry.ts';
import { type Fence, ForkError, flushBatch, RefusedBatchError, tryBatch } from './flush.ts';
import { foldEntries } from './fold.ts';
import { ensureCursor, type Lease, renewLease, takeLease } from './lease.ts';
import type { PartitionId, StreamEntry } from './ledger-port.ts';
import type { FoldedBatch } from './projection.ts';
import { SampleLedger, sampleDefinition } from './sample-entries.ts';
import { ensureSegments } from './segments.ts';

const LEASE_MS = 60_000;
const APPLICATION = 'hongbao archive';

let database: TestDatabase;
let client: ArchiveClient;
let sql: postgres.Sql;
let id: PartitionId = { generation: 0, partition: 0 };
let ledger: SampleLedger;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new ArchiveClient(database.url);
  sql = postgres(database.url, { max: 2, onnotice: () => {} });
});

afterAll(async () => {
  await client.close();
  await sql.end();
  await database.drop();
});

// Every test has a partition of its own in the tables, and users of its own.
beforeEach(async () => {
  id = { generation: id.generation + 1, partition: 0 };
  ledger = new SampleLedger();
  await sql`TRUNCATE coupon, coupon_history, promotion_counter, ledger_field`;
  await ensureCursor(sql, id);
});

function folded(...entries: (StreamEntry | DecodedEntry)[]): FoldedBatch {
  const decoded = entries.map((entry) => ('kind' in entry ? entry : decodeStreamEntry(entry)));
  return foldEntries(decoded, { eventsTotal: 0, blockedSubjects: new Set() });
}

async function take(owner = 'one'): Promise<Lease> {
  const lease = await takeLease(sql, id, owner, LEASE_MS);
  if (lease === undefined) throw new Error('the partition is taken');
  return lease;
}

function fenceOf(lease: Lease): Fence {
  return { id, lease, leaseMs: LEASE_MS };
}

async function cursorSeq(): Promise<number> {
  const [row] = await sql`SELECT seq FROM ledger_cursor WHERE generation = ${id.generation}`;
  return Number(row?.['seq']);
}

async function loggedSeqs(): Promise<number[]> {
  const rows = await sql`SELECT seq FROM event_log WHERE generation = ${id.generation} ORDER BY seq`;
  return rows.map((row) => Number(row['seq']));
}

async function coupons() {
  return sql`SELECT user_id, promotion_ref, hidden, seq, issued_seq FROM coupon ORDER BY user_id`;
}

describe('writing a batch', () => {
  // SPEC C4: state reaches Postgres exactly once.
  test('log, coupons, counters and cursor move together', async () => {
    const lease = await take();
    const batch = folded(
      ledger.entry(ledger.opened()),
      ledger.entry(ledger.defined(sampleDefinition(1, { quantity: 5 }))),
      ledger.entry(ledger.claimed('ann', 1), ledger.claimed('bob', 1)),
    );
    expect(await flushBatch(client, fenceOf(lease), batch)).toBe(true);
    expect(await cursorSeq()).toBe(2);
    expect(await loggedSeqs()).toEqual([0, 1, 2]);
    expect((await coupons()).map((row) => row['user_id'])).toEqual(['ann', 'bob']);
    const counters =
      await sql`SELECT issued, received FROM promotion_counter WHERE generation = ${id.generation}`;
    expect(counters).toMatchObject([{ issued: '2', received: '5' }]);
    const [last] =
      await sql`SELECT entry_payload, events_total FROM ledger_cursor WHERE generation = ${id.generation}`;
    expect(last).toMatchObject({ entry_payload: batch.log[2]?.payload, events_total: '4' });
  });

  test('the same batch sent again changes nothing', async () => {
    const lease = await take();
    const batch = folded(ledger.entry(ledger.opened()), ledger.entry(ledger.claimed('ann', 1)));
    expect(await flushBatch(client, fenceOf(lease), batch)).toBe(true);
    expect(await flushBatch(client, fenceOf(lease), batch)).toBe(false);
    expect(await loggedSeqs()).toEqual([0, 1]);
  });

  test('later events of a coupon update its row and keep its issue', async () => {
    let lease = await take();
    await flushBatch(client, fenceOf(lease), folded(ledger.entry(ledger.claimed('ann', 1))));
    lease = { ...lease, seq: 0 };
    expect(await flushBatch(client, fenceOf(lease), folded(ledger.entry(ledger.hidden('ann'))))).toBe(true);
    expect(await coupons()).toMatchObject([{ hidden: true, seq: '1', issued_seq: '0' }]);
    expect(await sql`SELECT kind FROM coupon_history`).toMatchObject([{ kind: 'hidden' }]);
  });

  test('rows go to segments made ahead', async () => {
    const lease = await take();
    await ensureSegments((statement) => client.run(statement), id, lease.seq, ledger.timeMs);
    await ensureSegments((statement) => client.run(statement), id, lease.seq, ledger.timeMs);
    await flushBatch(client, fenceOf(lease), folded(ledger.entry(ledger.claimed('ann', 1))));
    const [row] = await sql`SELECT tableoid::regclass::text AS segment FROM coupon`;
    expect(row?.['segment']).toBe('coupon_2026_11');
    const [entry] = await sql`
      SELECT tableoid::regclass::text AS segment FROM event_log WHERE generation = ${id.generation}`;
    expect(entry?.['segment']).toBe(`event_log_g${id.generation}_p0_0`);
  });
});

describe('the fence', () => {
  test('an owner of an earlier epoch changes nothing', async () => {
    const stale = await take('one');
    await sql`UPDATE ledger_cursor SET lease_until = now() - interval '1 second' WHERE generation = ${id.generation}`;
    const current = await take('two');
    const batch = folded(ledger.entry(ledger.opened()));
    expect(await flushBatch(client, fenceOf(stale), batch)).toBe(false);
    expect(await renewLease(sql, id, stale.epoch, LEASE_MS)).toBeUndefined();
    expect(await loggedSeqs()).toEqual([]);
    expect(await flushBatch(client, fenceOf(current), batch)).toBe(true);
  });

  test('a lease that is kept cannot be taken', async () => {
    await take('one');
    expect(await takeLease(sql, id, 'two', LEASE_MS)).toBeUndefined();
  });

  test('a batch from another place than the cursor changes nothing', async () => {
    const lease = await take();
    ledger.entry(ledger.opened());
    const batch = folded(ledger.entry(ledger.claimed('ann', 1)));
    expect(await flushBatch(client, fenceOf({ ...lease, seq: 0 }), batch)).toBe(false);
    expect(await cursorSeq()).toBe(-1);
  });

  // LEDGER rule 19: a clash in the log is a fork and halts.
  test('another entry under a number that is archived is a fork', async () => {
    const lease = await take();
    await flushBatch(client, fenceOf(lease), folded(ledger.entry(ledger.opened())));
    await sql`UPDATE ledger_cursor SET seq = -1 WHERE generation = ${id.generation}`;
    const other = new SampleLedger();
    const batch = folded(other.entry(other.claimed('eve', 1)));
    await expect(flushBatch(client, fenceOf(lease), batch)).rejects.toBeInstanceOf(ForkError);
    expect(await coupons()).toEqual([]);
  });

  test('a coupon that is archived already refuses the batch, whole', async () => {
    const lease = await take();
    const issuedAtMs = ledger.timeMs;
    await flushBatch(
      client,
      fenceOf(lease),
      folded(ledger.entry(ledger.claimed('ann', 1, 'r1', { issuedAtMs }))),
    );
    const again = folded(
      ledger.entry(ledger.claimed('bob', 1), ledger.claimed('ann', 1, 'r1', { issuedAtMs })),
    );
    const fence = fenceOf({ ...lease, seq: 0 });
    await expect(flushBatch(client, fence, again)).rejects.toBeInstanceOf(RefusedBatchError);
    expect(await tryBatch(client, fence, again)).toContain('issued before');
    expect((await coupons()).map((row) => row['user_id'])).toEqual(['ann']);
    expect(await cursorSeq()).toBe(0);
  });

  test('a trial says yes and leaves nothing', async () => {
    const lease = await take();
    expect(
      await tryBatch(client, fenceOf(lease), folded(ledger.entry(ledger.claimed('ann', 1)))),
    ).toBeUndefined();
    expect(await cursorSeq()).toBe(-1);
    expect(await coupons()).toEqual([]);
  });
});

describe('a lost reply', () => {
  /** Ends the archiver's connection once its statement waits for the row that `hold` keeps. */
  async function killWaiting(): Promise<void> {
    for (;;) {
      const killed = await sql`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = ${APPLICATION} AND wait_event_type = 'Lock'`;
      if (killed.length > 0) return;
      await sleep(5);
    }
  }

  // SPEC C4: after a lost reply the cursor tells what happened, and the same batch is sent again.
  test('a connection killed in the middle of the statement leaves all or nothing; sent again, it counts once', async () => {
    const lease = await take();
    const batch = folded(ledger.entry(ledger.opened()), ledger.entry(ledger.claimed('ann', 1)));
    const flushing = await sql.begin(async (holder) => {
      await holder`SELECT 1 FROM ledger_cursor WHERE generation = ${id.generation} FOR UPDATE`;
      const outcome = flushBatch(client, fenceOf(lease), batch).catch((error: unknown) => error);
      await killWaiting();
      return { error: await outcome };
    });
    expect(flushing.error).toBeInstanceOf(Error);
    const known = await client.run((own) => renewLease(own, id, lease.epoch, LEASE_MS));
    expect(known?.seq).toBe(-1);
    expect(await flushBatch(client, fenceOf(lease), batch)).toBe(true);
    expect(await loggedSeqs()).toEqual([0, 1]);
    expect(await coupons()).toHaveLength(1);
  });

  test('the connection asks nothing of its own, whose failure nobody would handle', async () => {
    expect(await client.run((own) => Promise.resolve(own.options.fetch_types))).toBe(false);
  });

  test('a statement that does not answer in time has an unknown outcome, and the next one works', async () => {
    const impatient = new ArchiveClient(database.url, 50);
    const waiting = impatient.run((own) => own`SELECT pg_sleep(3)`);
    await expect(waiting).rejects.toBeInstanceOf(UnknownOutcomeError);
    const patient = new ArchiveClient(database.url);
    expect(await patient.run((own) => own`SELECT 1 AS one`)).toMatchObject([{ one: 1 }]);
    await Promise.all([impatient.close(), patient.close()]);
  });
});
