import { COUPON_FIELD_BYTES, couponIdOf, decodeCouponValue } from '../domain/coupon.ts';
import type { HeldCoupon } from '../engine/evaluation-input.ts';
import { byCouponId } from './by-coupon-id.ts';
import { COUPON_BYTES } from './coupon-bytes.ts';

/**
 * The coupons of a wallet that came as bytes, by id, so that the order in which the ledger stores them changes no answer. What
 * the user has taken out of the lists is left out. Throws when a coupon cannot be read.
 */
export function walletIn(wallet: Uint8Array): HeldCoupon[] {
  const bytes = Buffer.from(wallet.buffer, wallet.byteOffset, wallet.byteLength);
  const coupons: HeldCoupon[] = [];
  for (let at = 0; at < bytes.length; at += COUPON_BYTES) {
    const start = at + COUPON_FIELD_BYTES;
    const value = decodeCouponValue(bytes.subarray(start, at + COUPON_BYTES));
    if (value.hidden) continue;
    const { promotionRef, promotionVersion, state, issuedAtMs, validFromMs, expiresAtMs } = value;
    coupons.push({
      couponId: couponIdOf(issuedAtMs, bytes.toString('hex', at, start)),
      promotionRef,
      promotionVersion,
      state,
      validFromMs,
      ...(expiresAtMs !== undefined && { expiresAtMs }),
    });
  }
  return coupons.sort(byCouponId);
}
