/** Calls of staff: promotions are made, restocked, shrunk, switched off and on. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  type Promotion,
  type PromotionSchema,
  PromotionState,
} from '../../../src/gen/hongbao/v1/promotion_pb.ts';
import { PromotionService } from '../../../src/gen/hongbao/v1/promotion_service_pb.ts';
import { type Ask, askOf } from './ask.ts';
import { enumName } from './enum-name.ts';

/** A promotion as it is to be made. */
export type PromotionInit = Exclude<MessageInitShape<typeof PromotionSchema>, { $typeName: string }>;

function read({ promotion }: { promotion?: Promotion | undefined }) {
  const { promotionId = '', version = 0, state = PromotionState.UNSPECIFIED, stock } = promotion ?? {};
  const answer = {
    promotionId,
    promotionVersion: version,
    promotionState: enumName(PromotionState, state).toLowerCase(),
    ...(stock?.quantity !== undefined && { quantity: Number(stock.quantity) }),
    ...(stock?.perUserLimit !== undefined && { perUserLimit: stock.perUserLimit }),
  };
  return { answer, stable: [promotionId, version] };
}

function headOf(promotionId: string, change: string, requestId: string) {
  return { operation: 'define', requestId, arguments: { promotionId, change } } as const;
}

/** Makes a promotion, inactive. */
export function createAsk(promotionId: string, promotion: PromotionInit, requestId: string): Ask {
  const request = { promotionId, promotion, requestId };
  return askOf(
    headOf(promotionId, 'create', requestId),
    PromotionService.method.createPromotion,
    request,
    read,
  );
}

/** Switches a promotion on or off. */
export function switchAsk(promotionId: string, change: 'activate' | 'deactivate', requestId: string): Ask {
  const head = headOf(promotionId, change, requestId);
  const request = { promotionId, requestId };
  return change === 'activate'
    ? askOf(head, PromotionService.method.activatePromotion, request, read)
    : askOf(head, PromotionService.method.deactivatePromotion, request, read);
}

/** Gives a promotion another stock. */
export function restockAsk(promotionId: string, stock: PromotionInit['stock'], requestId: string): Ask {
  const request = {
    promotionId,
    promotion: { ...(stock && { stock }) },
    updateMask: { paths: ['stock'] },
    requestId,
  };
  return askOf(
    headOf(promotionId, 'update', requestId),
    PromotionService.method.updatePromotion,
    request,
    read,
  );
}
