import type { DefinitionPorts } from '../../definitions/definition-ports.ts';
import { promotionNotFound, readVersions } from '../../definitions/store/read-promotions.ts';
import type {
  ListPromotionVersionsRequestSchema,
  ListPromotionVersionsResponseSchema,
} from '../../gen/hongbao/v1/promotion_service_pb.ts';
import type { UnaryHandler } from '../binding.ts';
import { numbersOfPageToken, pageSizeOf, tokenAfterNumbers } from './staff-page.ts';

/** Serves ListPromotionVersions; the history of a deleted promotion stays readable. */
export function listPromotionVersions({
  sql,
}: DefinitionPorts): UnaryHandler<
  typeof ListPromotionVersionsRequestSchema,
  typeof ListPromotionVersionsResponseSchema
> {
  return async (request, { deadlineMs }) => {
    const query = { method: 'versions', promotionId: request.promotionId };
    const [below] = numbersOfPageToken(request.pageToken, query) ?? [];
    const size = pageSizeOf(request.pageSize);
    const found = await readVersions(sql, request.promotionId, { below, limit: size + 1 }, deadlineMs);
    if (found.length === 0 && below === undefined) throw promotionNotFound();
    const versions = found.slice(0, size).map(({ promotion }) => promotion);
    const last = found.length > size ? versions.at(-1) : undefined;
    return { versions, nextPageToken: tokenAfterNumbers(last && [last.version], query) };
  };
}
