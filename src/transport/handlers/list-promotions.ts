import type { DefinitionPorts } from '../../definitions/definition-ports.ts';
import { findPromotions, type PromotionQuery } from '../../definitions/find-promotions.ts';
import { epochMs } from '../../domain/epoch-ms.ts';
import type {
  ListPromotionsRequest,
  ListPromotionsRequestSchema,
  ListPromotionsResponseSchema,
} from '../../gen/hongbao/v1/promotion_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { numbersOfPageToken, pageSizeOf, tokenAfterNumbers } from './staff-page.ts';

/** Serves ListPromotions. */
export function listPromotions(
  ports: DefinitionPorts,
): UnaryHandler<typeof ListPromotionsRequestSchema, typeof ListPromotionsResponseSchema> {
  return async (request, context) => {
    const query = queryOf(request);
    const tied = { method: 'promotions', query: JSON.stringify(query) };
    const [first, ref] = numbersOfPageToken(request.pageToken, tied) ?? [];
    const after = first === undefined || ref === undefined ? undefined : ([first, ref] as const);
    const page = await findPromotions(ports, query, { after, size: pageSizeOf(request.pageSize) }, context);
    return { promotions: page.promotions, nextPageToken: tokenAfterNumbers(page.next, tied) };
  };
}

function queryOf(request: ListPromotionsRequest): PromotionQuery {
  return {
    states: request.states,
    categories: request.categories,
    ways: request.ways,
    effects: request.effects,
    tag: request.tag,
    searchText: request.searchText.toLowerCase(),
    currency: request.currency,
    createdFromMs: epochMs(request.createdFrom),
    createdUntilMs: epochMs(request.createdUntil),
    order: request.order,
  };
}
