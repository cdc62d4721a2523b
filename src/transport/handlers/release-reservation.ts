/** ReleaseReservation: the order was not paid, so what it holds is free again. */
import type { ReleaseReservationRequest } from '../../gen/hot/redemption-requests.ts';
import type { ReleaseReservationResponse } from '../../gen/hot/redemption-responses.ts';
import type { Redemptions } from '../../redemption/redemptions.ts';
import type { CodecHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { redemptionAnswer } from '../redemption-message.ts';

/** Makes the handler. */
export function releaseReservation(deps: {
  readonly redemptions: Pick<Redemptions, 'release'>;
}): CodecHandler<ReleaseReservationRequest, ReleaseReservationResponse> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const { orderId, requestId, reservationId, reason } = request;
    const ending = { userId, orderId, requestId, reservationId, reason };
    const answer = await deps.redemptions.release(ending, context.deadlineMs);
    return redemptionAnswer(answer, context.nowMs);
  };
}
