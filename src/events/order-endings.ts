/** Ending redemptions by the operations that callers use. */
import type { Redemptions } from '../redemption/redemptions.ts';
import { type ReturnPorts, returnCoupons } from '../redemption/return-coupons.ts';
import type { OrderEndings } from './event-ports.ts';

/** Whatever reservation the order has is meant. */
const ANY_RESERVATION = '';

/** What ends the redemptions of cancelled and refunded orders. */
export function orderEndings(redemptions: Pick<Redemptions, 'release'>, returns: ReturnPorts): OrderEndings {
  const { archive } = returns;
  return {
    bringBack: async (userId, orderId, deadlineMs) => await archive?.hydrate(userId, orderId, deadlineMs),
    release: (order, deadlineMs) =>
      redemptions.release({ ...order, reservationId: ANY_RESERVATION }, deadlineMs),
    returnCoupons: (order, deadlineMs) => returnCoupons(returns, order, deadlineMs),
  };
}
