/** ExchangeCoupon: buys a coupon with points, both or neither. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { mayAssertFacts } from '../../domain/identity.ts';
import { Refusal } from '../../domain/refusal.ts';
import type {
  ExchangeCouponRequestSchema,
  ExchangeCouponResponseSchema,
} from '../../gen/hongbao/v1/points_service_pb.ts';
import type { Points } from '../../points/points.ts';
import { type AcknowledgePorts, acknowledge } from '../acknowledge.ts';
import type { UnaryHandler } from '../binding.ts';
import { claimFacts } from '../claim-facts.ts';
import { answerDeadline, userOf } from '../claim-intake.ts';
import type { PromotionBook } from '../promotion-book.ts';

/** What the handler is made of. */
export interface ExchangePorts extends AcknowledgePorts {
  readonly book: Pick<PromotionBook, 'byId'>;
  readonly points: Pick<Points, 'exchange'>;
  /** Looks the ref of a promotion up; undefined when there is none. Throws a refusal when that cannot be known. */
  readonly findRef: (promotionId: string, deadlineMs: number) => Promise<number | undefined>;
}

/** Makes the handler. */
export function exchangeCoupon(
  ports: ExchangePorts,
): UnaryHandler<typeof ExchangeCouponRequestSchema, typeof ExchangeCouponResponseSchema> {
  const { points, book, findRef } = ports;
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const { promotionId, requestId } = request;
    const deadlineMs = answerDeadline(context);
    const promotionRef = await findRef(promotionId, deadlineMs);
    if (promotionRef === undefined) throw new Refusal('PROMOTION_NOT_FOUND', 'There is no such promotion');
    const facts = mayAssertFacts(context.identity) ? claimFacts(request.facts) : undefined;
    const bought = await points.exchange({ promotionRef, userId, requestId, facts }, deadlineMs);
    const { coupon } = bought;
    const { expiresAtMs } = coupon;
    return {
      couponId: coupon.couponId,
      promotionId,
      promotionVersion: coupon.promotionVersion,
      replayed: coupon.isReplay,
      acknowledgement: await acknowledge(ports, book.byId(promotionId), coupon.couponId, deadlineMs),
      issuedAt: timestampFromMs(coupon.issuedAtMs),
      validFrom: timestampFromMs(coupon.validFromMs),
      ...(expiresAtMs !== undefined && { expiresAt: timestampFromMs(expiresAtMs) }),
      pointsSpent: BigInt(bought.pointsSpent),
      pointsLeft: BigInt(bought.pointsLeft),
    };
  };
}
