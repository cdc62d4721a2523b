/** GetRedemption: what an order holds or uses. An end user sees own orders only. */
import type {
  GetRedemptionRequestSchema,
  GetRedemptionResponseSchema,
} from '../../gen/hongbao/v1/redemption_service_pb.ts';
import type { Redemptions } from '../../redemption/redemptions.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { redemptionMessage } from '../redemption-message.ts';

/** Makes the handler. */
export function getRedemption(deps: {
  readonly redemptions: Pick<Redemptions, 'get'>;
}): UnaryHandler<typeof GetRedemptionRequestSchema, typeof GetRedemptionResponseSchema> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const order = await deps.redemptions.get(userId, request.orderId, context.deadlineMs);
    return { redemption: redemptionMessage(order, context.nowMs) };
  };
}
