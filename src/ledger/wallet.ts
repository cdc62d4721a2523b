/** A user's wallet as read from the ledger. */
import { COUPON_FIELD_BYTES, type CouponValue, couponIdOf, decodeCouponValue } from '../domain/coupon.ts';

/** Bytes of the number a wallet begins with as it is read. */
const RETIRED_BYTES = 4;

/** One coupon of a wallet with its public id. */
export interface WalletCoupon extends CouponValue {
  readonly couponId: string;
}

/** A wallet for who lists it. */
export interface KeptWallet {
  /** Of every coupon its field of 16 bytes and its value of 30, in no stated order. */
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

/** The wallet in a reply of `scripts/read.lua`. Throws TypeError when it is none. */
export function keptWallet(reply: unknown): KeptWallet {
  if (!Buffer.isBuffer(reply)) throw new TypeError('a wallet was read as no bytes');
  return { coupons: reply.subarray(RETIRED_BYTES), retired: reply.readUInt32BE() };
}
