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
