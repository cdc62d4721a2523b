import type { DefinitionPorts } from '../../definitions/definition-ports.ts';
import { issuedCounts } from '../../definitions/issued-counts.ts';
import { promotionView } from '../../definitions/promotion-view.ts';
import { readPromotion, readVersionOf } from '../../definitions/store/read-promotions.ts';
import type {
  GetPromotionRequestSchema,
  GetPromotionResponseSchema,
} from '../../gen/hongbao/v1/promotion_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';

/** Serves GetPromotion: the current version with its live figures, or a stored version as it was made. */
export function getPromotion(
  ports: DefinitionPorts,
): UnaryHandler<typeof GetPromotionRequestSchema, typeof GetPromotionResponseSchema> {
  return async ({ promotionId, version }, context) => {
    if (version !== undefined) {
      const { promotion } = await readVersionOf(ports.sql, promotionId, version, context.deadlineMs);
      return { promotion };
    }
    const { promotion } = await readPromotion(ports.sql, promotionId, context.deadlineMs);
    const issued = await issuedCounts(ports, [promotion.ref], context);
    return { promotion: promotionView(promotion, issued.get(promotion.ref) ?? 0, context.nowMs) };
  };
}
