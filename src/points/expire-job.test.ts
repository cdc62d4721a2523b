import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { type LedgerFixture, soon, startLedgerFixture } from '../../test/ledger-fixture.ts';
import { ArchivePlaces } from '../archive/places.ts';
import { createDatabase, type Sql } from '../database/client.ts';
import { encodePointsState, type PointsLot } from '../domain/points.ts';
import { monthAfter, pointsMonthAt } from '../domain/points-month.ts';
import type { Job, JobCounts } from '../jobs/job.ts';
import { accountOf } from '../ledger/transaction.ts';
import { createExpirePointsJob } from './expire-job.ts';
import { Points } from './points.ts';

const TIME_ZONE = 'Asia/Shanghai';

let fixture: LedgerFixture;
let database: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  [fixture, database] = await Promise.all([startLedgerFixture(), createTestDatabase()]);
  const options = {
    applicationName: 'test',
    maxConnections: 2,
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
  };
  sql = createDatabase(database.url, options);
});
afterAll(async () => {
  await Promise.all([sql.end(), fixture.close()]);
  await database.drop();
});

function portsFor(expiryMonths: number) {
  const settings = { rates: {}, expiryMonths, timeZone: TIME_ZONE };
  const { ledger, metrics } = fixture;
  return { ledger, metrics, settings, sql, places: new ArchivePlaces(1, 1), nowMs: () => Date.now() };
}

/** Puts points where they are: in the ledger, and in the archive as the archiver writes them. */
async function putPoints(userId: string, lots: readonly PointsLot[]): Promise<void> {
  const value = Buffer.from(encodePointsState({ number: 0, earned: 1_000, debt: 0, lots }));
  const steps = [{ kind: 'set', on: accountOf(userId), field: Buffer.from('p'), value } as const];
  await fixture.ledger.transact({ event: 'points_earned', opensNew: false, steps }, soon());
  await archive(userId, value);
}

async function archive(userId: string, value: Buffer): Promise<void> {
  await sql`INSERT INTO ledger_field (generation, partition, target, id, field, value, seq)
    VALUES (1, 0, 'account', ${userId}, ${Buffer.from('p')}, ${value}, 1)`;
}

async function runOf(job: Job, signal = new AbortController().signal): Promise<JobCounts> {
  return await job.run({ signal, nowMs: Date.now(), progress: () => undefined });
}

// SPEC T5
it('points end for those who hold old ones, once, and one unreadable account stops nobody', async () => {
  const { month } = pointsMonthAt(fixture.ledger.nowMs(), TIME_ZONE);
  const [over, living] = [monthAfter(month, -4), monthAfter(month, -3)];
  await archive('a-broken', Buffer.from('not points'));
  await putPoints('ann', [
    { month: over, points: 70 },
    { month: living, points: 30 },
  ]);
  await putPoints('bea', [{ month: living, points: 5 }]);
  for (let user = 0; user < 60; user += 1) await putPoints(`many-${user}`, [{ month: over, points: 1 }]);

  const job = createExpirePointsJob(portsFor(3));
  expect(job).toMatchObject({ name: 'expire-points', isEnabled: true, times: { timeZone: TIME_ZONE } });
  expect(await runOf(job)).toEqual({ accounts: 63, expired: 61, points: 130 });
  // The archive of this test stands still, as one that lags: the ledger decides.
  expect(await runOf(job)).toEqual({ accounts: 63, expired: 0, points: 0 });
  const points = new Points(portsFor(3));
  expect(await points.balance('ann', soon())).toMatchObject({ available: 30, totalEarned: 1_000 });
  expect(await points.balance('bea', soon())).toMatchObject({ available: 5 });
});

it('a run ends soon when it is stopped', async () => {
  expect(await runOf(createExpirePointsJob(portsFor(3)), AbortSignal.abort())).toMatchObject({ accounts: 0 });
});

it('points live for ever unless told otherwise', async () => {
  const job = createExpirePointsJob(portsFor(0));
  expect(job.isEnabled).toBe(false);
  expect(await runOf(job)).toMatchObject({ expired: 0 });
});
