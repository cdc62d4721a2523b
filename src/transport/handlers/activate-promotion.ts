import { changeState } from '../../definitions/change-state.ts';
import type { DefinitionPorts } from '../../definitions/definition-ports.ts';
import {
  ActivatePromotionRequestSchema,
  type ActivatePromotionResponseSchema,
} from '../../gen/hongbao/v1/promotion_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { writeContext } from './staff-write.ts';

/** Serves ActivatePromotion. */
export function activatePromotion(
  ports: DefinitionPorts,
): UnaryHandler<typeof ActivatePromotionRequestSchema, typeof ActivatePromotionResponseSchema> {
  return async (request, context) => ({
    promotion: await changeState(
      ports,
      ActivatePromotionRequestSchema,
      request,
      'activated',
      writeContext(context),
    ),
  });
}
