/**
 * ListCoupons: a user's coupons by state, newest first, from the live wallet, so every acknowledged write is in it. Wallets are
 * read more often than anything else, so requests and answers pass through the generated codecs, the wallets of a turn are
 * read together, and what coupons show of their promotions is kept encoded.
 */
import {
  decodeListCouponsRequest,
  type ListCouponsRequest,
  violationsOfListCouponsRequest,
} from '../../gen/hot/wallet-requests.ts';
import { encodeListCouponsResponse } from '../../gen/hot/wallet-responses.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { WalletCoupon } from '../../ledger/wallet.ts';
import { asRefusal } from '../as-refusal.ts';
import type { HotHandler, HotReply } from '../binding.ts';
import type { CallContext } from '../call-context.ts';
import { answerDeadline, userOf } from '../claim-intake.ts';
import { type CouponDetails, detailOf, hasDetail, NO_DETAILS, readCouponDetails } from '../coupon-details.ts';
import { countCoupons, couponsOfWallet, isInView, listedCoupon } from '../coupon-list.ts';
import { checkedRequest } from '../hot-request.ts';
import { keyOfPageToken, pageTokenAfter } from '../page-token.ts';
import type { PromotionSummaries } from '../promotion-summaries.ts';
import { TurnReads } from '../turn-reads.ts';

const CODEC = { decode: decodeListCouponsRequest, violationsOf: violationsOfListCouponsRequest };
const DEFAULT_PAGE_SIZE = 20;
const NOT_READ = 'The wallet could not be read';

/** What the handler is made of. */
export interface ListCouponsPorts {
  readonly ledger: Pick<Ledger, 'read'>;
  readonly summaries: PromotionSummaries;
}

/** One request on its way. */
interface Listing {
  readonly userId: string;
  readonly view: number;
  readonly size: number;
  /** The page begins below this coupon. */
  readonly after: string | undefined;
  readonly deadlineMs: number;
  readonly nowMs: number;
}

function listingOf(request: ListCouponsRequest, context: CallContext): Listing {
  const userId = userOf(context.identity, request.userId);
  const { view } = request;
  return {
    userId,
    view,
    size: request.pageSize || DEFAULT_PAGE_SIZE,
    after: keyOfPageToken(request.pageToken, { userId, view }),
    deadlineMs: answerDeadline(context),
    nowMs: context.nowMs,
  };
}

/** The coupons of the page (of `coupons`, newest first), and whether more follow. */
function pageOf(coupons: readonly WalletCoupon[], { view, nowMs, after, size }: Listing) {
  const seen = coupons.filter(
    (coupon) => isInView(coupon, view, nowMs) && (after === undefined || coupon.couponId < after),
  );
  return { page: seen.slice(0, size), hasMore: seen.length > size };
}

/** Makes the handler. */
export function listCoupons({ ledger, summaries }: ListCouponsPorts): HotHandler {
  const wallets = new TurnReads((userIds: readonly string[], deadlineMs) =>
    ledger.read(deadlineMs, (reads) => reads.walletBytes(userIds)),
  );

  function answer(
    listing: Listing,
    wallet: readonly WalletCoupon[],
    page: ReturnType<typeof pageOf>,
    promotions: readonly Uint8Array[],
    details: CouponDetails,
  ): Uint8Array {
    const { userId, view, nowMs } = listing;
    const last = page.page.at(-1);
    return encodeListCouponsResponse({
      coupons: page.page.map((coupon, index) =>
        listedCoupon(
          userId,
          coupon,
          promotions[index] ?? new Uint8Array(),
          detailOf(details, coupon.couponId),
          nowMs,
        ),
      ),
      nextPageToken: page.hasMore && last ? pageTokenAfter(last.couponId, { userId, view }) : '',
      counts: countCoupons(wallet, nowMs),
    });
  }

  /** Answers at once when memory has all it takes, otherwise after reading the rest. */
  function finish(listing: Listing, bytes: Uint8Array, reply: HotReply): void {
    const wallet = couponsOfWallet(bytes);
    const page = pageOf(wallet, listing);
    const known = page.page.map((coupon) => summaries.inMemory(coupon));
    const promotions = known.filter((summary) => summary !== undefined);
    const isComplete = promotions.length === known.length && !page.page.some(hasDetail);
    if (isComplete) reply(answer(listing, wallet, page, promotions, NO_DETAILS));
    else void readRest(listing, wallet, page, reply);
  }

  async function readRest(
    listing: Listing,
    wallet: readonly WalletCoupon[],
    page: ReturnType<typeof pageOf>,
    reply: HotReply,
  ): Promise<void> {
    const { userId, deadlineMs } = listing;
    try {
      const [promotions, details] = await Promise.all([
        Promise.all(page.page.map((coupon) => summaries.of(coupon, deadlineMs))),
        readCouponDetails(ledger, userId, page.page, deadlineMs),
      ]);
      reply(answer(listing, wallet, page, promotions, details));
    } catch (error) {
      reply(asRefusal(error, NOT_READ));
    }
  }

  return (bytes, context, reply) => {
    const listing = listingOf(checkedRequest(CODEC, bytes), context);
    wallets.read(listing.userId, listing.deadlineMs, (wallet) => {
      try {
        if (wallet instanceof Error) reply(asRefusal(wallet, NOT_READ));
        else finish(listing, wallet, reply);
      } catch (error) {
        reply(asRefusal(error, NOT_READ));
      }
    });
  };
}
