/** HideCoupon: takes a coupon that can no longer be used out of its owner's lists. Repeating it changes nothing. */
import { parseCouponId } from '../../domain/coupon.ts';
import { Refusal } from '../../domain/refusal.ts';
import type {
  HideCouponRequestSchema,
  HideCouponResponseSchema,
} from '../../gen/hongbao/v1/coupon_service_pb.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';

/** Makes the handler. */
export function hideCoupon(deps: {
  readonly ledger: Pick<Ledger, 'hide'>;
}): UnaryHandler<typeof HideCouponRequestSchema, typeof HideCouponResponseSchema> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const parts = parseCouponId(request.couponId);
    if (parts === undefined) throw new Refusal('COUPON_NOT_FOUND', 'There is no such coupon');
    await deps.ledger.hide(userId, parts.fieldHex, context.deadlineMs);
    return {};
  };
}
