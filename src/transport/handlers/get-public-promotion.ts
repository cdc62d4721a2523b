/** GetPublicPromotion: what anyone may know about one promotion, with the stock left. */
import { Refusal } from '../../domain/refusal.ts';
import type {
  GetPublicPromotionRequestSchema,
  GetPublicPromotionResponseSchema,
} from '../../gen/hongbao/v1/coupon_service_pb.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { UnaryHandler } from '../binding.ts';
import type { PromotionBook } from '../promotion-book.ts';
import { publicPromotion, stockLeft } from '../public-promotion.ts';

/** Makes the handler. */
export function getPublicPromotion(deps: {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly book: PromotionBook;
}): UnaryHandler<typeof GetPublicPromotionRequestSchema, typeof GetPublicPromotionResponseSchema> {
  return async (request, context) => {
    const promotion = deps.book.byId(request.promotionId);
    if (promotion === undefined) throw new Refusal('PROMOTION_NOT_FOUND', 'There is no such promotion');
    const [stock] = await deps.ledger.read(context.deadlineMs, (reads) =>
      reads.stock([promotion.ref], undefined),
    );
    const left = stockLeft(promotion, stock);
    return {
      promotion: publicPromotion(promotion, stock, context.nowMs),
      ...(left !== undefined && { stockLeft: left }),
    };
  };
}
