import { afterAll, beforeAll, expect, it } from 'vitest';
import { soon } from '../../test/ledger-fixture.ts';
import {
  caller,
  orderOf,
  type RedemptionFixture,
  startRedemptionFixture,
} from '../../test/redemption-fixture.ts';
import type { RedemptionPorts } from './redemption-ports.ts';
import { Redemptions } from './redemptions.ts';

let fixture: RedemptionFixture;
beforeAll(async () => {
  fixture = await startRedemptionFixture();
});
afterAll(async () => {
  await fixture.close();
});

/** Ports whose first read is followed by something before its answer arrives. */
function afterFirstRead(happens: () => Promise<unknown>): RedemptionPorts {
  const { ledger } = fixture.ledger;
  let isFirst = true;
  return {
    ...fixture.ports,
    ledger: {
      partitions: ledger.partitions,
      leases: ledger.leases,
      partitionOf: (userId) => ledger.partitionOf(userId),
      recordsAt: (partition, names, deadlineMs) => ledger.recordsAt(partition, names, deadlineMs),
      nowMs: () => ledger.nowMs(),
      transact: (transaction, deadlineMs) => ledger.transact(transaction, deadlineMs),
      read: async (deadlineMs, read) => {
        const answer = await ledger.read(deadlineMs, read);
        if (isFirst) {
          isFirst = false;
          await happens();
        }
        return answer;
      },
    },
  };
}

// SPEC L3
it('takes an order anew whose reservation somebody else has just let lapse', async () => {
  const { redemptions, ledger } = fixture;
  const { order } = await redemptions.reserve(orderOf({ holdMs: 1 }), caller());
  await expect.poll(() => ledger.ledger.nowMs() > order.redemption.dueAtMs + 5).toBe(true);
  const late = new Redemptions(afterFirstRead(() => redemptions.lapse('ann', 'o1', soon())));
  const again = await late.reserve(orderOf({ requestId: 'r2' }), caller());
  expect(again).toMatchObject({
    replayed: false,
    order: { redemption: { reservationId: 'r2', state: 'reserved' } },
  });
});

// SPEC L3, P9
it('names the coupon, and not the limit it counts against, when both went to another order meanwhile', async () => {
  await fixture.define({ ref: 1, limits: { usesPerUser: 1n } });
  const couponIds = [await fixture.issue('ben', 1)];
  const winner = orderOf({ userId: 'ben', couponIds });
  const late = new Redemptions(afterFirstRead(() => fixture.redemptions.reserve(winner, caller())));
  const order = orderOf({ userId: 'ben', orderId: 'o2', requestId: 'r2', couponIds });
  await expect(late.reserve(order, caller())).rejects.toMatchObject({ reason: 'COUPON_NOT_AVAILABLE' });
});

// SPEC L3, L5
it('answers with what the same call made meanwhile, though its coupon is no longer free', async () => {
  await fixture.define({ ref: 2 });
  const couponIds = [await fixture.issue('cat', 2)];
  const order = orderOf({ userId: 'cat', couponIds });
  const twin = new Redemptions(afterFirstRead(() => fixture.redemptions.reserve(order, caller())));
  expect(await twin.reserve(order, caller())).toMatchObject({
    replayed: true,
    order: { redemption: { state: 'reserved' } },
  });
});

// SPEC L3
it('gets a coupon that the sweep has just taken from a reservation past its time', async () => {
  const { redemptions, ledger } = fixture;
  await fixture.define({ ref: 4 });
  const couponIds = [await fixture.issue('eve', 4)];
  const { order } = await redemptions.reserve(orderOf({ userId: 'eve', couponIds, holdMs: 1 }), caller());
  await expect.poll(() => ledger.ledger.nowMs() > order.redemption.dueAtMs + 5).toBe(true);
  const late = new Redemptions(afterFirstRead(() => redemptions.lapse('eve', 'o1', soon())));
  const next = orderOf({ userId: 'eve', orderId: 'o2', requestId: 'r2', couponIds });
  expect(await late.reserve(next, caller())).toMatchObject({ replayed: false });
});

// SPEC P9
it('is refused for an automatic promotion only when it runs out again and nobody was faster', async () => {
  const own = await startRedemptionFixture();
  try {
    await own.define({ ref: 3, way: 'automatic', limits: { usesTotal: 1n } });
    await own.redemptions.use(orderOf({ userId: 'first' }), caller());
    const usage = { record: 'usage', id: '3' } as const;
    const more = { kind: 'add', on: usage, field: Buffer.from('n'), delta: 1 } as const;
    const noted: number[] = [];
    // The decisions of this test go on applying it whatever is noted; more is counted before the second of them.
    const busy: RedemptionPorts = {
      ...own.ports,
      exhausted: { note: (_ref, _userId, _limit, seen) => void noted.push(seen) },
      evaluate: async (...question) => {
        if (noted.length === 1)
          await own.ledger.ledger.transact({ event: 'used', opensNew: false, steps: [more] }, soon());
        return await own.ports.evaluate(...question);
      },
    };
    await expect(new Redemptions(busy).reserve(orderOf({ userId: 'dan' }), caller())).rejects.toMatchObject({
      reason: 'USES_EXHAUSTED',
    });
    expect(noted).toEqual([1, 2]);
  } finally {
    await own.close();
  }
});
