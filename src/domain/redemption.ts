/**
 * A redemption: what one order holds and took of its user's coupons and of the budgets of promotions. It is field `h` of
 * the order's record in the ledger: three u48 (reserved at, due at, committed at; ms since the epoch, 0 = not), then JSON
 * of the rest. The moments stand in front because the ledger writes its own time of the decision there.
 */
import { CorruptRecordError, encodeRecordJson, RecordFields } from './record-json.ts';
import { readUint48, UINT48_BYTES, writeUint48 } from './uint48.ts';

/**
 * `reserved`: held until the due time. `committed`: used for good. `released` and `expired`: given back without having
 * been used. `returned`: given back after the use.
 */
export type RedemptionState = 'reserved' | 'committed' | 'released' | 'expired' | 'returned';

/** A coupon of the order. Money in minor units. */
export interface RedemptionCoupon {
  readonly couponId: string;
  readonly promotionRef: number;
  readonly promotionVersion: number;
  readonly discountMinor: number;
  /** Given back to the wallet after the use. */
  readonly returned: boolean;
}

/** A use of a promotion by the order, with or without a coupon. Money in minor units. */
export interface RedemptionPromotion {
  readonly promotionId: string;
  readonly promotionRef: number;
  readonly promotionVersion: number;
  readonly couponId?: string;
  readonly code?: string;
  readonly discountMinor: number;
  /** Usage fields counted beside `n` and `m`, such as `d20261122`. */
  readonly periods: readonly string[];
  /** The use counts no longer. */
  readonly givenBack: boolean;
}

/** A line of the order. Money in minor units. */
export interface RedemptionLine {
  readonly lineId: string;
  readonly itemId: string;
  readonly quantity: number;
  readonly unitPriceMinor: number;
  readonly payableMinor: number;
  readonly returnedQuantity: number;
  readonly refundedMinor: number;
}

/** What an order holds. Money in minor units of `currency`, times in ms since the epoch. */
export interface Redemption {
  readonly state: RedemptionState;
  readonly reservationId: string;
  readonly requestId: string;
  /** Digest of the request that reserved or used, in hex. */
  readonly digest: string;
  /** What calls the order remembers beside the one that reserved it, and what each did; see `redemption/request-ids.ts`. */
  readonly requests: Readonly<Record<string, string>>;
  readonly orderNumber: string;
  readonly currency: string;
  readonly reservedAtMs: number;
  /** When the reservation lapses; 0 = never. */
  readonly dueAtMs: number;
  /** 0 = not committed. */
  readonly committedAtMs: number;
  /** When it was released, expired or was returned. */
  readonly endedAtMs?: number;
  /** Why it was released or returned, as given with the call. */
  readonly reason?: string;
  /** Items before discounts. */
  readonly itemsMinor: number;
  readonly shippingMinor: number;
  readonly itemsDiscountMinor: number;
  readonly shippingDiscountMinor: number;
  readonly payableMinor: number;
  readonly refundedMinor: number;
  readonly shippingRefundedMinor: number;
  readonly bonusPoints: number;
  readonly gifts: readonly { readonly itemId: string; readonly quantity: number }[];
  readonly ruleSetVersion: number;
  readonly coupons: readonly RedemptionCoupon[];
  readonly promotions: readonly RedemptionPromotion[];
  readonly lines: readonly RedemptionLine[];
}

/** Where the moments stand in the bytes. */
export const REDEMPTION_OFFSETS = { reservedAt: 0, dueAt: 6, committedAt: 12 } as const;

const VERSION = 1;
const HEADER_BYTES = 3 * UINT48_BYTES;
const STATES: readonly RedemptionState[] = ['reserved', 'committed', 'released', 'expired', 'returned'];

/** The bytes of field `h`. */
export function encodeRedemption(redemption: Redemption): Uint8Array {
  const { reservedAtMs, dueAtMs, committedAtMs, ...rest } = redemption;
  const bytes = encodeRecordJson(VERSION, rest, HEADER_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  writeUint48(view, REDEMPTION_OFFSETS.reservedAt, reservedAtMs);
  writeUint48(view, REDEMPTION_OFFSETS.dueAt, dueAtMs);
  writeUint48(view, REDEMPTION_OFFSETS.committedAt, committedAtMs);
  return bytes;
}

/** Reads field `h`. Throws {@link CorruptRecordError} when the bytes are not a redemption. */
export function decodeRedemption(bytes: Uint8Array): Redemption {
  const moments = readMoments(bytes);
  const fields = RecordFields.decode(bytes.subarray(HEADER_BYTES), VERSION);
  return {
    ...readRequest(fields),
    ...readTotals(fields),
    ...moments,
    ...(fields.has('endedAtMs') && { endedAtMs: fields.whole('endedAtMs') }),
    ...(fields.has('reason') && { reason: fields.text('reason') }),
    gifts: fields.items('gifts', (gift) => ({
      itemId: gift.text('itemId'),
      quantity: gift.whole('quantity'),
    })),
    coupons: fields.items('coupons', readCoupon),
    promotions: fields.items('promotions', readPromotion),
    lines: fields.items('lines', readLine),
  };
}

/** The redemption with the moments that stand in front of the bytes. Throws {@link CorruptRecordError} when they do not. */
export function withMoments(redemption: Redemption, bytes: Uint8Array): Redemption {
  return { ...redemption, ...readMoments(bytes) };
}

function readMoments(bytes: Uint8Array) {
  if (bytes.length < HEADER_BYTES) throw new CorruptRecordError(`${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    reservedAtMs: readUint48(view, REDEMPTION_OFFSETS.reservedAt),
    dueAtMs: readUint48(view, REDEMPTION_OFFSETS.dueAt),
    committedAtMs: readUint48(view, REDEMPTION_OFFSETS.committedAt),
  };
}

function readRequest(fields: RecordFields) {
  return {
    state: fields.oneOf('state', STATES),
    reservationId: fields.text('reservationId'),
    requestId: fields.text('requestId'),
    digest: fields.text('digest'),
    requests: fields.textMap('requests'),
    orderNumber: fields.text('orderNumber'),
    currency: fields.text('currency'),
    ruleSetVersion: fields.whole('ruleSetVersion'),
  };
}

function readTotals(fields: RecordFields) {
  return {
    itemsMinor: fields.whole('itemsMinor'),
    shippingMinor: fields.whole('shippingMinor'),
    itemsDiscountMinor: fields.whole('itemsDiscountMinor'),
    shippingDiscountMinor: fields.whole('shippingDiscountMinor'),
    payableMinor: fields.whole('payableMinor'),
    refundedMinor: fields.whole('refundedMinor'),
    shippingRefundedMinor: fields.whole('shippingRefundedMinor'),
    bonusPoints: fields.whole('bonusPoints'),
  };
}

function readCoupon(fields: RecordFields): RedemptionCoupon {
  return {
    couponId: fields.text('couponId'),
    promotionRef: fields.whole('promotionRef'),
    promotionVersion: fields.whole('promotionVersion'),
    discountMinor: fields.whole('discountMinor'),
    returned: fields.flag('returned'),
  };
}

function readPromotion(fields: RecordFields): RedemptionPromotion {
  return {
    promotionId: fields.text('promotionId'),
    promotionRef: fields.whole('promotionRef'),
    promotionVersion: fields.whole('promotionVersion'),
    ...(fields.has('couponId') && { couponId: fields.text('couponId') }),
    ...(fields.has('code') && { code: fields.text('code') }),
    discountMinor: fields.whole('discountMinor'),
    periods: fields.texts('periods'),
    givenBack: fields.flag('givenBack'),
  };
}

function readLine(fields: RecordFields): RedemptionLine {
  return {
    lineId: fields.text('lineId'),
    itemId: fields.text('itemId'),
    quantity: fields.whole('quantity'),
    unitPriceMinor: fields.whole('unitPriceMinor'),
    payableMinor: fields.whole('payableMinor'),
    returnedQuantity: fields.whole('returnedQuantity'),
    refundedMinor: fields.whole('refundedMinor'),
  };
}
