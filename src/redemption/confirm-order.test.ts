import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { soon } from '../../test/ledger-fixture.ts';
import {
  caller,
  orderOf,
  type RedemptionFixture,
  startRedemptionFixture,
} from '../../test/redemption-fixture.ts';
import { unconfirming } from '../../test/unconfirming-ledger.ts';
import { Redemptions } from './redemptions.ts';

let fixture: RedemptionFixture;
let unsure: Redemptions;
beforeAll(async () => {
  fixture = await startRedemptionFixture();
  unsure = new Redemptions({ ...fixture.ports, ledger: unconfirming(fixture.ledger.ledger) });
  await fixture.redemptions.use(orderOf({ orderId: 'used' }), caller());
});
afterAll(async () => {
  await fixture.close();
});

const ending = (orderId: string) => ({
  userId: 'ann',
  orderId,
  requestId: 'x',
  reservationId: '',
  reason: '',
});

type Ask = (redemptions: Redemptions) => Promise<unknown>;
const ASKS: readonly (readonly [string, Ask])[] = [
  ['ORDER_NOT_FOUND', (redemptions) => redemptions.commit(ending('none'), soon())],
  ['ORDER_ALREADY_COMMITTED', (redemptions) => redemptions.release(ending('used'), soon())],
  [
    'ORDER_ALREADY_COMMITTED',
    (redemptions) => redemptions.reserve(orderOf({ orderId: 'used', requestId: 'other' }), caller()),
  ],
];

// LEDGER 13, F13
describe('a refusal of an order that was read', () => {
  it.each(ASKS)(
    'is %s when what was read is as safe as a write, and unknown otherwise',
    async (reason, ask) => {
      await expect(ask(fixture.redemptions)).rejects.toMatchObject({ reason });
      await expect(ask(unsure)).rejects.toMatchObject({ reason: 'DURABILITY_UNMET' });
    },
  );
});
