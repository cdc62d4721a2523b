/** The audit of what partitions hold against what the pools lent. I1, LEDGER 10, SPEC C3 */
import { create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkLeases } from '../../src/archive/audit/check-leases.ts';
import { MoneyBudgetSchema } from '../../src/gen/hongbao/v1/availability_pb.ts';
import { homePartition, partitionKeys } from '../../src/ledger/keys.ts';
import { definitionOf, reasonOf, soon } from '../ledger-fixture.ts';
import { caller, orderOf, type RedemptionFixture, startRedemptionFixture } from '../redemption-fixture.ts';

const PARTITIONS = 4;
const SHARED = 7;
const BUDGETED = 8;
const USERS = Array.from({ length: 24 }, (_, user) => `user-${user}`);

let fixture: RedemptionFixture;
beforeAll(async () => {
  fixture = await startRedemptionFixture({ ledger: { settings: { partitions: PARTITIONS } } });
});
afterAll(() => fixture.close());

const breaches = async () => (await checkLeases(fixture.ledger.admins)).breaches;
const poolKey = (ref: number) => {
  return `${partitionKeys(homePartition(ref, PARTITIONS), PARTITIONS).poolPrefix}${ref}`;
};

async function claimAll(prefix: string): Promise<string[]> {
  const claims = USERS.map((user) =>
    fixture.ledger.claim({ user: prefix + user, request: 'r', ref: SHARED }),
  );
  return (await Promise.all(claims)).map(reasonOf);
}

it('holds while coupons, uses and a budget are lent, taken back and cut, and finds figures that were changed', async () => {
  const { ledger, redis } = fixture.ledger;
  const define = (version: number, quantity: number) =>
    ledger.define(definitionOf({ ref: SHARED, version, quantity }), soon());
  await define(1, 60);
  const running = Promise.all([claimAll('a'), claimAll('b')]);
  expect(await breaches()).toEqual([]);
  await running;
  await define(2, 50);
  expect(await breaches()).toEqual([]);
  expect((await claimAll('c')).filter((reason) => reason === 'claimed')).toHaveLength(2);
  const budget = create(MoneyBudgetSchema, { amountMinor: 1_000_000n });
  await fixture.define({ ref: BUDGETED, limits: { usesTotal: 1_000n, budget } });
  for (const userId of USERS) {
    const couponIds = [await fixture.issue(userId, BUDGETED)];
    await fixture.redemptions.reserve(orderOf({ userId, orderId: 'o', couponIds }), caller());
  }
  const { figures, breachCount } = await checkLeases(fixture.ledger.admins);
  expect(breachCount).toBe(0);
  // Coupons of both promotions, uses and money of one.
  expect(figures['shares']).toBe(4 * PARTITIONS);

  await redis.hset(poolKey(SHARED), 'b1', 1_000);
  await redis.hset(poolKey(BUDGETED), 'n:g2', 0);
  const found = await breaches();
  expect(found).toHaveLength(2);
  expect(found).toContainEqual(
    expect.stringContaining(`1000 coupons of promotion ${SHARED} back from partition 1`),
  );
  expect(found).toContainEqual(
    expect.stringContaining(`counter n of promotion ${BUDGETED}, the pool lent it 0`),
  );
});
