/** A user's wallet as read from the ledger. */
import {
  COUPON_FIELD_BYTES,
  COUPON_VALUE_BYTES,
  type CouponValue,
  couponIdOf,
  decodeCouponValue,
} from '../domain/coupon.ts';
import { WALLET_FIELDS } from './record-fields.ts';

/** One coupon of a wallet with its public id. */
export interface WalletCoupon extends CouponValue {
  readonly couponId: string;
}

/** A wallet for who lists it. */
export interface KeptWallet {
  /** Its coupons as {@link couponBytes} gives them. */
  readonly coupons: Uint8Array;
  /** Coupons that are in the archive only. */
  readonly retired: number;
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

/** The wallet among the fields and values HGETALL returned. */
export function keptWallet(fieldsAndValues: readonly Buffer[]): KeptWallet {
  let retired = 0;
  for (let index = 0; index + 1 < fieldsAndValues.length; index += 2) {
    const [field, value] = [fieldsAndValues[index], fieldsAndValues[index + 1]];
    if (field?.length === 1 && field[0] === WALLET_FIELDS.retired.bytes[0])
      retired = Number(value?.toString('latin1'));
  }
  return { coupons: couponBytes(fieldsAndValues), retired };
}
