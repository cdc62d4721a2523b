/** Where an account keeps what a coupon cost; see `domain/points-spending.ts`. */

const COUPON_FIELD_HEX_LENGTH = 32;

/** The field for a coupon, by its id or by its wallet field in hex, which an id ends with. */
export function spendingField(couponHex: string): Buffer {
  return Buffer.concat([Buffer.from('$'), Buffer.from(couponHex.slice(-COUPON_FIELD_HEX_LENGTH), 'hex')]);
}
