/** Coupon ids as Postgres keeps them: the bytes of the public id, which starts with the time of issue, so that ids sort by it. */
import { COUPON_FIELD_BYTES, COUPON_ID_BYTES } from '../domain/coupon.ts';

/** How many bytes of an id are the time of issue; the rest is the field of the wallet. */
export const COUPON_ID_TIME_BYTES = COUPON_ID_BYTES - COUPON_FIELD_BYTES;

/** The id of a coupon. */
export function couponIdBytes(issuedAtMs: number, field: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(COUPON_ID_BYTES);
  bytes.writeUIntBE(issuedAtMs, 0, COUPON_ID_TIME_BYTES);
  field.copy(bytes, COUPON_ID_TIME_BYTES);
  return bytes;
}

/** The lower bound of the ids of what was issued at this time, ms since the epoch, or later: a whole number from 0 on. */
export function couponIdsFrom(timeMs: number): Buffer {
  const bytes = Buffer.alloc(COUPON_ID_TIME_BYTES);
  bytes.writeUIntBE(timeMs, 0, COUPON_ID_TIME_BYTES);
  return bytes;
}
