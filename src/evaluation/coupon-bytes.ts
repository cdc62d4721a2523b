import { COUPON_FIELD_BYTES, COUPON_VALUE_BYTES } from '../domain/coupon.ts';

/** Bytes of one coupon of a wallet on its way to a worker: its wallet field and its value, as the ledger stores both. */
export const COUPON_BYTES = COUPON_FIELD_BYTES + COUPON_VALUE_BYTES;
