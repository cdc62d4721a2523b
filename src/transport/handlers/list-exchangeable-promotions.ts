/** ListExchangeablePromotions: what the points of a user buy, with live stock and why not otherwise. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { claimWindowEndMs, perUserLimitOf } from '../../definitions/live-definition.ts';
import { mayAssertFacts } from '../../domain/identity.ts';
import type {
  ExchangeablePromotionSchema,
  ListExchangeablePromotionsRequestSchema,
  ListExchangeablePromotionsResponseSchema,
} from '../../gen/hongbao/v1/points_service_pb.ts';
import type { Promotion } from '../../gen/hongbao/v1/promotion_pb.ts';
import { RefusalReason } from '../../gen/hongbao/v1/refusal_pb.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Stock } from '../../ledger/reads.ts';
import type { Points } from '../../points/points.ts';
import { pointsRequiredBy } from '../../ruleset/rule-set.ts';
import type { UnaryHandler } from '../binding.ts';
import { claimFacts } from '../claim-facts.ts';
import { userOf } from '../claim-intake.ts';
import { type PreviewCircumstances, previewRefusal } from '../claim-preview.ts';
import { keyOfPageToken, pageTokenAfter } from '../page-token.ts';
import type { PromotionBook } from '../promotion-book.ts';
import { publicPromotion, stockLeft } from '../public-promotion.ts';

const DEFAULT_PAGE_SIZE = 20;

function isOver(promotion: Promotion, nowMs: number): boolean {
  const endMs = claimWindowEndMs(promotion);
  return endMs !== undefined && endMs < nowMs;
}

function entryOf(
  promotion: Promotion,
  stock: Stock | undefined,
  available: number,
  circumstances: PreviewCircumstances,
): MessageInitShape<typeof ExchangeablePromotionSchema> {
  const required = pointsRequiredBy(promotion);
  const short = Math.max(0, required - available);
  const preview = previewRefusal(promotion, stock, circumstances);
  const refusal = preview ?? (short > 0 ? 'INSUFFICIENT_POINTS' : undefined);
  const left = stockLeft(promotion, stock);
  const limit = perUserLimitOf(promotion);
  return {
    promotion: publicPromotion(promotion, stock, circumstances.nowMs),
    pointsRequired: BigInt(required),
    ...(left !== undefined && { stockLeft: left }),
    ...(limit !== undefined && { ownRemaining: BigInt(Math.max(0, limit - (stock?.claimedByUser ?? 0))) }),
    affordable: short === 0,
    pointsShort: BigInt(short),
    exchangeable: refusal === undefined,
    ...(refusal !== undefined && { refusalReason: RefusalReason[refusal] }),
  };
}

/** Where a promotion stands in the list. */
function keyOf(promotion: Promotion): string {
  return `${pointsRequiredBy(promotion)} ${promotion.priority} ${promotion.promotionId}`;
}

/** Where the page begins: after the promotion the token names, which may have left the list since. */
function startOf(promotions: readonly Promotion[], after: string | undefined): number {
  if (after === undefined) return 0;
  const [points = '', priority = '', id = ''] = after.split(' ');
  const isLater = (promotion: Promotion): boolean => {
    const difference = pointsRequiredBy(promotion) - Number(points) || Number(priority) - promotion.priority;
    return difference > 0 || (difference === 0 && promotion.promotionId > id);
  };
  const index = promotions.findIndex(isLater);
  return index === -1 ? promotions.length : index;
}

/** Makes the handler. */
export function listExchangeablePromotions(deps: {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly points: Pick<Points, 'standing'>;
  readonly book: PromotionBook;
}): UnaryHandler<
  typeof ListExchangeablePromotionsRequestSchema,
  typeof ListExchangeablePromotionsResponseSchema
> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const query = { method: 'exchangeable', userId };
    const promotions = deps.book.exchangeable();
    const size = request.pageSize || DEFAULT_PAGE_SIZE;
    const found = promotions
      .slice(startOf(promotions, keyOfPageToken(request.pageToken, query)))
      .filter((promotion) => !isOver(promotion, context.nowMs));
    const page = found.slice(0, size);
    const refs = page.map(({ ref }) => ref);
    const asserted = mayAssertFacts(context.identity) ? claimFacts(request.facts) : undefined;
    const [stocks, { balance, facts }] = await Promise.all([
      deps.ledger.read(context.deadlineMs, (reads) => reads.stock(refs, userId)),
      deps.points.standing(userId, asserted, context.deadlineMs),
    ]);
    const { available } = balance;
    const circumstances = { userId, facts, nowMs: context.nowMs };
    const last = page.at(-1);
    return {
      promotions: page.map((promotion, index) => entryOf(promotion, stocks[index], available, circumstances)),
      nextPageToken: found.length > size && last ? pageTokenAfter(keyOf(last), query) : '',
      available: BigInt(available),
    };
  };
}
