/** What becomes of coupons, orders and points, in the tables people query. */
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { ArchiveClient } from './archive-client.ts';
import { readCouponChanges } from './coupon-history.ts';
import { decodeStreamEntry } from './decoded-entry.ts';
import { flushBatch, tryBatch } from './flush.ts';
import { foldEntries } from './fold.ts';
import { ensureCursor, takeLease } from './lease.ts';
import type { PartitionId, StreamEntry } from './ledger-port.ts';
import { readPointsEntries } from './points-entries.ts';
import { readPromotionDays, readPromotionTotals } from './promotion-statistics.ts';
import { SAMPLE_START_MS, SampleLedger, sampleDefinition, sampleField } from './sample-entries.ts';
import { SAMPLE_HOLD_MS, SampleOrders } from './sample-orders.ts';

const LEASE_MS = 60_000;
const REF = 1;

let database: TestDatabase;
let client: ArchiveClient;
let sql: postgres.Sql;
let id: PartitionId = { generation: 0, partition: 0 };
let ledger: SampleLedger;
let orders: SampleOrders;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new ArchiveClient(database.url);
  sql = postgres(database.url, { max: 3, onnotice: () => {} });
});

afterAll(async () => {
  await client.close();
  await sql.end();
  await database.drop();
});

beforeEach(async () => {
  await startOver();
});

/** A partition of its own in empty tables. */
async function startOver(): Promise<void> {
  id = { generation: id.generation + 1, partition: 0 };
  ledger = new SampleLedger();
  orders = new SampleOrders(ledger, REF);
  await sql`
    TRUNCATE coupon, coupon_history, promotion_counter, ledger_field, redemption, redemption_promotion,
      redemption_history, points_entry`;
  await ensureCursor(sql, id);
}

function soon(): number {
  return Date.now() + 10_000;
}

function folded(entries: readonly StreamEntry[]) {
  return foldEntries(entries.map(decodeStreamEntry), { eventsTotal: 0, blockedSubjects: new Set() });
}

async function fence() {
  await sql`UPDATE ledger_cursor SET lease_until = now() - interval '1 second' WHERE generation = ${id.generation}`;
  const lease = await takeLease(sql, id, 'test', LEASE_MS);
  if (lease === undefined) throw new Error('the partition is taken');
  return { id, lease, leaseMs: LEASE_MS };
}

/** Each argument is a batch of its own. */
async function archive(...batches: StreamEntry[][]): Promise<void> {
  for (const batch of batches) {
    const rows = folded(batch);
    expect(rows.quarantine).toEqual([]);
    expect(await flushBatch(client, await fence(), rows)).toBe(true);
  }
}

/** A definition, and coupons `c1`, `c2`, … of one user. */
function start(coupons: number, userId = 'ann'): StreamEntry {
  const claims = Array.from({ length: coupons }, (_, index) => ledger.claimed(userId, REF, `c${index + 1}`));
  return ledger.entry(ledger.opened(), ledger.defined(sampleDefinition(REF, { perUserLimit: 9 })), ...claims);
}

async function couponRows() {
  return await sql`
    SELECT encode(substring(coupon_id FROM 7), 'hex') AS field, state, order_id, retired,
      (extract(epoch FROM changed_at) * 1000)::bigint::text AS changed
    FROM coupon ORDER BY coupon_id`;
}

/** Everything the projections hold, as text. */
async function tables(): Promise<unknown> {
  const names = ['coupon', 'coupon_history', 'promotion_counter', 'ledger_field', 'redemption'];
  const all = [...names, 'redemption_promotion', 'redemption_history', 'points_entry'];
  const rows = await Promise.all(
    all.map(
      (name) => sql`SELECT (to_jsonb(row) - 'generation')::text AS row FROM ${sql(name)} AS row ORDER BY 1`,
    ),
  );
  return rows.map((part) => part.map((row) => row['row']));
}

describe('an order', () => {
  test('reserved, committed and returned is told with its coupon at every step', async () => {
    const issue = start(1);
    const [hold, use] = [
      ledger.entry(orders.taken('reserved', 'ann', 'o1', ['c1'])),
      ledger.entry(orders.committed('ann', 'o1')),
    ];
    const atMs = SAMPLE_START_MS + 10;
    await archive([issue, hold]);
    expect(await couponRows()).toMatchObject([{ state: 'reserved', order_id: 'o1', changed: String(atMs) }]);
    const [held] = await sql`SELECT state, due_at, committed_at, discount_minor, items_minor FROM redemption`;
    expect(held).toMatchObject({
      state: 'reserved',
      committed_at: null,
      discount_minor: '100',
      items_minor: '1000',
    });
    expect(held?.['due_at']).toEqual(new Date(atMs + SAMPLE_HOLD_MS));
    await archive([use]);
    expect(await couponRows()).toMatchObject([{ state: 'used', order_id: 'o1', changed: String(atMs + 10) }]);
    expect(await sql`SELECT state, due_at FROM redemption`).toEqual([{ state: 'committed', due_at: null }]);
    await archive([ledger.entry(orders.ended('returned', 'ann', 'o1'))]);
    expect(await couponRows()).toMatchObject([{ state: 'unused', order_id: null }]);
    expect(await sql`SELECT state, discount_minor FROM redemption_promotion`).toMatchObject([
      { state: 'returned', discount_minor: '100' },
    ]);
    const changes = await readCouponChanges(sql, ledger.couponId('ann', 'c1'), soon());
    expect(changes.map(({ kind, orderId }) => `${kind} ${orderId}`)).toEqual([
      'reserved o1',
      'committed o1',
      'returned o1',
    ]);
    expect(await sql`SELECT kind FROM redemption_history ORDER BY seq`).toEqual(
      ['reserved', 'committed', 'returned'].map((kind) => ({ kind })),
    );
  });

  test('reserved anew with fewer coupons keeps no use of the earlier reservation', async () => {
    await archive(
      [start(2), ledger.entry(orders.taken('reserved', 'ann', 'o1', ['c1', 'c2']))],
      [ledger.entry(orders.ended('lapsed', 'ann', 'o1'))],
    );
    expect(await sql`SELECT position, state FROM redemption_promotion ORDER BY 1`).toEqual([
      { position: 0, state: 'expired' },
      { position: 1, state: 'expired' },
    ]);
    await archive([ledger.entry(orders.taken('used', 'ann', 'o1', ['c2']))]);
    expect(await sql`SELECT position, state, coupon_id FROM redemption_promotion`).toEqual([
      { position: 0, state: 'committed', coupon_id: Buffer.from(ledger.couponId('ann', 'c2'), 'hex') },
    ]);
  });

  test('whose head cannot be read goes to quarantine, and later events of its user queue behind it', () => {
    ledger.entry(ledger.claimed('ann', REF, 'c1'));
    const event = orders.taken('reserved', 'ann', 'o1', ['c1']);
    const head = event.writes.at(-1)?.fields[0]?.value;
    head?.fill(0x20, 18);
    const batch = folded([ledger.entry(event, orders.points('points_earned', 'ann', 5))]);
    expect(batch.quarantine.map((row) => row.subject)).toEqual(['user:ann', 'user:ann']);
    expect(batch.redemptions).toEqual([]);
  });
});

describe('fields of records', () => {
  test('that are removed are gone; those of a retired record stay and are marked', async () => {
    await archive([start(1), ledger.entry(orders.taken('reserved', 'ann', 'o1', ['c1']))]);
    const names = () => sql`
      SELECT target, id, encode(field, 'escape') AS field, retired FROM ledger_field
      WHERE target IN ('order', 'account') AND (target = 'order' OR get_byte(field, 0) = 62) ORDER BY 1`;
    const hold = `>${sampleField('ann', 'c1').toString('latin1')}`;
    expect((await names()).map((row) => row['target'])).toEqual(['account', 'order']);
    const [value] = await sql`SELECT value FROM ledger_field WHERE field = ${Buffer.from(hold, 'latin1')}`;
    expect(value).toEqual({ value: Buffer.from('o1') });
    await archive([ledger.entry(orders.ended('released', 'ann', 'o1'))]);
    expect(await names()).toEqual([{ target: 'order', id: 'ann/o1', field: 'h', retired: false }]);
    await archive([ledger.entry(orders.retired('ann', 'o1'))]);
    expect(await names()).toEqual([{ target: 'order', id: 'ann/o1', field: 'h', retired: true }]);
    expect(await couponRows()).toMatchObject([{ state: 'unused', order_id: null, retired: true }]);
    expect(await sql`SELECT state FROM redemption`).toEqual([{ state: 'released' }]);
  });

  test('older than what is archived change nothing', async () => {
    const [issue, hold, free] = [
      start(1),
      ledger.entry(orders.taken('reserved', 'ann', 'o1', ['c1'])),
      ledger.entry(orders.ended('released', 'ann', 'o1')),
    ];
    await archive([issue, hold, free]);
    const before = await sql`SELECT target, id, field, value, seq FROM ledger_field ORDER BY 1, 2, 3`;
    const stale = { ...folded([hold]), coupons: [], history: [], redemptionHistory: [] };
    await sql`UPDATE ledger_cursor SET seq = 0 WHERE generation = ${id.generation}`;
    await sql`DELETE FROM event_log WHERE generation = ${id.generation} AND seq > 0`;
    expect(await flushBatch(client, await fence(), stale)).toBe(true);
    expect(await sql`SELECT state FROM redemption`).toEqual([{ state: 'released' }]);
    const after = await sql`SELECT target, id, field, value, seq FROM ledger_field
      WHERE get_byte(field, 0) <> 62 ORDER BY 1, 2, 3`;
    expect(after).toEqual(before);
  });
});

describe('issues', () => {
  test.each(['claimed', 'granted', 'code_claimed', 'exchanged', 'event_granted'] as const)(
    '%s is an issue: no history, and the entry it came in is kept',
    async (kind) => {
      await archive([ledger.entry(ledger.opened())], [ledger.entry(ledger.issuedAs(kind, 'ann', REF))]);
      expect(await sql`SELECT issued_seq FROM coupon`).toEqual([{ issued_seq: '1' }]);
      expect(await sql`SELECT kind FROM coupon_history`).toEqual([]);
    },
  );

  test('several coupons of one event are all issued', async () => {
    const [first, second] = [ledger.claimed('ann', REF, 'c1'), ledger.claimed('ann', REF, 'c2')];
    await archive([ledger.entry({ kind: 'granted', writes: [...first.writes, ...second.writes] })]);
    expect(await sql`SELECT issued_seq FROM coupon`).toEqual([{ issued_seq: '0' }, { issued_seq: '0' }]);
    expect(await sql`SELECT issued FROM promotion_counter`).toEqual([{ issued: '2' }]);
  });
});

describe('points', () => {
  test('every transaction is kept, and read newest first', async () => {
    await archive(
      [ledger.entry(orders.points('points_earned', 'ann', 30), orders.points('exchanged', 'ann', -20))],
      [ledger.entry(orders.points('points_earned', 'ann', 5), orders.points('points_earned', 'bob', 1))],
    );
    const newest = await readPointsEntries(sql, 'ann', undefined, 2, soon());
    expect(newest).toMatchObject([
      { number: 3, points: 5, balanceAfter: 15, type: 'earn', atMs: SAMPLE_START_MS + 10 },
      { number: 2, points: -20, balanceAfter: 10, type: 'spend', referenceId: 'o2' },
    ]);
    expect(await readPointsEntries(sql, 'ann', 2, 9, soon())).toMatchObject([{ number: 1, points: 30 }]);
  });

  test('a second transaction under one number is refused, in the batch and by the database', async () => {
    await archive([ledger.entry(orders.points('points_earned', 'ann', 30))]);
    const again = ledger.entry(orders.points('points_earned', 'ann', 30, { number: 1 }));
    expect(await tryBatch(client, await fence(), folded([again]))).toContain('points_entry');
    const twice = ledger.entry(
      orders.points('points_earned', 'ann', 1, { number: 9 }),
      orders.points('points_earned', 'ann', 1, { number: 9 }),
    );
    expect(folded([twice]).quarantine).toMatchObject([{ error: 'points transaction 9 was written before' }]);
  });
});

/** A life with every kind of event, an entry each; the same whenever it is called on a new ledger. */
function wholeLife(): StreamEntry[] {
  const entry = (...events: Parameters<SampleLedger['entry']>) => ledger.entry(...events);
  return [
    start(3),
    entry(
      ledger.issuedAs('granted', 'bob', REF, 'r1', { source: 'staff' }),
      orders.points('points_earned', 'bob', 8),
    ),
    entry(orders.taken('reserved', 'ann', 'o1', ['c1', 'c2'])),
    entry(ledger.changedBy('revoked', 'ann', ['c3'], { state: 'revoked' })),
    entry(orders.ended('lapsed', 'ann', 'o1'), orders.taken('reserved', 'ann', 'o2', ['c1'])),
    entry(orders.committed('ann', 'o2'), orders.points('points_reversed', 'bob', -3)),
    entry(ledger.hidden('ann', 'c3'), orders.taken('used', 'bob', 'o1', ['r1'])),
    entry(orders.ended('returned', 'ann', 'o2')),
    entry(orders.retired('ann', 'o2'), orders.taken('reserved', 'ann', 'o1', ['c2'])),
    entry(orders.retired('bob', 'o1')),
  ];
}

// LEDGER rule 19: one final row per key, whatever the batches are.
test.each([1, 2, 3, 7])('batches of %i entries leave the same tables as one batch', async (size) => {
  await archive(wholeLife());
  const whole = await tables();
  await startOver();
  const entries = wholeLife();
  for (let at = 0; at < entries.length; at += size) await archive(entries.slice(at, at + size));
  expect(await tables()).toEqual(whole);
});

// SPEC A1: statistics equal what the events say.
describe('statistics of a promotion', () => {
  beforeEach(async () => {
    await archive(wholeLife());
  });

  test('count coupons by what became of them, and uses that were not given back', async () => {
    const totals = await readPromotionTotals(sql, REF, SAMPLE_START_MS, soon());
    expect(totals).toEqual({
      issuedOtherwise: 1,
      used: 1,
      reserved: 1,
      expired: 0,
      revoked: 1,
      returned: 1,
      discountMinor: 100,
      orders: 1,
      grossMinor: 1_000,
    });
    const later = await readPromotionTotals(sql, REF, SAMPLE_START_MS + 8 * 86_400_000, soon());
    expect(later.expired).toBe(1);
  });

  test('tell every day of the range, by the days of the zone', async () => {
    const days = (timeZone: string, fromDate: string, toDate: string) =>
      readPromotionDays(sql, REF, { fromDate, toDate, timeZone }, SAMPLE_START_MS + 8 * 86_400_000, soon());
    const used = { used: 1, discountMinor: 100, orders: 1, grossMinor: 1_000 };
    const none = { issued: 0, used: 0, expired: 0, discountMinor: 0, orders: 0, grossMinor: 0 };
    expect(await days('UTC', '2026-11-20', '2026-11-22')).toEqual([
      { ...none, date: '2026-11-20' },
      { ...none, ...used, date: '2026-11-21', issued: 4 },
      { ...none, date: '2026-11-22' },
    ]);
    expect(await days('America/New_York', '2026-11-20', '2026-11-20')).toEqual([
      { ...none, ...used, date: '2026-11-20', issued: 4 },
    ]);
    expect(await days('UTC', '2026-11-28', '2026-11-28')).toMatchObject([{ expired: 1 }]);
  });
});
