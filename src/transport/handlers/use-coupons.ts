/** UseCoupons: uses everything a paid order uses, in one step. */
import type { UseCouponsRequest } from '../../gen/hot/redemption-requests.ts';
import type { UseCouponsResponse } from '../../gen/hot/redemption-responses.ts';
import type { Redemptions } from '../../redemption/redemptions.ts';
import type { CodecHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { orderRequest } from '../order-request.ts';
import { redemptionAnswer } from '../redemption-message.ts';

/** Makes the handler. */
export function useCoupons(deps: {
  readonly redemptions: Pick<Redemptions, 'use'>;
}): CodecHandler<UseCouponsRequest, UseCouponsResponse> {
  return async (request, context) => {
    const order = orderRequest(request, userOf(context.identity, request.userId));
    const answer = await deps.redemptions.use(order, context);
    return redemptionAnswer(answer, context.nowMs);
  };
}
