/** Claims of promotions with the acknowledgement level LEDGER: answered once the archive has them. SPEC C4, LEDGER 13 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { archiverOf } from '../../test/archived-ledger.ts';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import {
  definitionOf,
  isClaimed,
  type LedgerFixture,
  reasonOf,
  soon,
  startLedgerFixture,
} from '../../test/ledger-fixture.ts';
import { createDatabase, type Sql } from '../database/client.ts';
import { partitionKeys } from '../ledger/keys.ts';
import { ArchiveClient } from './archive-client.ts';
import { ArchiveWatch } from './archive-watch.ts';
import type { Archiver } from './archiver.ts';

const KEYS = partitionKeys(0);
const OPTIONS = { applicationName: 'test', statementTimeoutMs: 5_000, connectTimeoutMs: 1_000 };

let database: TestDatabase;
let sql: Sql;
let client: ArchiveClient;
let fixture: LedgerFixture;
let archiver: Archiver;
let looks: number;

beforeEach(async () => {
  database = await createTestDatabase();
  looks = 0;
  sql = createDatabase(database.url, { ...OPTIONS, maxConnections: 2 });
  client = new ArchiveClient(database.url);
  const counted = new Proxy(sql, {
    apply: (target, self, args) => {
      looks += 1;
      return Reflect.apply(target, self, args);
    },
  });
  const watch = new ArchiveWatch({ sql: counted, generation: () => 1, nowMs: Date.now });
  fixture = await startLedgerFixture({ archived: watch });
  archiver = archiverOf(client, fixture.admin, { flushIntervalMs: 0 });
  await fixture.ledger.define(definitionOf({ acknowledgement: 'ledger', quantity: 1_000 }), soon());
});
afterEach(async () => {
  await client.close();
  await sql.end({ timeout: 1 });
  await Promise.all([fixture.close(), database.drop()]);
});

async function archiveUntil(isOver: () => boolean): Promise<void> {
  while (!isOver()) await sleep(await archiver.turn());
}

async function archiveAll(): Promise<void> {
  for (;;) {
    await sleep(await archiver.turn());
    const [row] = await sql<{ seq: string }[]>`SELECT seq FROM ledger_cursor`;
    if (Number(row?.seq ?? -1) === (await fixture.admin.lastSeq())) return;
  }
}

const archivedCoupons = async (): Promise<number> => (await sql`SELECT 1 FROM coupon`).length;

describe('the level LEDGER', () => {
  it('answers when Postgres has committed the coupon, and says so', async () => {
    let answered = 0;
    const claims = Array.from({ length: 100 }, async (_, index) => {
      const answer = await fixture.claim({ user: `u${index}`, request: 'r1' });
      answered += 1;
      return answer;
    });
    while ((await fixture.redis.hget(`${KEYS.promotionPrefix}1`, 'issued')) !== '100') await sleep(5);
    expect(answered).toBe(0);
    const before = looks;
    await archiveUntil(() => answered === 100);
    const answers = await Promise.all(claims);
    expect(answers.filter((answer) => isClaimed(answer) && answer.acknowledgement === 'ledger')).toHaveLength(
      100,
    );
    expect(await archivedCoupons()).toBe(100);
    // They waited together: far fewer looks than claims.
    expect(looks - before).toBeLessThan(100);
  });

  it('leaves the outcome unknown when the deadline passes first, and the same request finds the coupon later', async () => {
    await archiveAll();
    const late = await fixture.claim({ user: 'ann', request: 'r1', timeoutMs: 1_000 });
    expect(reasonOf(late)).toBe('DEADLINE_EXCEEDED');
    await archiveAll();
    expect(await fixture.claim({ user: 'ann', request: 'r1' })).toMatchObject({
      isReplay: true,
      acknowledgement: 'ledger',
    });
  });

  it('is refused at once, without effect, while the oldest entry has waited longer than the claim would', async () => {
    await archiveAll();
    await fixture.claim({ user: 'ann', request: 'r1', timeoutMs: 1_000 });
    const refused = await fixture.claim({ user: 'bob', request: 'r1', timeoutMs: 500 });
    expect(reasonOf(refused)).toBe('ARCHIVE_BACKLOG');
    expect(await fixture.redis.hget(`${KEYS.promotionPrefix}1`, 'issued')).toBe('1');
    // Who has more time may wait; who asks for less is not held up by the archive.
    await fixture.ledger.define(definitionOf({ ref: 2, id: 'fast', acknowledgement: 'fast' }), soon());
    expect(reasonOf(await fixture.claim({ user: 'bob', request: 'r2', ref: 2 }))).toBe('claimed');
  });

  it('does not take an entry that got the number of a lost one for its own', async () => {
    await archiveAll();
    const last = (await fixture.admin.lastSeq()) ?? 0;
    const watch = new ArchiveWatch({ sql, generation: () => 1, nowMs: Date.now });
    const couponId = '0'.repeat(44);
    const waiting = watch.coupon({ couponId, partition: 0, seq: last + 1 }, soon());
    const other = fixture.claim({ user: 'bob', request: 'r1' });
    while ((await fixture.redis.hget(`${KEYS.promotionPrefix}1`, 'issued')) !== '1') await sleep(5);
    await archiveAll();
    expect(await waiting).toBe('lost');
    expect(reasonOf(await other)).toBe('claimed');
  });

  it('answers unknown while Postgres is away, and claims of other levels go on', async () => {
    await fixture.ledger.define(definitionOf({ ref: 2, id: 'fast', acknowledgement: 'fast' }), soon());
    await archiveAll();
    await sql.end({ timeout: 1 });
    expect(reasonOf(await fixture.claim({ user: 'bob', request: 'r1', ref: 2 }))).toBe('claimed');
    const answer = await fixture.claim({ user: 'ann', request: 'r1', timeoutMs: 1_000 });
    expect(reasonOf(answer)).toBe('ARCHIVE_UNAVAILABLE');
    sql = createDatabase(database.url, { ...OPTIONS, maxConnections: 2 });
  });
});
