import { COUPON_BYTES, COUPON_FIELD_BYTES, couponIdIn, decodeCouponValue } from '../domain/coupon.ts';
import type { HeldCoupon } from '../engine/evaluation-input.ts';
import { byCouponId } from './by-coupon-id.ts';

/**
 * The coupons of a wallet that came as bytes, by id, so that the order in which the ledger stores them changes no answer. What
 * the user has taken out of the lists is left out. Throws when a coupon cannot be read.
 */
export function walletIn(wallet: Uint8Array): HeldCoupon[] {
  const coupons: HeldCoupon[] = [];
  for (let at = 0; at < wallet.length; at += COUPON_BYTES) {
    const start = at + COUPON_FIELD_BYTES;
    const value = decodeCouponValue(wallet.subarray(start, at + COUPON_BYTES));
    if (value.hidden) continue;
    const { promotionRef, promotionVersion, state, validFromMs, expiresAtMs } = value;
    coupons.push({
      couponId: couponIdIn(wallet, at, start),
      promotionRef,
      promotionVersion,
      state,
      validFromMs,
      ...(expiresAtMs !== undefined && { expiresAtMs }),
    });
  }
  return coupons.sort(byCouponId);
}
