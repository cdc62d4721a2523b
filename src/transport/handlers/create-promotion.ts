import { createPromotion as storePromotion } from '../../definitions/create-promotion.ts';
import type { DefinitionPorts } from '../../definitions/definition-ports.ts';
import type {
  CreatePromotionRequestSchema,
  CreatePromotionResponseSchema,
} from '../../gen/hongbao/v1/promotion_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { writeContext } from './staff-write.ts';

/** Serves CreatePromotion. */
export function createPromotion(
  ports: DefinitionPorts,
): UnaryHandler<typeof CreatePromotionRequestSchema, typeof CreatePromotionResponseSchema> {
  return async (request, context) => ({
    promotion: await storePromotion(ports, request, writeContext(context)),
  });
}
