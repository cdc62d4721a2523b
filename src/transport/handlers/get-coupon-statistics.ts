/** GetCouponStatistics: how many coupons a user has in each state; equal to the lists. */
import type {
  GetCouponStatisticsRequestSchema,
  GetCouponStatisticsResponseSchema,
} from '../../gen/hongbao/v1/coupon_service_pb.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { couponCounts } from '../coupon-message.ts';

/** Makes the handler. */
export function getCouponStatistics(deps: {
  readonly ledger: Pick<Ledger, 'read'>;
}): UnaryHandler<typeof GetCouponStatisticsRequestSchema, typeof GetCouponStatisticsResponseSchema> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const wallet = await deps.ledger.read(context.deadlineMs, (reads) => reads.wallet(userId));
    return { counts: couponCounts(wallet, context.nowMs) };
  };
}
