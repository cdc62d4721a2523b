/** Coupons of a wallet as messages of the contract. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { CouponSource as DomainSource, CouponState as DomainState } from '../domain/coupon.ts';
import { stateAt } from '../domain/coupon.ts';
import {
  type CouponSchema,
  CouponSource,
  CouponState,
  type PromotionSummarySchema,
} from '../gen/hongbao/v1/coupon_service_pb.ts';
import type { Promotion } from '../gen/hongbao/v1/promotion_pb.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { WalletCoupon } from '../ledger/wallet.ts';
import { type CouponDetail, type CouponDetails, detailOf, readCouponDetails } from './coupon-details.ts';
import type { PromotionBook } from './promotion-book.ts';

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

function minimumSpend(promotion: Promotion): bigint | undefined {
  const rule = promotion.rules.find(({ kind }) => kind.case === 'minimumSpend');
  return rule?.kind.case === 'minimumSpend' ? rule.kind.value.amountMinor : undefined;
}

/** What a coupon shows of its promotion. */
export function promotionSummary(promotion: Promotion): MessageInitShape<typeof PromotionSummarySchema> {
  const minimumSpendMinor = minimumSpend(promotion);
  return {
    promotionId: promotion.promotionId,
    version: promotion.version,
    ...(promotion.name && { name: promotion.name }),
    category: promotion.category,
    currency: promotion.currency,
    ...(promotion.effect && { effect: promotion.effect }),
    ...(minimumSpendMinor !== undefined && { minimumSpendMinor }),
    ...(promotion.conditionTexts && { conditionTexts: promotion.conditionTexts }),
  };
}

/** A coupon as its owner sees it at `nowMs`; the promotion's summary is absent when it could not be read. */
export function couponMessage(
  userId: string,
  coupon: WalletCoupon,
  promotion: Promotion | undefined,
  detail: CouponDetail | undefined,
  nowMs: number,
): MessageInitShape<typeof CouponSchema> {
  return {
    couponId: coupon.couponId,
    userId,
    promotion: promotion ? promotionSummary(promotion) : { version: coupon.promotionVersion },
    state: COUPON_STATES[stateAt(coupon, nowMs)],
    source: COUPON_SOURCES[coupon.source],
    issuedAt: timestampFromMs(coupon.issuedAtMs),
    validFrom: timestampFromMs(coupon.validFromMs),
    ...(coupon.expiresAtMs !== undefined && { expiresAt: timestampFromMs(coupon.expiresAtMs) }),
    hidden: coupon.hidden,
    ...(detail && detailFields(detail)),
  };
}

function detailFields(detail: CouponDetail) {
  const { orderId, orderNumber, usedAtMs, discountMinor, revokeReason } = detail;
  return {
    orderId,
    orderNumber,
    revokeReason,
    ...(usedAtMs !== undefined && { usedAt: timestampFromMs(usedAtMs) }),
    ...(discountMinor !== undefined && { discountMinor: BigInt(discountMinor) }),
  };
}

/** Coupons with the promotions they were made from; a definition that cannot be read leaves its coupon without a summary. */
export async function couponMessages(
  userId: string,
  coupons: readonly WalletCoupon[],
  { ledger, book }: { readonly ledger: Pick<Ledger, 'read'>; readonly book: PromotionBook },
  when: { readonly nowMs: number; readonly deadlineMs: number },
): Promise<MessageInitShape<typeof CouponSchema>[]> {
  const details = await readCouponDetails(ledger, userId, coupons, when.deadlineMs);
  return await detailedMessages(userId, coupons, details, book, when);
}

/** Coupons whose details were read, with the promotions they were made from. */
export async function detailedMessages(
  userId: string,
  coupons: readonly WalletCoupon[],
  details: CouponDetails,
  book: PromotionBook,
  when: { readonly nowMs: number; readonly deadlineMs: number },
): Promise<MessageInitShape<typeof CouponSchema>[]> {
  return await Promise.all(
    coupons.map(async (coupon) => {
      const version = book.version(coupon.promotionRef, coupon.promotionVersion, when.deadlineMs);
      const promotion = await version.catch(() => undefined);
      return couponMessage(userId, coupon, promotion, detailOf(details, coupon.couponId), when.nowMs);
    }),
  );
}
