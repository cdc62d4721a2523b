/** The coupons of a wallet, which of them a view shows, and how many there are. */
import {
  COUPON_BYTES,
  COUPON_FIELD_BYTES,
  type CouponState,
  couponIdIn,
  decodeCouponValue,
  stateAt,
} from '../domain/coupon.ts';
import { CouponView } from '../gen/hongbao/v1/coupon_service_pb.ts';
import type { CouponCounts } from '../gen/hot/wallet-responses.ts';
import type { WalletCoupon } from '../ledger/wallet.ts';

/** The view a state is shown in, beside the view of everything. */
const VIEWS: Readonly<Record<CouponState, CouponView>> = {
  unused: CouponView.AVAILABLE,
  reserved: CouponView.AVAILABLE,
  used: CouponView.USED,
  expired: CouponView.EXPIRED,
  revoked: CouponView.EXPIRED,
};

/** The coupons in the bytes of a wallet (a field of 16 bytes and a value of 30 each), newest first. */
export function couponsOfWallet(wallet: Uint8Array): WalletCoupon[] {
  const coupons: WalletCoupon[] = [];
  for (let at = 0; at + COUPON_BYTES <= wallet.length; at += COUPON_BYTES) {
    const value = decodeCouponValue(wallet.subarray(at + COUPON_FIELD_BYTES, at + COUPON_BYTES));
    coupons.push({ ...value, couponId: couponIdIn(wallet, at, at + COUPON_FIELD_BYTES) });
  }
  return coupons.sort((a, b) => (a.couponId < b.couponId ? 1 : -1));
}

/** Does the view show the coupon at this moment? */
export function isInView(coupon: WalletCoupon, view: number, nowMs: number): boolean {
  if (coupon.hidden) return false;
  return view === CouponView.UNSPECIFIED || VIEWS[stateAt(coupon, nowMs)] === view;
}

/** Counts of the coupons that are not hidden, by state at `nowMs`. */
export function countCoupons(coupons: readonly WalletCoupon[], nowMs: number): CouponCounts {
  const counts = { unused: 0, reserved: 0, used: 0, expired: 0, revoked: 0 };
  for (const coupon of coupons) if (!coupon.hidden) counts[stateAt(coupon, nowMs)] += 1;
  return counts;
}
