/** What the ledger answered to a claim, as the generated codecs take it. */
import type { Acknowledgement } from '../domain/live-definition.ts';
import type { Refusal } from '../domain/refusal.ts';
import { retryAfterMs } from '../domain/refusal.ts';
import { AcknowledgementLevel } from '../gen/hongbao/v1/promotion_pb.ts';
import { RefusalReason } from '../gen/hongbao/v1/refusal_pb.ts';
import type { ClaimCouponResponse, ClaimResult } from '../gen/hot/claim-responses.ts';
import type { ClaimedCoupon } from '../ledger/claim-operation.ts';

const ACKNOWLEDGEMENTS: Readonly<Record<Acknowledgement, AcknowledgementLevel>> = {
  fast: AcknowledgementLevel.FAST,
  durable: AcknowledgementLevel.DURABLE,
  ledger: AcknowledgementLevel.LEDGER,
};

/** A claimed coupon as a response. */
export function claimedMessage(coupon: ClaimedCoupon, promotionId: string): ClaimCouponResponse {
  return {
    couponId: coupon.couponId,
    promotionId,
    promotionVersion: coupon.promotionVersion,
    replayed: coupon.isReplay,
    acknowledgement: ACKNOWLEDGEMENTS[coupon.acknowledgement],
    issuedAt: coupon.issuedAtMs,
    validFrom: coupon.validFromMs,
    expiresAt: coupon.expiresAtMs === 0 ? undefined : coupon.expiresAtMs,
  };
}

/** One claimed item of a batch. */
export function claimedResult(coupon: ClaimedCoupon, promotionId: string): ClaimResult {
  return { outcome: { case: 'claimed', value: claimedMessage(coupon, promotionId) } };
}

const REFUSED_RESULTS = new WeakMap<Refusal, ClaimResult>();

/** One refused item of a batch. Refusals are few objects asked about often, so their results are kept with them. */
export function refusedResult(refusal: Refusal): ClaimResult {
  const kept = REFUSED_RESULTS.get(refusal);
  if (kept !== undefined) return kept;
  const waitMs = retryAfterMs(refusal);
  const value = {
    reason: RefusalReason[refusal.reason],
    message: refusal.message,
    retryAfter: waitMs === undefined || waitMs === 0 ? undefined : waitMs,
    metadata: refusal.detail.metadata ?? {},
  };
  const made: ClaimResult = { outcome: { case: 'refusal', value } };
  REFUSED_RESULTS.set(refusal, made);
  return made;
}
