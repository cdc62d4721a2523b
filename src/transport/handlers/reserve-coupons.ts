/** ReserveCoupons: holds everything an unpaid order uses, for a time. */
import type { ReserveCouponsRequest } from '../../gen/hot/redemption-requests.ts';
import type { ReserveCouponsResponse } from '../../gen/hot/redemption-responses.ts';
import type { Redemptions } from '../../redemption/redemptions.ts';
import type { CodecHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { orderRequest } from '../order-request.ts';
import { redemptionAnswer } from '../redemption-message.ts';

/** Makes the handler. */
export function reserveCoupons(deps: {
  readonly redemptions: Pick<Redemptions, 'reserve'>;
}): CodecHandler<ReserveCouponsRequest, ReserveCouponsResponse> {
  return async (request, context) => {
    const order = orderRequest(request, userOf(context.identity, request.userId));
    const answer = await deps.redemptions.reserve(order, context);
    return redemptionAnswer(answer, context.nowMs);
  };
}
