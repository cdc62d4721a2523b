/** ListCoupons: a user's coupons by state, newest first, from the live wallet, so every acknowledged claim is in it. */
import { type CouponState, stateAt } from '../../domain/coupon.ts';
import {
  CouponView,
  type ListCouponsRequestSchema,
  type ListCouponsResponseSchema,
} from '../../gen/hongbao/v1/coupon_service_pb.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { WalletCoupon } from '../../ledger/wallet.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { couponCounts, couponMessages } from '../coupon-message.ts';
import { keyOfPageToken, pageTokenAfter } from '../page-token.ts';
import type { PromotionBook } from '../promotion-book.ts';

const DEFAULT_PAGE_SIZE = 20;

/** The view a state is shown in, beside the view of everything. */
const VIEWS: Readonly<Record<CouponState, CouponView>> = {
  unused: CouponView.AVAILABLE,
  reserved: CouponView.AVAILABLE,
  used: CouponView.USED,
  expired: CouponView.EXPIRED,
  revoked: CouponView.EXPIRED,
};

function isInView(coupon: WalletCoupon, view: CouponView, nowMs: number): boolean {
  if (coupon.hidden) return false;
  return view === CouponView.UNSPECIFIED || VIEWS[stateAt(coupon, nowMs)] === view;
}

/** The page of `coupons` (newest first) after the coupon `after`, and whether more follow. */
function pageOf(coupons: readonly WalletCoupon[], after: string | undefined, size: number) {
  const rest = after === undefined ? coupons : coupons.filter((coupon) => coupon.couponId < after);
  return { page: rest.slice(0, size), hasMore: rest.length > size };
}

/** Makes the handler. */
export function listCoupons(deps: {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly book: PromotionBook;
}): UnaryHandler<typeof ListCouponsRequestSchema, typeof ListCouponsResponseSchema> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const query = { userId, view: request.view };
    const after = keyOfPageToken(request.pageToken, query);
    const wallet = await deps.ledger.read(context.deadlineMs, (reads) => reads.wallet(userId));
    const seen = wallet.filter((coupon) => isInView(coupon, request.view, context.nowMs));
    const { page, hasMore } = pageOf(seen, after, request.pageSize || DEFAULT_PAGE_SIZE);
    const last = page.at(-1);
    return {
      coupons: await couponMessages(userId, page, deps.book, context),
      nextPageToken: hasMore && last ? pageTokenAfter(last.couponId, query) : '',
      counts: couponCounts(wallet, context.nowMs),
    };
  };
}
