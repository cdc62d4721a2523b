/** ReserveCoupons: holds everything an unpaid order uses, for a time. */
import type {
  ReserveCouponsRequestSchema,
  ReserveCouponsResponseSchema,
} from '../../gen/hongbao/v1/redemption_service_pb.ts';
import type { Redemptions } from '../../redemption/redemptions.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { orderRequest } from '../order-request.ts';
import { redemptionMessage } from '../redemption-message.ts';

/** Makes the handler. */
export function reserveCoupons(deps: {
  readonly redemptions: Pick<Redemptions, 'reserve'>;
}): UnaryHandler<typeof ReserveCouponsRequestSchema, typeof ReserveCouponsResponseSchema> {
  return async (request, context) => {
    const order = orderRequest(request, userOf(context.identity, request.userId));
    const answer = await deps.redemptions.reserve(order, context);
    return { redemption: redemptionMessage(answer.order, context.nowMs), replayed: answer.replayed };
  };
}
