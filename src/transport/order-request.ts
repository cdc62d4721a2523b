/** Orders as requests of the contract state them. */
import type { ReserveCouponsRequest, UseCouponsRequest } from '../gen/hot/redemption-requests.ts';
import type { OrderRequest } from '../redemption/order-request.ts';

const MS_PER_SECOND = 1_000;
const NANOS_PER_MS = 1_000_000;

/** The order of a user as a request to reserve or use states it; the user is the one who was found to be meant. */
export function orderRequest(
  request: ReserveCouponsRequest | UseCouponsRequest,
  userId: string,
): OrderRequest {
  const { orderId, requestId, orderNumber, cart, facts, couponIds, codes, couponsPerOrder, offers } = request;
  return {
    userId,
    orderId,
    requestId,
    orderNumber,
    cart,
    facts,
    couponIds,
    codes,
    couponsPerOrder,
    offers,
    expectedPayableMinor: request.expectedPayableMinor,
    holdMs: 'timeout' in request ? holdMs(request.timeout) : undefined,
  };
}

function holdMs(timeout: ReserveCouponsRequest['timeout']): number | undefined {
  return timeout && Number(timeout.seconds) * MS_PER_SECOND + Math.floor(timeout.nanos / NANOS_PER_MS);
}
