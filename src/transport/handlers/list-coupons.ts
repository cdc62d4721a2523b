/**
 * ListCoupons: a user's coupons by state, newest first, from the live wallet, so every acknowledged write is in it; and from
 * the archive those that left the wallet after retention, if the wallet counts any. Wallets are read more often than anything
 * else, so requests and answers pass through the generated codecs, the wallets of a turn are read together, and what coupons
 * show of their promotions is kept encoded.
 */
import {
  decodeListCouponsRequest,
  type ListCouponsRequest,
  violationsOfListCouponsRequest,
} from '../../gen/hot/wallet-requests.ts';
import { type CouponCounts, encodeListCouponsResponse } from '../../gen/hot/wallet-responses.ts';
import type { KeptWallet, WalletCoupon } from '../../ledger/wallet.ts';
import { asRefusal } from '../as-refusal.ts';
import type { HotHandler, HotReply } from '../binding.ts';
import type { CallContext } from '../call-context.ts';
import { answerDeadline, userOf } from '../claim-intake.ts';
import {
  type CouponDetails,
  detailOf,
  hasDetail,
  NO_DETAILS,
  readCouponDetails,
  readRetiredDetails,
} from '../coupon-details.ts';
import { countCoupons, couponsOfWallet, isInView } from '../coupon-list.ts';
import { listedCoupon } from '../coupon-message.ts';
import { DeadlineWatch } from '../deadline-watch.ts';
import { checkedRequest } from '../hot-request.ts';
import { keyOfPageToken, pageTokenAfter } from '../page-token.ts';
import type { PromotionSummaries } from '../promotion-summaries.ts';
import { TurnReads } from '../turn-reads.ts';
import {
  endStatesOf,
  type WholeWallet,
  type WholeWalletPorts,
  wholeWallet,
  withRetired,
} from '../whole-wallet.ts';

const CODEC = { decode: decodeListCouponsRequest, violationsOf: violationsOfListCouponsRequest };
const DEFAULT_PAGE_SIZE = 20;
const NOT_READ = 'The wallet could not be read';

/** What the handler is made of. */
export interface ListCouponsPorts {
  readonly wallets: WholeWalletPorts;
  readonly summaries: PromotionSummaries;
  /** Local epoch milliseconds. */
  readonly nowMs: () => number;
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

/** What is to be listed: the page, newest first, whether more follow, and counts of all coupons. */
interface Page {
  readonly page: readonly WalletCoupon[];
  readonly hasMore: boolean;
  readonly counts: CouponCounts;
}

/** The page (of `coupons`, newest first). */
function pageOf(coupons: readonly WalletCoupon[], { view, nowMs, after, size }: Listing): Page {
  const seen = coupons.filter(
    (coupon) => isInView(coupon, view, nowMs) && (after === undefined || coupon.couponId < after),
  );
  return { page: seen.slice(0, size), hasMore: seen.length > size, counts: countCoupons(coupons, nowMs) };
}

/** The page of the live coupons and of the newest ones that left, of which one more than a page was read. */
function mergedPage(
  { coupons, retired }: WholeWallet,
  left: readonly WalletCoupon[],
  listing: Listing,
): Page {
  const live = new Set(coupons.map(({ couponId }) => couponId));
  const others = left.filter(({ couponId }) => !live.has(couponId));
  const both = [...coupons, ...others].sort((a, b) => (a.couponId < b.couponId ? 1 : -1));
  const { page, hasMore } = pageOf(both, listing);
  return { page, hasMore, counts: withRetired(countCoupons(coupons, listing.nowMs), retired) };
}

function answer(
  { userId, view, nowMs }: Listing,
  { page, hasMore, counts }: Page,
  promotions: readonly Uint8Array[],
  details: CouponDetails,
): Uint8Array {
  const last = page.at(-1);
  return encodeListCouponsResponse({
    coupons: page.map((coupon, index) =>
      listedCoupon(
        userId,
        coupon,
        promotions[index] ?? new Uint8Array(),
        detailOf(details, coupon.couponId),
        nowMs,
      ),
    ),
    nextPageToken: hasMore && last ? pageTokenAfter(last.couponId, { userId, view }) : '',
    counts,
  });
}

async function answerLater(answering: Promise<Uint8Array>, reply: HotReply): Promise<void> {
  try {
    reply(await answering);
  } catch (error) {
    reply(asRefusal(error, NOT_READ));
  }
}

/** Makes the handler. */
export function listCoupons({ wallets, summaries, nowMs }: ListCouponsPorts): HotHandler {
  const { ledger, retired } = wallets;
  const turnReads = new TurnReads<{ readonly userId: string }, KeptWallet>({
    readAll: (asks, deadlineMs) =>
      ledger.read(deadlineMs, (reads) => reads.keptWallets(asks.map(({ userId }) => userId))),
    together: (one) => one,
    deadlines: new DeadlineWatch(nowMs),
  });

  /** Answers at once when memory has all it takes, otherwise after reading the rest. */
  function finish(listing: Listing, wallet: KeptWallet, reply: HotReply): void {
    if (wallet.retired > 0) {
      void answerLater(listWhole(listing, wallet), reply);
      return;
    }
    const page = pageOf(couponsOfWallet(wallet.coupons), listing);
    const known = page.page.map((coupon) => summaries.inMemory(coupon));
    const promotions = known.filter((summary) => summary !== undefined);
    const isComplete = promotions.length === known.length && !page.page.some(hasDetail);
    if (isComplete) reply(answer(listing, page, promotions, NO_DETAILS));
    else void answerLater(readRest(listing, page, []), reply);
  }

  /** The page of a user of whom coupons have left Redis. */
  async function listWhole(listing: Listing, wallet: KeptWallet): Promise<Uint8Array> {
    const { userId, view, after, size, deadlineMs } = listing;
    const whole = await wholeWallet(wallets, userId, wallet, deadlineMs);
    const extent = { below: after, limit: size + 1 };
    const left = await retired.page(userId, endStatesOf(view), extent, deadlineMs);
    return await readRest(listing, mergedPage(whole, left, listing), left);
  }

  /** Reads what coupons show of promotions, accounts and orders; of those that `left`, as archived. */
  async function readRest(listing: Listing, page: Page, left: readonly WalletCoupon[]): Promise<Uint8Array> {
    const { userId, deadlineMs } = listing;
    const areGone = new Set(left);
    const gone = page.page.filter((coupon) => areGone.has(coupon));
    const live = page.page.filter((coupon) => !areGone.has(coupon));
    const [promotions, details, goneDetails] = await Promise.all([
      Promise.all(page.page.map((coupon) => summaries.of(coupon, deadlineMs))),
      readCouponDetails(ledger, userId, live, deadlineMs),
      readRetiredDetails(retired, userId, gone, deadlineMs),
    ]);
    return answer(listing, page, promotions, new Map([...details, ...goneDetails]));
  }

  return (bytes, context, reply) => {
    const listing = listingOf(checkedRequest(CODEC, bytes), context);
    turnReads.read(listing, listing.deadlineMs, (wallet) => {
      try {
        if (wallet instanceof Error) reply(asRefusal(wallet, NOT_READ));
        else finish(listing, wallet, reply);
      } catch (error) {
        reply(asRefusal(error, NOT_READ));
      }
    });
  };
}
