/** ListClaimablePromotions: the claim centre of a user, or of nobody, with live stock and why not otherwise. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { claimWindowEndMs, perUserLimitOf } from '../../definitions/live-definition.ts';
import { mayAssertFacts } from '../../domain/identity.ts';
import { claimFactsOf, storedFacts } from '../../events/stored-facts.ts';
import type {
  ClaimablePromotionSchema,
  ListClaimablePromotionsRequest,
  ListClaimablePromotionsRequestSchema,
  ListClaimablePromotionsResponseSchema,
} from '../../gen/hongbao/v1/coupon_service_pb.ts';
import type { Promotion } from '../../gen/hongbao/v1/promotion_pb.ts';
import { RefusalReason } from '../../gen/hongbao/v1/refusal_pb.ts';
import type { ClaimFacts } from '../../ledger/claim-operation.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Stock } from '../../ledger/reads.ts';
import type { UnaryHandler } from '../binding.ts';
import type { CallContext } from '../call-context.ts';
import { claimFacts, completedFacts, lacksFacts } from '../claim-facts.ts';
import { userOf } from '../claim-intake.ts';
import { type PreviewCircumstances, previewRefusal } from '../claim-preview.ts';
import { keyOfPageToken, pageTokenAfter } from '../page-token.ts';
import type { PromotionBook } from '../promotion-book.ts';
import { publicPromotion, stockLeft } from '../public-promotion.ts';

const DEFAULT_PAGE_SIZE = 20;

/** The user of the claim centre: the one named, the end user who asks, or nobody. */
function viewer(request: ListClaimablePromotionsRequest, context: CallContext): string | undefined {
  if (request.userId === '' && context.identity.userId === undefined) return undefined;
  return userOf(context.identity, request.userId);
}

function isOver(promotion: Promotion, nowMs: number): boolean {
  const endMs = claimWindowEndMs(promotion);
  return endMs !== undefined && endMs < nowMs;
}

function isOpenToEveryone(promotion: Promotion): boolean {
  const audience = promotion.target?.audience.case;
  return audience === undefined || audience === 'everyone';
}

function entryOf(
  promotion: Promotion,
  stock: Stock | undefined,
  circumstances: PreviewCircumstances,
): MessageInitShape<typeof ClaimablePromotionSchema> {
  const refusal = previewRefusal(promotion, stock, circumstances);
  const left = stockLeft(promotion, stock);
  const limit = circumstances.userId === undefined ? undefined : perUserLimitOf(promotion);
  const own = limit === undefined ? undefined : BigInt(Math.max(0, limit - (stock?.claimedByUser ?? 0)));
  return {
    promotion: publicPromotion(promotion, stock, circumstances.nowMs),
    ...(left !== undefined && { stockLeft: left }),
    ...(own !== undefined && { ownRemaining: own }),
    claimable: refusal === undefined,
    ...(refusal !== undefined && { refusalReason: RefusalReason[refusal] }),
  };
}

/** Where the page begins: after the promotion the token names, in the order of the list. */
function startOf(promotions: readonly Promotion[], after: string | undefined): number {
  if (after === undefined) return 0;
  const [priority = '', id = ''] = after.split(' ');
  const isLater = (promotion: Promotion): boolean =>
    promotion.priority < Number(priority) ||
    (promotion.priority === Number(priority) && promotion.promotionId > id);
  const index = promotions.findIndex(isLater);
  return index === -1 ? promotions.length : index;
}

/** The facts stated, completed by what is kept about the user where a promotion of the page asks for more. */
async function factsFor(
  page: readonly Promotion[],
  stated: ClaimFacts | undefined,
  user: { readonly userId: string | undefined; readonly ledger: Pick<Ledger, 'read'> },
  deadlineMs: number,
): Promise<ClaimFacts | undefined> {
  if (user.userId === undefined || !page.some((promotion) => lacksFacts(promotion, stated))) return stated;
  const kept = await storedFacts(user.ledger, user.userId, deadlineMs);
  return completedFacts(stated, kept && claimFactsOf(kept));
}

/** Makes the handler. */
export function listClaimablePromotions(deps: {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly book: PromotionBook;
}): UnaryHandler<typeof ListClaimablePromotionsRequestSchema, typeof ListClaimablePromotionsResponseSchema> {
  return async (request, context) => {
    const userId = viewer(request, context);
    const query = { userId: userId ?? '' };
    const promotions = deps.book.claimable();
    const size = request.pageSize || DEFAULT_PAGE_SIZE;
    const found = promotions
      .slice(startOf(promotions, keyOfPageToken(request.pageToken, query)))
      .values()
      .filter((promotion) => !isOver(promotion, context.nowMs))
      .filter((promotion) => userId !== undefined || isOpenToEveryone(promotion))
      .take(size + 1)
      .toArray();
    const page = found.slice(0, size);
    const refs = page.map(({ ref }) => ref);
    const stated = mayAssertFacts(context.identity) ? claimFacts(request.facts) : undefined;
    const [stocks, facts] = await Promise.all([
      deps.ledger.read(context.deadlineMs, (reads) => reads.stock(refs, userId)),
      factsFor(page, stated, { userId, ledger: deps.ledger }, context.deadlineMs),
    ]);
    const circumstances = { userId, facts, nowMs: context.nowMs };
    const last = page.at(-1);
    return {
      promotions: page.map((promotion, index) => entryOf(promotion, stocks[index], circumstances)),
      nextPageToken:
        found.length > size && last ? pageTokenAfter(`${last.priority} ${last.promotionId}`, query) : '',
    };
  };
}
