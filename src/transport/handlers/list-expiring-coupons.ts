/** ListExpiringCoupons: a user's unused coupons whose date is near, soonest first, from the live wallet. */
import { durationMs } from '@bufbuild/protobuf/wkt';
import { stateAt } from '../../domain/coupon.ts';
import { MS_PER_DAY } from '../../domain/durations.ts';
import type {
  ListExpiringCouponsRequestSchema,
  ListExpiringCouponsResponseSchema,
} from '../../gen/hongbao/v1/coupon_service_pb.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { WalletCoupon } from '../../ledger/wallet.ts';
import type { UnaryHandler } from '../binding.ts';
import { userOf } from '../claim-intake.ts';
import { couponMessages } from '../coupon-message.ts';
import { keyOfPageToken, pageTokenAfter } from '../page-token.ts';
import type { PromotionSummaries } from '../promotion-summaries.ts';

const DEFAULT_PAGE_SIZE = 20;
const DEFAULT_WITHIN_MS = 3 * MS_PER_DAY;
const INSTANT_DIGITS = 15;

/** Sorts by expiry, then by id; as text, because it is what page tokens hold. */
function keyOf({ expiresAtMs = 0, couponId }: WalletCoupon): string {
  return String(expiresAtMs).padStart(INSTANT_DIGITS, '0') + couponId;
}

function isExpiring(coupon: WalletCoupon, nowMs: number, withinMs: number): boolean {
  if (coupon.hidden || stateAt(coupon, nowMs) !== 'unused') return false;
  return coupon.expiresAtMs !== undefined && coupon.expiresAtMs <= nowMs + withinMs;
}

/** Makes the handler. */
export function listExpiringCoupons(deps: {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly summaries: PromotionSummaries;
}): UnaryHandler<typeof ListExpiringCouponsRequestSchema, typeof ListExpiringCouponsResponseSchema> {
  return async (request, context) => {
    const userId = userOf(context.identity, request.userId);
    const withinMs = request.within === undefined ? DEFAULT_WITHIN_MS : durationMs(request.within);
    const query = { userId, withinMs };
    const after = keyOfPageToken(request.pageToken, query) ?? '';
    const size = request.pageSize || DEFAULT_PAGE_SIZE;
    const wallet = await deps.ledger.read(context.deadlineMs, (reads) => reads.wallet(userId));
    const expiring = wallet
      .filter((coupon) => isExpiring(coupon, context.nowMs, withinMs) && keyOf(coupon) > after)
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    const page = expiring.slice(0, size);
    const last = page.at(-1);
    return {
      coupons: await couponMessages(userId, page, deps, context),
      nextPageToken: expiring.length > size && last ? pageTokenAfter(keyOf(last), query) : '',
    };
  };
}
