/** A user's wallet as read from the ledger. */
import {
  COUPON_FIELD_BYTES,
  COUPON_VALUE_BYTES,
  type CouponValue,
  couponIdOf,
  decodeCouponValue,
} from '../domain/coupon.ts';

/** One coupon of a wallet with its public id. */
export interface WalletCoupon extends CouponValue {
  readonly couponId: string;
}

const COUNTER_BYTES = 5;

/** The wallet field that counts a user's claims of a promotion for life: `#` and the ref. */
export function claimCounterField(ref: number): Buffer {
  const field = Buffer.alloc(COUNTER_BYTES, '#');
  field.writeUInt32BE(ref, 1);
  return field;
}

/** The coupon in one wallet field, or undefined when the field is not a coupon's. Throws on a value that cannot be read. */
export function walletCoupon(field: Buffer, value: Buffer): WalletCoupon | undefined {
  if (field.length !== COUPON_FIELD_BYTES) return undefined;
  const coupon = decodeCouponValue(value);
  return { ...coupon, couponId: couponIdOf(coupon.issuedAtMs, field.toString('hex')) };
}

/** The coupons among the fields and values HGETALL returned, newest first. */
export function walletCoupons(fieldsAndValues: readonly Buffer[]): WalletCoupon[] {
  const coupons: WalletCoupon[] = [];
  for (let index = 0; index + 1 < fieldsAndValues.length; index += 2) {
    const [field, value] = fieldsAndValues.slice(index, index + 2);
    const coupon = field && value && walletCoupon(field, value);
    if (coupon) coupons.push(coupon);
  }
  return coupons.sort((a, b) => (a.couponId < b.couponId ? 1 : -1));
}

/** The fields and values of the coupons among those HGETALL returned, one after the other, as they are stored. */
export function couponBytes(fieldsAndValues: readonly Buffer[]): Uint8Array {
  const parts: Buffer[] = [];
  for (let index = 0; index + 1 < fieldsAndValues.length; index += 2) {
    const [field, value] = [fieldsAndValues[index], fieldsAndValues[index + 1]];
    const isCoupon = field?.length === COUPON_FIELD_BYTES && value?.length === COUPON_VALUE_BYTES;
    if (isCoupon) parts.push(field, value);
  }
  return Buffer.concat(parts);
}
