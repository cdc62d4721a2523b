/** Puts coupons in the order of their ids: the one order that does not depend on where they were kept. Ids differ. */
export function byCouponId(
  left: { readonly couponId: string },
  right: { readonly couponId: string },
): number {
  return left.couponId < right.couponId ? -1 : 1;
}
