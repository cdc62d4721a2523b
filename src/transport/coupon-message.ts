/** Coupons of a wallet as messages of the contract. */
import { fromBinary } from '@bufbuild/protobuf';
import {
  type CouponSource as DomainSource,
  type CouponState as DomainState,
  stateAt,
} from '../domain/coupon.ts';
import {
  type Coupon as CouponMessage,
  CouponSource,
  CouponState,
  ListCouponsResponseSchema,
} from '../gen/hongbao/v1/coupon_service_pb.ts';
import { type Coupon, encodeListCouponsResponse } from '../gen/hot/wallet-responses.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { WalletCoupon } from '../ledger/wallet.ts';
import { type CouponDetail, type CouponDetails, detailOf, readCouponDetails } from './coupon-details.ts';
import type { PromotionSummaries } from './promotion-summaries.ts';

/** States of the ledger as the contract numbers them. */
export const COUPON_STATES: Readonly<Record<DomainState, CouponState>> = {
  unused: CouponState.UNUSED,
  reserved: CouponState.RESERVED,
  used: CouponState.USED,
  expired: CouponState.EXPIRED,
  revoked: CouponState.REVOKED,
};

/** Sources of the ledger as the contract numbers them. */
export const COUPON_SOURCES: Readonly<Record<DomainSource, CouponSource>> = {
  system: CouponSource.SYSTEM,
  claim: CouponSource.CLAIM,
  points: CouponSource.POINTS,
  referral: CouponSource.REFERRAL,
  activity: CouponSource.ACTIVITY,
  code: CouponSource.CODE,
  staff: CouponSource.STAFF,
};

/** A coupon as its owner sees it at `nowMs`, as the generated encoder takes it; `promotion` is the encoded summary. */
export function listedCoupon(
  userId: string,
  coupon: WalletCoupon,
  promotion: Uint8Array,
  detail: CouponDetail | undefined,
  nowMs: number,
): Coupon {
  return {
    couponId: coupon.couponId,
    userId,
    promotion,
    state: COUPON_STATES[stateAt(coupon, nowMs)],
    source: COUPON_SOURCES[coupon.source],
    issuedAt: coupon.issuedAtMs,
    validFrom: coupon.validFromMs,
    expiresAt: coupon.expiresAtMs,
    usedAt: detail?.usedAtMs,
    orderId: detail?.orderId ?? '',
    orderNumber: detail?.orderNumber ?? '',
    discountMinor: detail?.discountMinor,
    revokeReason: detail?.revokeReason ?? '',
    hidden: coupon.hidden,
  };
}

/** Coupons with the promotions they were made from; a definition that cannot be read leaves its coupon without a summary. */
export async function couponMessages(
  userId: string,
  coupons: readonly WalletCoupon[],
  { ledger, summaries }: { readonly ledger: Pick<Ledger, 'read'>; readonly summaries: PromotionSummaries },
  when: { readonly nowMs: number; readonly deadlineMs: number },
): Promise<CouponMessage[]> {
  const details = await readCouponDetails(ledger, userId, coupons, when.deadlineMs);
  return await detailedMessages(userId, coupons, details, summaries, when);
}

/** Coupons whose details were read, with the promotions they were made from. */
export async function detailedMessages(
  userId: string,
  coupons: readonly WalletCoupon[],
  details: CouponDetails,
  summaries: PromotionSummaries,
  when: { readonly nowMs: number; readonly deadlineMs: number },
): Promise<CouponMessage[]> {
  const promotions = await Promise.all(coupons.map((coupon) => summaries.of(coupon, when.deadlineMs)));
  const listed = coupons.map((coupon, index) => {
    const promotion = promotions[index] ?? new Uint8Array();
    return listedCoupon(userId, coupon, promotion, detailOf(details, coupon.couponId), when.nowMs);
  });
  const bytes = encodeListCouponsResponse({ coupons: listed, nextPageToken: '' });
  return fromBinary(ListCouponsResponseSchema, bytes).coupons;
}
