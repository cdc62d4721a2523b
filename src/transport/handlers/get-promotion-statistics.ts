import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { DefinitionPorts } from '../../definitions/definition-ports.ts';
import { promotionView } from '../../definitions/promotion-view.ts';
import { readPromotion } from '../../definitions/store/read-promotions.ts';
import type {
  GetPromotionStatisticsRequestSchema,
  GetPromotionStatisticsResponseSchema,
} from '../../gen/hongbao/v1/promotion_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';

/** Serves GetPromotionStatistics: live figures from the ledger, the archived one beside them where it can be read. */
export function getPromotionStatistics(
  ports: DefinitionPorts,
): UnaryHandler<typeof GetPromotionStatisticsRequestSchema, typeof GetPromotionStatisticsResponseSchema> {
  return async ({ promotionId }, context) => {
    const { promotion } = await readPromotion(ports.sql, promotionId, context.deadlineMs);
    const { ref, version, stock } = promotion;
    const [live] = await ports.ledger.readStock([ref], context.deadlineMs);
    const issued = BigInt(live?.issued ?? 0);
    const archived = await ports.archive.readIssued([ref], context.deadlineMs).catch(() => undefined);
    const quantity = stock?.quantity;
    return {
      promotionId,
      version,
      state: promotionView(promotion, Number(issued), context.nowMs).state,
      issued,
      ...(quantity !== undefined && { quantity, remaining: quantity > issued ? quantity - issued : 0n }),
      // Claims are the only way a coupon is issued for now.
      claimed: issued,
      ...(archived && { archived: BigInt(archived.get(ref) ?? 0) }),
      asOf: timestampFromMs(context.nowMs),
    };
  };
}
