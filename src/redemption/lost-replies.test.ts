import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { soon } from '../../test/ledger-fixture.ts';
import { type LossyProxy, startLossyProxy } from '../../test/lossy-proxy.ts';
import {
  caller,
  orderOf,
  type RedemptionFixture,
  startRedemptionFixture,
} from '../../test/redemption-fixture.ts';
import type { RedemptionPorts } from './redemption-ports.ts';
import { Redemptions } from './redemptions.ts';

let proxy: LossyProxy;
let fixture: RedemptionFixture;
/** Every write of these loses its answer: it is carried out, and nobody hears of it. */
let redemptions: Redemptions;
beforeAll(async () => {
  fixture = await startRedemptionFixture({
    ledger: {
      // A lost answer is waited for this long, several times.
      settings: { commandTimeoutMs: 1_000 },
      through: async (port) => {
        proxy = await startLossyProxy(port);
        return proxy.port;
      },
    },
  });
  await fixture.define({ ref: 1, limits: { usesTotal: 1n } });
  const { ledger } = fixture.ledger;
  const lossy: RedemptionPorts['ledger'] = {
    partitions: ledger.partitions,
    leases: ledger.leases,
    partitionOf: (userId) => ledger.partitionOf(userId),
    recordsAt: (partition, names, deadlineMs) => ledger.recordsAt(partition, names, deadlineMs),
    read: (deadlineMs, read) => ledger.read(deadlineMs, read),
    nowMs: () => ledger.nowMs(),
    transact: (transaction, deadlineMs) => {
      if (transaction.steps.some(({ kind }) => kind === 'set')) proxy.loseReplies(1);
      return ledger.transact(transaction, deadlineMs);
    },
  };
  redemptions = new Redemptions({ ...fixture.ports, ledger: lossy });
});
afterAll(async () => {
  await fixture.close();
  await proxy.close();
});

// SPEC L3, L5, C3
describe('an answer of the ledger that is lost on the way', () => {
  it('makes nothing happen twice and is found out by the same call', async () => {
    const couponIds = [await fixture.issue('ann', 1)];
    const before = proxy.lost;
    const { order } = await redemptions.reserve(orderOf({ couponIds }), caller());
    expect(order.redemption.state).toBe('reserved');
    expect(proxy.lost).toBe(before + 1);
    expect(await fixture.used(1, 'n')).toBe(1);
    const ending = { userId: 'ann', orderId: 'o1', requestId: 'x1', reservationId: '', reason: '' };
    expect((await redemptions.release(ending, soon())).order.redemption.state).toBe('released');
    expect(proxy.lost).toBe(before + 2);
    expect(await fixture.used(1, 'n')).toBe(0);
    const used = await redemptions.use(orderOf({ requestId: 'r2', couponIds }), caller());
    expect(used.order.redemption.state).toBe('committed');
    expect(await fixture.used(1, 'n')).toBe(1);
    expect(proxy.lost).toBe(before + 3);
  });

  it('does not commit twice', async () => {
    await redemptions.reserve(orderOf({ orderId: 'o2' }), caller());
    const ending = { userId: 'ann', orderId: 'o2', requestId: 'c1', reservationId: '' };
    const { order } = await redemptions.commit(ending, soon());
    expect(order.redemption.state).toBe('committed');
    expect((await redemptions.commit(ending, soon())).replayed).toBe(true);
  });
});
