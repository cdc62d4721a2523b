import type { CouponState } from '../../domain/coupon.ts';
import type { Failure, RejectionReason } from '../../domain/decision.ts';
import type { HeldCoupon } from '../evaluation-input.ts';

const UNUSABLE: Readonly<Record<Exclude<CouponState, 'unused'>, RejectionReason>> = {
  used: 'COUPON_USED',
  reserved: 'COUPON_RESERVED',
  revoked: 'COUPON_REVOKED',
  expired: 'COUPON_EXPIRED',
};

/** Why a coupon cannot be used at this moment, whatever the cart; both ends of its window are valid. */
export function checkCoupon(coupon: HeldCoupon, atMs: number): Failure | undefined {
  if (coupon.state !== 'unused') return { reason: UNUSABLE[coupon.state] };
  if (atMs < coupon.validFromMs) return { reason: 'COUPON_NOT_STARTED' };
  if (coupon.expiresAtMs !== undefined && atMs > coupon.expiresAtMs) return { reason: 'COUPON_EXPIRED' };
  return undefined;
}
