import type { DefinitionPorts } from '../../definitions/definition-ports.ts';
import { updatePromotion as storeUpdate } from '../../definitions/update-promotion.ts';
import type {
  UpdatePromotionRequestSchema,
  UpdatePromotionResponseSchema,
} from '../../gen/hongbao/v1/promotion_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { writeContext } from './staff-write.ts';

/** Serves UpdatePromotion. */
export function updatePromotion(
  ports: DefinitionPorts,
): UnaryHandler<typeof UpdatePromotionRequestSchema, typeof UpdatePromotionResponseSchema> {
  return async (request, context) => ({
    promotion: await storeUpdate(ports, request, writeContext(context)),
  });
}
