import postgres from 'postgres';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { archiverOf } from '../../test/archived-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { definitionOf, type LedgerFixture, soon, startLedgerFixture } from '../../test/ledger-fixture.ts';
import type { LedgerEvent } from '../ledger/event-format.ts';
import { partitionKeys } from '../ledger/keys.ts';
import { ArchiveClient } from './archive-client.ts';
import type { Archiver } from './archiver.ts';
import { type AuditReport, formatReport } from './audit/audit-report.ts';
import { runAudit } from './audit.ts';
import type { StreamEntry } from './ledger-port.ts';
import { SampleLedger, sampleDefinition, sampleField } from './sample-entries.ts';
import { SampleOrders } from './sample-orders.ts';

const ID = { generation: 1, partition: 0 };
const KEYS = partitionKeys(0);

let fixture: LedgerFixture;
let database: TestDatabase;
let sql: postgres.Sql;
let client: ArchiveClient;
let archiver: Archiver;

beforeEach(async () => {
  [fixture, database] = await Promise.all([startLedgerFixture(), createTestDatabase()]);
  sql = postgres(database.url, { max: 2, onnotice: () => {} });
  client = new ArchiveClient(database.url);
  archiver = archiverOf(client, fixture.admin);
});

afterEach(async () => {
  await client.close();
  await sql.end();
  await Promise.all([fixture.close(), database.drop()]);
});

function audit(eventsPerPass?: number): Promise<AuditReport> {
  const limits = eventsPerPass === undefined ? {} : { eventsPerPass };
  return runAudit({ sql, ledger: fixture.admin, id: ID, ...limits });
}

/** Ids of the broken invariants. */
async function broken(): Promise<string[]> {
  const report = await audit();
  return report.checks.filter((check) => check.breachCount > 0).map((check) => check.id);
}

async function archiveAll(): Promise<void> {
  for (;;) {
    await archiver.turn();
    const [row] = await sql`SELECT seq FROM ledger_cursor`;
    if (Number(row?.['seq'] ?? -1) === (await fixture.admin.lastSeq())) return;
  }
}

/** Ten users with a coupon each, archived. */
async function tenClaims(): Promise<void> {
  await fixture.ledger.define(definitionOf({ perUserLimit: 2 }), soon());
  const users = Array.from({ length: 10 }, (_, index) => `u${index}`);
  await Promise.all(users.map((user) => fixture.claim({ user, request: 'r1' })));
  await archiveAll();
}

/** A history of our own making in an empty Redis, archived as it is. */
async function history(entries: readonly StreamEntry[]): Promise<void> {
  await fixture.redis.flushall();
  await fixture.admin.applyEntries(entries, undefined);
  await archiveAll();
}

async function firstField(user: string): Promise<string> {
  const fields = [...(await fixture.admin.readWalletFields(user)).keys()];
  return fields.find((field) => field.length === 32) ?? '';
}

describe('a ledger in order', () => {
  test('every invariant holds, and the figures say how much was compared', async () => {
    await tenClaims();
    const report = await audit();
    expect(report.holds).toBe(true);
    const figures = report.checks.map((check) => check.figures);
    expect(figures).toMatchObject([
      { events: 12, 'coupons issued': 10, definitions: 1 },
      { 'coupons issued': 10 },
      { 'coupons issued': 10, 'archived coupons': 10 },
      { 'orders written': 0, 'coupons in orders': 0 },
      { 'points transactions': 0 },
      { wallets: 10, coupons: 10, 'still moving': 0 },
      { promotions: 1 },
      { records: 0, 'still moving': 0 },
      { orders: 0, 'points transactions': 0 },
      { 'log entries': report.cursorSeq + 1, 'stream entries': report.cursorSeq + 1 },
      { 'promotions used': 0 },
      { 'events waiting': 0 },
    ]);
    expect(formatReport(report)).toContain('Every invariant holds.');
  });

  test('the outcome does not depend on how many passes the users are divided into', async () => {
    await tenClaims();
    const [once, many] = [await audit(), await audit(2)];
    expect(many.checks.map((check) => check.figures)).toEqual(once.checks.map((check) => check.figures));
  });

  test('an empty archive of an empty ledger is in order', async () => {
    await fixture.redis.flushall();
    expect((await audit()).holds).toBe(true);
  });

  // LEDGER rule 22
  test('right while claims and the archive go on', async () => {
    await fixture.ledger.define(definitionOf({ quantity: 100_000, perUserLimit: 50 }), soon());
    let isOver = false;
    let request = 0;
    const claiming = (async () => {
      while (!isOver) {
        request += 1;
        const users = Array.from({ length: 20 }, (_, index) => `u${index}`);
        await Promise.all(users.map((user) => fixture.claim({ user, request: `r${request}` })));
      }
    })();
    const archiving = (async () => {
      while (!isOver) await archiver.turn();
    })();
    const reports = [await audit(), await audit(), await audit()];
    isOver = true;
    await Promise.all([claiming, archiving]);
    expect(reports.flatMap((report) => report.checks.flatMap((check) => check.breaches))).toEqual([]);
    await archiveAll();
    const quiet = await audit();
    expect(quiet.holds).toBe(true);
    expect(quiet.checks.find((check) => check.title.startsWith('wallets'))?.figures).toMatchObject({
      wallets: 20,
      'still moving': 0,
    });
  });

  test('a log whose start is gone is audited from its first entry, and the report says so', async () => {
    await tenClaims();
    await fixture.claim({ user: 'u0', request: 'r2' });
    await archiveAll();
    const { cursorSeq } = await audit();
    await sql`DELETE FROM event_log WHERE seq < ${cursorSeq}`;
    const report = await audit();
    expect(formatReport(report)).toContain(`the log starts at entry ${cursorSeq}`);
    expect(report.checks.flatMap((check) => check.breaches)).toEqual([]);
  });
});

describe('I1, stock', () => {
  test('one claim too many is found', async () => {
    const ledger = new SampleLedger();
    await history([
      ledger.entry(ledger.opened()),
      ledger.entry(ledger.defined(sampleDefinition(1, { quantity: 2 }))),
      ledger.entry(ledger.claimed('ann', 1), ledger.claimed('bob', 1), ledger.claimed('eve', 1)),
    ]);
    expect(await broken()).toEqual(['I1']);
  });

  test('a claim after the stock was lowered is found, although the stock was raised later', async () => {
    const ledger = new SampleLedger();
    await history([
      ledger.entry(ledger.opened()),
      ledger.entry(ledger.defined(sampleDefinition(1, { quantity: 5 }))),
      ledger.entry(ledger.claimed('ann', 1)),
      ledger.entry(ledger.defined(sampleDefinition(1, { quantity: 1, version: 2 }))),
      ledger.entry(ledger.claimed('bob', 1)),
      ledger.entry(ledger.defined(sampleDefinition(1, { quantity: 9, version: 3 }))),
    ]);
    expect(await broken()).toEqual(['I1']);
  });
});

describe('I2, limits', () => {
  test('a claim beyond the limit then in force is found', async () => {
    const ledger = new SampleLedger();
    await history([
      ledger.entry(ledger.opened()),
      ledger.entry(ledger.defined(sampleDefinition(1, { perUserLimit: 2 }))),
      ledger.entry(ledger.claimed('ann', 1, 'r1'), ledger.claimed('ann', 1, 'r2')),
      ledger.entry(ledger.defined(sampleDefinition(1, { perUserLimit: 3, version: 2 }))),
      ledger.entry(ledger.claimed('ann', 1, 'r3'), ledger.claimed('ann', 1, 'r4')),
    ]);
    const report = await audit();
    const limit = report.checks.find((check) => check.id === 'I2');
    expect(limit).toMatchObject({ breachCount: 1, figures: { 'coupons issued': 4 } });
    expect(limit?.breaches[0]).toContain('event 4:1 is coupon 4');
  });
});

describe('I4, once', () => {
  test('a request that issued two coupons is found in the log and in Postgres', async () => {
    const ledger = new SampleLedger();
    await history([
      ledger.entry(ledger.opened()),
      ledger.entry(ledger.defined(sampleDefinition(1, { perUserLimit: 9 }))),
      ledger.entry(ledger.claimed('ann', 1)),
      ledger.entry(ledger.claimed('ann', 1)),
    ]);
    const report = await audit();
    expect(report.checks.find((check) => check.id === 'I4')?.breaches).toEqual([
      `event 3:0 issues coupon ${sampleField('ann', 'r1').toString('hex')} again`,
      `2 coupons carry the request hash ${sampleField('ann', 'r1').toString('hex')}`,
    ]);
  });

  test('a coupon doubled in Postgres is found', async () => {
    await tenClaims();
    await sql`
      INSERT INTO coupon SELECT ('\\x000000000001'::bytea || substring(coupon_id FROM 7)), user_id, promotion_ref,
        promotion_version, state, source, issued_at, valid_from, expires_at, hidden, value, generation, partition, seq,
        event_index, issued_seq FROM coupon LIMIT 1`;
    expect(await broken()).toEqual(['I4', 'I6']);
  });
});

describe('I6, three copies', () => {
  const plants: Record<string, () => Promise<unknown>> = {
    'a coupon changed in Redis': async () => {
      const field = Buffer.from(await firstField('u3'), 'hex');
      const value =
        (await fixture.admin.readWalletFields('u3')).get(field.toString('hex')) ?? Buffer.alloc(0);
      const changed = Buffer.from(value);
      changed[3] = 1;
      return fixture.redis.hset(`${KEYS.walletPrefix}u3`, new Map([[field, changed]]));
    },
    'a coupon removed in Redis': async () =>
      fixture.redis.hdel(`${KEYS.walletPrefix}u3`, Buffer.from(await firstField('u3'), 'hex')),
    'a wallet lost in Redis': () => fixture.redis.del(`${KEYS.walletPrefix}u3`),
    'a wallet nobody claimed for': () =>
      fixture.redis.hset(`${KEYS.walletPrefix}ghost`, '@', Buffer.alloc(8)),
    'a claim count changed in Redis': () =>
      fixture.redis.hset(`${KEYS.walletPrefix}u3`, Buffer.from([0x23, 0, 0, 0, 1]), '0'),
    'a coupon lost in Postgres': () => sql`DELETE FROM coupon WHERE user_id = 'u3'`,
    'a coupon given to another user in Postgres': () =>
      sql`UPDATE coupon SET user_id = 'ghost' WHERE user_id = 'u3'`,
    'a coupon whose bytes changed in Postgres': () =>
      sql`UPDATE coupon SET value = set_byte(value, 3, 1), hidden = true WHERE user_id = 'u3'`,
    'a count of claims changed in Postgres': () => sql`UPDATE coupon SET claims = 7 WHERE user_id = 'u3'`,
    'a count of live coupons changed in Postgres': () => sql`UPDATE coupon SET live = 7 WHERE user_id = 'u3'`,
    'a column that contradicts the bytes': () => sql`UPDATE coupon SET state = 'used' WHERE user_id = 'u3'`,
    'an issued figure changed in Redis': () => fixture.redis.hset(`${KEYS.promotionPrefix}1`, 'issued', 9),
    'a stock changed in Redis': () => fixture.redis.hset(`${KEYS.promotionPrefix}1`, 'received', 1_000),
    'a field of a promotion nobody wrote': () => fixture.redis.hset(`${KEYS.promotionPrefix}1`, 'x', 1),
    'an issued figure changed in Postgres': () => sql`UPDATE promotion_counter SET issued = 9`,
    'a definition lost in Postgres': () => sql`DELETE FROM ledger_field WHERE field = 'd'::bytea`,
    'a promotion nobody defined, in Postgres': () =>
      sql`INSERT INTO promotion_counter VALUES (77, 1, 0, 1, NULL, 1, 1)`,
  };

  test.each(Object.keys(plants))('%s is found', async (name) => {
    await tenClaims();
    await plants[name]?.();
    expect(await broken()).toEqual(['I6']);
  });
});

/** The events of a life whose orders and points are in order, an entry each, and the ledger to go on with. */
function life(): { ledger: SampleLedger; orders: SampleOrders; entries: StreamEntry[] } {
  const ledger = new SampleLedger();
  const orders = new SampleOrders(ledger, 1);
  const entries = [
    ledger.entry(ledger.opened(), ledger.defined(sampleDefinition(1, { perUserLimit: 9 }))),
    ledger.entry(
      ...['c1', 'c2', 'c3'].map((request) => ledger.claimed('ann', 1, request)),
      ledger.issuedAs('exchanged', 'bob', 1),
    ),
    ledger.entry(orders.points('points_earned', 'ann', 30)),
    ledger.entry(orders.taken('reserved', 'ann', 'o1', ['c1', 'c2'])),
    ledger.entry(orders.taken('used', 'bob', 'o1', ['r1']), orders.points('points_reversed', 'ann', -10)),
    ledger.entry(orders.ended('lapsed', 'ann', 'o1'), orders.taken('reserved', 'ann', 'o2', ['c1'])),
    ledger.entry(orders.committed('ann', 'o2')),
    ledger.entry(orders.taken('reserved', 'ann', 'o3', ['c2'])),
    ledger.entry(orders.ended('returned', 'ann', 'o2')),
    ledger.entry(orders.retired('bob', 'o1')),
  ];
  return { ledger, orders, entries };
}

/** What is broken by the life above when it goes on with these events; the ids, once each. */
async function brokenBy(
  goOn: (sample: { ledger: SampleLedger; orders: SampleOrders }) => readonly LedgerEvent[],
): Promise<string[]> {
  const { ledger, orders, entries } = life();
  await history([...entries, ledger.entry(...goOn({ ledger, orders }))]);
  return [...new Set(await broken())];
}

describe('a life of orders and points', () => {
  test('in order holds, replayed into an empty Redis', async () => {
    await history(life().entries);
    const report = await audit();
    expect(report.checks.flatMap((check) => check.breaches)).toEqual([]);
    const figures = (title: string) => report.checks.find((check) => check.title.startsWith(title))?.figures;
    expect(figures('a coupon in one order')).toEqual({ 'orders written': 7, 'coupons in orders': 6 });
    expect(figures('points = lots')).toEqual({ 'points transactions': 2 });
    // Four orders, one of them without fields; two accounts; the usage of one promotion.
    expect(figures('orders, accounts')).toEqual({ records: 7, 'still moving': 0 });
    expect(figures('orders and points')).toEqual({ orders: 3, 'points transactions': 2 });
    expect(figures('uses and money')).toEqual({ 'promotions used': 1 });
    expect(await fixture.redis.zrange(KEYS.due, '0', '-1')).toEqual(['ann/o3']);
    expect(await fixture.redis.exists(`${KEYS.orderPrefix}bob/o1`)).toBe(0);
  });

  test('is not replayed into records of another type, not even in part', async () => {
    const { entries } = life();
    await fixture.redis.flushall();
    await fixture.admin.applyEntries(entries.slice(0, 3), undefined);
    await fixture.redis.set(KEYS.due, 'no set');
    const before = await fixture.redis.dbsize();
    await expect(fixture.admin.applyEntries(entries.slice(3), 2)).rejects.toThrow('WRONGTYPE');
    expect(await fixture.admin.lastSeq()).toBe(2);
    expect(await fixture.redis.dbsize()).toBe(before);
  });

  test('is divided among passes without a difference', async () => {
    await history(life().entries);
    const [once, many] = [await audit(), await audit(2)];
    expect(many.checks.map((check) => check.figures)).toEqual(once.checks.map((check) => check.figures));
  });

  test('whose start is gone from the log is taken as it is', async () => {
    await history(life().entries);
    await sql`DELETE FROM event_log WHERE seq < 6`;
    expect((await audit()).checks.flatMap((check) => check.breaches)).toEqual([]);
  });

  // SPEC I4
  test('a coupon that serves two orders is found', async () => {
    expect(
      await brokenBy(({ ledger, orders }) => {
        const second = orders.taken('used', 'ann', 'o4', ['c2']);
        ledger.changed('ann', ['c2'], { state: 'used' });
        return [second, orders.committed('ann', 'o3')];
      }),
    ).toContain('I4');
  });

  test('a coupon that is freed while its order goes on is found', async () => {
    const freed = await brokenBy(({ ledger }) => [
      ledger.changedBy('returned', 'ann', ['c2'], { state: 'unused' }),
    ]);
    expect(freed).toEqual(['I4']);
  });

  test('a used coupon without an order is found', async () => {
    expect(
      await brokenBy(({ ledger }) => [ledger.changedBy('used', 'ann', ['c3'], { state: 'used' })]),
    ).toEqual(['I4']);
  });

  test('a reservation that is in the due set no more is found', async () => {
    const lost = { field: Buffer.from('ann/o3'), value: undefined };
    expect(
      await brokenBy(() => [{ kind: 'lapsed', writes: [{ target: 'due', id: '', fields: [lost] }] }]),
    ).toEqual(['I4']);
  });

  test.each([
    ['skips a number', { number: 7 }],
    ['does not go on from the last balance', { balanceAfter: 99 }],
    ['does not say what the lots say', { points: 7, balanceAfter: 27 }],
  ])('a points transaction that %s is found', async (_what, changes) => {
    expect(await brokenBy(({ orders }) => [orders.points('points_earned', 'ann', 5, changes)])).toContain(
      'I5',
    );
  });

  test('a use that is counted twice is found', async () => {
    const field = { field: Buffer.from('n'), value: Buffer.from('7') };
    expect(
      await brokenBy(() => [{ kind: 'used', writes: [{ target: 'usage', id: '1', fields: [field] }] }]),
    ).toEqual(['I8']);
  });

  const plants: Record<string, () => Promise<unknown>> = {
    'an order changed in Redis': () => fixture.redis.hset(`${KEYS.orderPrefix}ann/o3`, 'h', 'x'),
    'an order lost in Redis': () => fixture.redis.del(`${KEYS.orderPrefix}ann/o3`),
    'an order nobody made': () => fixture.redis.hset(`${KEYS.orderPrefix}eve/o1`, 'h', 'x'),
    'an account changed in Redis': () => fixture.redis.hset(`${KEYS.accountPrefix}ann`, 'p', 'x'),
    'a use changed in Redis': () => fixture.redis.hset(`${KEYS.usagePrefix}1`, 'n', '9'),
    'a due time changed in Redis': () => fixture.redis.zadd(KEYS.due, 5, 'ann/o3'),
    'a due order nobody holds': () => fixture.redis.zadd(KEYS.due, 5, 'eve/o1'),
    'a field lost in Postgres': () =>
      sql`DELETE FROM ledger_field WHERE target = 'account' AND field = 'p'::bytea`,
    'a field nobody wrote, in Postgres': () =>
      sql`INSERT INTO ledger_field VALUES (1, 0, 'order', 'eve/o1', 'h', 'x', 1)`,
    'an order changed in Postgres': () => sql`UPDATE redemption SET payable_minor = 1 WHERE order_id = 'o3'`,
    'a use of an order lost in Postgres': () => sql`DELETE FROM redemption_promotion WHERE order_id = 'o3'`,
    'an order nobody made, in Postgres': () =>
      sql`UPDATE redemption SET user_id = 'eve' WHERE order_id = 'o3'`,
    'a points transaction lost in Postgres': () => sql`DELETE FROM points_entry WHERE number = 1`,
    'points changed in Postgres': () => sql`UPDATE points_entry SET points = 1 WHERE number = 1`,
  };

  test.each(Object.keys(plants))('%s is found', async (name) => {
    await history(life().entries);
    await plants[name]?.();
    expect(new Set(await broken())).toEqual(new Set(['I6']));
  });
});

describe('I7, one history', () => {
  test('a row missing in the log is found', async () => {
    await tenClaims();
    await sql`DELETE FROM event_log WHERE seq = 1`;
    expect(await broken()).toContain('I7');
  });

  test('other bytes under one number are found', async () => {
    await tenClaims();
    await sql`UPDATE event_log SET payload = set_byte(payload, 6, (get_byte(payload, 6) + 1) % 256) WHERE seq = 1`;
    expect(await broken()).toEqual(['I7']);
  });

  test('a log that ends before the cursor, and a cursor with other bytes, are found', async () => {
    await tenClaims();
    await sql`UPDATE ledger_cursor SET entry_payload = ''::bytea`;
    expect(await broken()).toEqual(['I7']);
    await sql`DELETE FROM event_log WHERE seq = (SELECT max(seq) FROM event_log)`;
    expect(await broken()).toContain('I7');
  });

  test('events trimmed before they were archived are found', async () => {
    await tenClaims();
    for (const user of ['x', 'y']) await fixture.claim({ user, request: 'r1' });
    await fixture.admin.trimBelow((await fixture.admin.lastSeq()) ?? 0);
    expect(await broken()).toContain('I7');
  });

  test('a gap in the stream is found', async () => {
    await tenClaims();
    for (const user of ['x', 'y', 'z']) await fixture.claim({ user, request: 'r1' });
    await fixture.redis.xdel(KEYS.stream, `1-${((await fixture.admin.lastSeq()) ?? 0) - 1}`);
    expect(await broken()).toContain('I7');
  });

  test('a Redis that is behind the archive is found', async () => {
    await tenClaims();
    const last = (await fixture.admin.lastSeq()) ?? 0;
    await fixture.redis.xdel(KEYS.stream, `1-${last}`);
    expect(await broken()).toContain('I7');
  });
});

describe('quarantine', () => {
  test('an event that waits is found', async () => {
    await tenClaims();
    await sql`INSERT INTO quarantine (generation, partition, seq, event_index, subject, error) VALUES (1, 0, 1, 0, '', 'x')`;
    expect(await broken()).toEqual(['Q']);
  });

  test('an unprojected entry nobody waits for is found', async () => {
    await tenClaims();
    await sql`UPDATE event_log SET projected = false WHERE seq = 1`;
    expect(await broken()).toEqual(['Q']);
  });
});
