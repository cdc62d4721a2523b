import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Refusal } from '../../src/domain/refusal.ts';
import { MoneyBudgetSchema } from '../../src/gen/hongbao/v1/availability_pb.ts';
import { createSweepJob } from '../../src/redemption/sweep-job.ts';
import { soon } from '../ledger-fixture.ts';
import {
  caller,
  DISCOUNT_MINOR,
  orderOf,
  type RedemptionFixture,
  startRedemptionFixture,
} from '../redemption-fixture.ts';

let fixture: RedemptionFixture;
beforeAll(async () => {
  fixture = await startRedemptionFixture({ ledger: { settings: { partitions: 4 } } });
});
afterAll(() => fixture.close());

/** Reserves an order of each user, all at once, with a coupon of the promotion; the reasons of those refused. */
async function reserveAll(
  ref: number,
  users: readonly string[],
): Promise<{ done: number; reasons: string[] }> {
  const orders = await Promise.all(
    users.map(async (userId) => {
      const couponIds = [await fixture.issue(userId, ref)];
      return orderOf({ userId, orderId: `${ref}-${userId}`, requestId: `${ref}-${userId}`, couponIds });
    }),
  );
  const settled = await Promise.allSettled(
    orders.map((order) => fixture.redemptions.reserve(order, caller())),
  );
  const reasons = settled.flatMap((one) => {
    if (one.status === 'fulfilled') return [];
    return [one.reason instanceof Refusal ? one.reason.reason : String(one.reason)];
  });
  return { done: settled.length - reasons.length, reasons };
}

function usersOf(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
}

// LEDGER 10, SPEC L5
describe('limits of orders that four partitions share', () => {
  it('let exactly as many uses through as there are, and the refusal tells what all count', async () => {
    await fixture.define({ ref: 21, limits: { usesTotal: 40n } });
    const { done, reasons } = await reserveAll(21, usersOf('a', 100));
    expect(done).toBe(40);
    expect(new Set(reasons)).toEqual(new Set(['USES_EXHAUSTED']));
    expect(await fixture.used(21, 'n')).toBe(40);
    const couponIds = [await fixture.issue('late', 21)];
    const refused = fixture.redemptions.reserve(orderOf({ userId: 'late', couponIds }), caller());
    await expect(refused).rejects.toMatchObject({ detail: { metadata: { needed: '40', seen: '40' } } });
  });

  it('spend a budget to what is too little for one more order, and no further', async () => {
    const amountMinor = BigInt(25 * DISCOUNT_MINOR + DISCOUNT_MINOR / 2);
    await fixture.define({ ref: 22, limits: { budget: create(MoneyBudgetSchema, { amountMinor }) } });
    const { done, reasons } = await reserveAll(22, usersOf('b', 60));
    expect(done).toBe(25);
    expect(new Set(reasons)).toEqual(new Set(['BUDGET_EXHAUSTED']));
    expect(await fixture.used(22, 'm')).toBe(25 * DISCOUNT_MINOR);
  });

  it('let uses that were given back be had by users of any partition', async () => {
    await fixture.define({ ref: 23, limits: { usesPerDay: 10n } });
    expect(await reserveAll(23, usersOf('c', 10))).toMatchObject({ done: 10 });
    for (const userId of usersOf('c', 3)) {
      const order = { userId, orderId: `23-${userId}`, requestId: `back-${userId}`, reservationId: '' };
      await fixture.redemptions.release({ ...order, reason: '' }, caller().deadlineMs);
    }
    expect(await reserveAll(23, usersOf('d', 20))).toMatchObject({ done: 3 });
  });

  it('do not exceed a limit that fell after more had been lent', async () => {
    await fixture.define({ ref: 24, limits: { usesTotal: 200n } });
    expect(await reserveAll(24, usersOf('e', 12))).toMatchObject({ done: 12 });
    await fixture.define({ ref: 24, limits: { usesTotal: 20n } });
    expect(await reserveAll(24, usersOf('f', 40))).toMatchObject({ done: 8 });
    await fixture.define({ ref: 24, limits: { usesTotal: 15n } });
    expect(await reserveAll(24, usersOf('g', 5))).toMatchObject({ done: 0 });
    expect(await fixture.used(24, 'n')).toBe(20);
  });

  it('count what was used before there was a limit', async () => {
    await fixture.define({ ref: 25 });
    expect(await reserveAll(25, usersOf('h', 12))).toMatchObject({ done: 12 });
    await fixture.define({ ref: 25, limits: { usesTotal: 20n } });
    expect(await reserveAll(25, usersOf('i', 30))).toMatchObject({ done: 8 });
  });
});

// SPEC L3, LEDGER 8
it('reservations past their time lapse in every partition by one sweep', async () => {
  await fixture.define({ ref: 26 });
  const users = usersOf('due', 24);
  const { ledger } = fixture.ledger;
  expect(new Set(users.map((userId) => ledger.partitionOf(userId))).size).toBe(4);
  for (const userId of users) {
    const couponIds = [await fixture.issue(userId, 26)];
    await fixture.redemptions.reserve(orderOf({ userId, couponIds, holdMs: 1 }), caller());
    await fixture.redemptions.reserve(orderOf({ userId, orderId: 'later' }), caller());
  }
  const job = createSweepJob({ ...fixture.ports, nowMs: Date.now });
  const context = { signal: new AbortController().signal, nowMs: 0, progress: () => undefined };
  let lapsed = 0;
  const sweep = async () => {
    const counts = await job.run(context);
    expect(counts['failed']).toBe(0);
    lapsed += counts['lapsed'] ?? 0;
    return lapsed;
  };
  await expect.poll(sweep, { timeout: 10_000 }).toBe(users.length);
  expect(await job.run(context)).toEqual({ lapsed: 0, settled: 0, failed: 0 });
  for (const userId of users) {
    const stateOf = async (orderId: string) =>
      (await fixture.redemptions.get(userId, orderId, soon())).redemption.state;
    expect(await Promise.all(['o1', 'later'].map(stateOf))).toEqual(['expired', 'reserved']);
  }
});
