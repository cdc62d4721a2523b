import { fromBinary } from '@bufbuild/protobuf';
import { PromotionSchema } from '../gen/hongbao/v1/promotion_pb.ts';
import { promotionDefinition, type ReadPromotion } from './codec/promotion-definition.ts';

/**
 * A stored promotion as the engine takes it, or everything that keeps it from being used. Never throws: what this service has
 * stored can be read, and what cannot must not end a worker.
 *
 * @param body hongbao.v1.Promotion in binary form
 */
export function readPromotion(body: Uint8Array): ReadPromotion {
  try {
    return promotionDefinition(fromBinary(PromotionSchema, body));
  } catch (error) {
    return {
      faults: [{ promotionId: '', version: 0, field: '', reason: `cannot be read: ${String(error)}` }],
    };
  }
}
