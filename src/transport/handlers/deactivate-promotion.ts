import { changeState } from '../../definitions/change-state.ts';
import type { DefinitionPorts } from '../../definitions/definition-ports.ts';
import {
  DeactivatePromotionRequestSchema,
  type DeactivatePromotionResponseSchema,
} from '../../gen/hongbao/v1/promotion_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { writeContext } from './staff-write.ts';

/** Serves DeactivatePromotion. */
export function deactivatePromotion(
  ports: DefinitionPorts,
): UnaryHandler<typeof DeactivatePromotionRequestSchema, typeof DeactivatePromotionResponseSchema> {
  return async (request, context) => ({
    promotion: await changeState(
      ports,
      DeactivatePromotionRequestSchema,
      request,
      'deactivated',
      writeContext(context),
    ),
  });
}
