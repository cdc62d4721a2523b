/** UseCoupons: uses everything a paid order uses, in one step. */
import type {
  UseCouponsRequestSchema,
  UseCouponsResponseSchema,
} from '../../gen/hongbao/v1/redemption_service_pb.ts';
import type { Redemptions } from '../../redemption/redemptions.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { orderRequest } from '../order-request.ts';
import { redemptionMessage } from '../redemption-message.ts';

/** Makes the handler. */
export function useCoupons(deps: {
  readonly redemptions: Pick<Redemptions, 'use'>;
}): UnaryHandler<typeof UseCouponsRequestSchema, typeof UseCouponsResponseSchema> {
  return async (request, context) => {
    const order = orderRequest(request, userOf(context.identity, request.userId));
    const answer = await deps.redemptions.use(order, context);
    return { redemption: redemptionMessage(answer.order, context.nowMs), replayed: answer.replayed };
  };
}
