/** RefundItems: units of a committed order go back; says what money, gifts, coupons and points move. */
import type {
  RefundItemsRequestSchema,
  RefundItemsResponseSchema,
} from '../../gen/hongbao/v1/redemption_service_pb.ts';
import { type RefundPorts, refundItems as refundUnits } from '../../redemption/refund-items.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { redemptionMessage } from '../redemption-message.ts';
import { refundMessage, refundPolicy } from '../refund-message.ts';

/** Makes the handler. */
export function refundItems(deps: {
  readonly returns: RefundPorts;
}): UnaryHandler<typeof RefundItemsRequestSchema, typeof RefundItemsResponseSchema> {
  return async (message, context) => {
    const { orderId, requestId, lines, shipping, reason, dryRun: isDryRun } = message;
    const request = {
      userId: userOf(context.identity, message.userId),
      orderId,
      requestId,
      lines: lines.map(({ lineId, quantity }) => ({ lineId, quantity })),
      shipping,
      policy: refundPolicy(message.policy),
      reason,
      isDryRun,
    };
    const { record, order, isReplay } = await refundUnits(deps.returns, request, context.deadlineMs);
    return {
      refund: refundMessage(record, context.nowMs),
      redemption: redemptionMessage(order, context.nowMs),
      replayed: isReplay,
    };
  };
}
