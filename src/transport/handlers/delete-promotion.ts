import type { DefinitionPorts } from '../../definitions/definition-ports.ts';
import { deletePromotion as storeDeletion } from '../../definitions/delete-promotion.ts';
import type {
  DeletePromotionRequestSchema,
  DeletePromotionResponseSchema,
} from '../../gen/hongbao/v1/promotion_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { writeContext } from './staff-write.ts';

/** Serves DeletePromotion. */
export function deletePromotion(
  ports: DefinitionPorts,
): UnaryHandler<typeof DeletePromotionRequestSchema, typeof DeletePromotionResponseSchema> {
  return async (request, context) => {
    await storeDeletion(ports, request, writeContext(context));
    return {};
  };
}
