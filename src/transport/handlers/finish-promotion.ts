import { changeState } from '../../definitions/change-state.ts';
import type { DefinitionPorts } from '../../definitions/definition-ports.ts';
import {
  FinishPromotionRequestSchema,
  type FinishPromotionResponseSchema,
} from '../../gen/hongbao/v1/promotion_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { writeContext } from './staff-write.ts';

/** Serves FinishPromotion. */
export function finishPromotion(
  ports: DefinitionPorts,
): UnaryHandler<typeof FinishPromotionRequestSchema, typeof FinishPromotionResponseSchema> {
  return async (request, context) => ({
    promotion: await changeState(
      ports,
      FinishPromotionRequestSchema,
      request,
      'finished',
      writeContext(context),
    ),
  });
}
