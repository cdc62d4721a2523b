import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ArchivedLedger, PLACES, runOnce, startArchivedLedger } from '../../test/archived-ledger.ts';
import { definitionOf, isClaimed, soon } from '../../test/ledger-fixture.ts';
import { MS_PER_DAY } from '../domain/durations.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createExpiryJob } from './note-expiry.ts';
import { createReminderJob } from './remind-expiring.ts';

const EVERY = { kind: 'every', everyMs: 1_000 } as const;

const metrics = createMetrics({ version: 'test', node: process.version });
let fixture: ArchivedLedger;
const ids: string[] = [];

beforeAll(async () => {
  fixture = await startArchivedLedger();
  await fixture.ledger.define(definitionOf({ quantity: 100, validity: { kind: 'days', days: 2 } }), soon());
  for (let index = 0; index < 7; index += 1) {
    const coupon = await fixture.claim({ user: `u${index}`, request: 'r1' });
    if (isClaimed(coupon)) ids.push(coupon.couponId);
  }
  // Coupons of one millisecond end together; their ids then decide.
  ids.sort();
  await fixture.archived();
});

afterAll(() => fixture.close());

const expiry = () =>
  createExpiryJob(
    { sql: fixture.sql, places: PLACES, batch: 3, metrics, nowMs: Date.now },
    { name: 'expire-coupons', times: EVERY, isEnabled: true },
  );
const reminder = (days: number) =>
  createReminderJob({
    sql: fixture.sql,
    places: PLACES,
    days,
    batch: 3,
    cron: '0 * * * *',
    timeZone: 'UTC',
    nowMs: Date.now,
  });

async function notices(kind: string): Promise<string[]> {
  const rows = await fixture.sql<{ coupon_id: Buffer }[]>`
    SELECT coupon_id FROM coupon_notice WHERE kind = ${kind} ORDER BY id`;
  return rows.map(({ coupon_id }) => coupon_id.toString('hex'));
}

// SPEC L11
describe('reminders', () => {
  test('announce what ends within the days asked for, each once, in order of its end', async () => {
    expect(await runOnce(reminder(1), Date.now())).toEqual({ reminded: 0 });
    expect(await runOnce(reminder(3), Date.now())).toEqual({ reminded: 7 });
    expect(await notices('expiring')).toEqual(ids);
    expect(await runOnce(reminder(3), Date.now() + MS_PER_DAY)).toEqual({ reminded: 0 });
  });

  test('are switched off by zero days', () => {
    expect(reminder(0).isEnabled).toBe(false);
  });
});

// SPEC L8
describe('expiry', () => {
  test('writes down what is past its date in batches, once, and touches nothing in Redis', async () => {
    const before = await fixture.admin.lastSeq();
    expect(await runOnce(expiry(), Date.now())).toEqual({ expired: 0 });
    const later = Date.now() + 3 * MS_PER_DAY;
    expect(await runOnce(expiry(), later)).toEqual({ expired: 7 });
    expect(await notices('expired')).toEqual(ids);
    expect(await runOnce(expiry(), later)).toEqual({ expired: 0 });
    expect(metrics.couponsExpired.value).toBe(7);
    expect(await fixture.admin.lastSeq()).toBe(before);
    await expectLateReturnIsFound();
  });
});

/** A coupon that came back from its order after its date is found, however far the walk by dates has come. */
async function expectLateReturnIsFound(): Promise<void> {
  const couponId = Buffer.from(ids[0] ?? '', 'hex');
  await fixture.sql`UPDATE job_progress SET at = now() + interval '1 year'`;
  await fixture.sql`DELETE FROM coupon_notice WHERE kind = 'expired' AND coupon_id = ${couponId}`;
  await fixture.sql`UPDATE coupon SET changed_at = expires_at + interval '200 days' WHERE coupon_id = ${couponId}`;
  expect(await runOnce(expiry(), Date.now() + 300 * MS_PER_DAY)).toEqual({ expired: 1 });
  expect(metrics.couponsExpired.value).toBe(8);
}
