/** CommitReservation: the order was paid, so what it holds is used. */
import type { CommitReservationRequest } from '../../gen/hot/redemption-requests.ts';
import type { CommitReservationResponse } from '../../gen/hot/redemption-responses.ts';
import type { Redemptions } from '../../redemption/redemptions.ts';
import type { CodecHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { redemptionAnswer } from '../redemption-message.ts';

/** Makes the handler. */
export function commitReservation(deps: {
  readonly redemptions: Pick<Redemptions, 'commit'>;
}): CodecHandler<CommitReservationRequest, CommitReservationResponse> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const { orderId, requestId, reservationId } = request;
    const ending = { userId, orderId, requestId, reservationId };
    const answer = await deps.redemptions.commit(ending, context.deadlineMs);
    return redemptionAnswer(answer, context.nowMs);
  };
}
