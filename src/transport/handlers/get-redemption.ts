/** GetRedemption: what an order holds or uses. An end user sees own orders only, nobody those of an erased user. */
import { refundsOf } from '../../domain/refund-record.ts';
import { Refusal } from '../../domain/refusal.ts';
import type {
  GetRedemptionRequestSchema,
  GetRedemptionResponseSchema,
} from '../../gen/hongbao/v1/redemption_service_pb.ts';
import { isErased } from '../../ledger/erased-user.ts';
import type { Redemptions } from '../../redemption/redemptions.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { redemptionMessage } from '../redemption-message.ts';
import { refundMessage } from '../refund-message.ts';

/** Makes the handler. */
export function getRedemption(deps: {
  readonly redemptions: Pick<Redemptions, 'get'>;
}): UnaryHandler<typeof GetRedemptionRequestSchema, typeof GetRedemptionResponseSchema> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const order = await deps.redemptions.get(userId, request.orderId, context.deadlineMs);
    if (isErased(order.account)) throw new Refusal('ORDER_NOT_FOUND', 'The user has no such order here');
    const refunds = refundsOf(order.order).map((refund) => refundMessage(refund));
    return { redemption: redemptionMessage(order, context.nowMs), refunds };
  };
}
