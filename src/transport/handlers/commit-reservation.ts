/** CommitReservation: the order was paid, so what it holds is used. */
import type {
  CommitReservationRequestSchema,
  CommitReservationResponseSchema,
} from '../../gen/hongbao/v1/redemption_service_pb.ts';
import type { Redemptions } from '../../redemption/redemptions.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { redemptionMessage } from '../redemption-message.ts';

/** Makes the handler. */
export function commitReservation(deps: {
  readonly redemptions: Pick<Redemptions, 'commit'>;
}): UnaryHandler<typeof CommitReservationRequestSchema, typeof CommitReservationResponseSchema> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const { orderId, requestId, reservationId } = request;
    const ending = { userId, orderId, requestId, reservationId };
    const answer = await deps.redemptions.commit(ending, context.deadlineMs);
    return { redemption: redemptionMessage(answer.order, context.nowMs), replayed: answer.replayed };
  };
}
