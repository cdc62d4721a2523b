/** ReleaseReservation: the order was not paid, so what it holds is free again. */
import type {
  ReleaseReservationRequestSchema,
  ReleaseReservationResponseSchema,
} from '../../gen/hongbao/v1/redemption_service_pb.ts';
import type { Redemptions } from '../../redemption/redemptions.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { redemptionMessage } from '../redemption-message.ts';

/** Makes the handler. */
export function releaseReservation(deps: {
  readonly redemptions: Pick<Redemptions, 'release'>;
}): UnaryHandler<typeof ReleaseReservationRequestSchema, typeof ReleaseReservationResponseSchema> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const { orderId, requestId, reservationId, reason } = request;
    const ending = { userId, orderId, requestId, reservationId, reason };
    const answer = await deps.redemptions.release(ending, context.deadlineMs);
    return { redemption: redemptionMessage(answer.order, context.nowMs), replayed: answer.replayed };
  };
}
