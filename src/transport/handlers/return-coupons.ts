/** ReturnCoupons: the order was cancelled, so its uses are given back. */
import type {
  ReturnCouponsRequestSchema,
  ReturnCouponsResponseSchema,
} from '../../gen/hongbao/v1/redemption_service_pb.ts';
import { type ReturnPorts, returnCoupons as returnUses } from '../../redemption/return-coupons.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { redemptionMessage } from '../redemption-message.ts';
import { returnedCouponMessage } from '../refund-message.ts';

/** Makes the handler. */
export function returnCoupons(deps: {
  readonly returns: ReturnPorts;
}): UnaryHandler<typeof ReturnCouponsRequestSchema, typeof ReturnCouponsResponseSchema> {
  return async ({ userId: stated, orderId, requestId, couponIds, reason }, context) => {
    const userId = userOf(context.identity, stated);
    const request = { userId, orderId, requestId, couponIds, reason };
    const { record, order, isReplay } = await returnUses(deps.returns, request, context.deadlineMs);
    return {
      redemption: redemptionMessage(order, context.nowMs),
      coupons: record.coupons.map((coupon) => returnedCouponMessage(coupon, record.atMs)),
      pointsReversed: BigInt(record.pointsReversed),
      replayed: isReplay,
    };
  };
}
