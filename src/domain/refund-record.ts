/**
 * What a refund or a return of an order did: field `r:<request id>` of the order's record in the ledger. It is one u48, the
 * moment (ms since the epoch), then JSON of the rest; the ledger writes its own time of the decision in front. It makes the
 * call repeatable, and it is the order's history of refunds.
 */
import type { Gift } from './decision.ts';
import { CorruptRecordError, encodeRecordJson, RecordFields } from './record-json.ts';
import type { RefundedLine, RefundHistory, RefundPolicy } from './refund.ts';
import { readUint48, UINT48_BYTES, writeUint48 } from './uint48.ts';

/** What may become of a coupon whose use was given back. */
export const RETURN_OUTCOMES = ['usable_again', 'expired', 'extended', 'stays_used', 'revoked'] as const;

/** What became of such a coupon. */
export type ReturnOutcome = (typeof RETURN_OUTCOMES)[number];

/** A coupon of an order and what became of it. */
export interface ReturnedCoupon {
  readonly couponId: string;
  readonly outcome: ReturnOutcome;
  /** Its last instant, ms since the epoch; absent = no end, or `extendedByMs` after the return. */
  readonly expiresAtMs?: number;
  /** For `extended`: how long it can be used from the moment of the return. */
  readonly extendedByMs?: number;
}

interface AnyRecord {
  /** When it was done, by the ledger's clock. */
  readonly atMs: number;
  /** Digest of the request, in hex. */
  readonly digest: string;
  readonly reason: string;
  readonly coupons: readonly ReturnedCoupon[];
  readonly pointsReversed: number;
  /** Points that had been spent and became a debt. */
  readonly pointsDebt: number;
}

/** A return of coupons. */
export interface ReturnRecord extends AnyRecord {
  readonly kind: 'return';
}

/** A refund of units or shipping. Money in minor units. */
export interface RefundRecord extends AnyRecord {
  readonly kind: 'refund';
  readonly refundId: string;
  readonly policy: RefundPolicy;
  readonly lines: readonly RefundedLine[];
  /** Shipping was to go back, be it for nothing. */
  readonly shipping: boolean;
  readonly shippingMinor: number;
  readonly refundMinor: number;
  /** Signed; see `RefundPlan`. */
  readonly clawBackMinor: number;
  readonly giftsToReturn: readonly Gift[];
  readonly refundedTotalMinor: number;
  readonly remainingPayableMinor: number;
}

/** Where the moment stands in the bytes. */
export const REFUND_RECORD_TIME_OFFSET = 0;

/** What the names of these fields begin with; the request id follows. */
export const REFUND_RECORD_PREFIX = 'r:';

const VERSION = 1;
const POLICIES: readonly RefundPolicy[] = ['keep', 'reevaluate', 'claw_back'];

/** The bytes of a field. */
export function encodeRefundRecord({ atMs, ...rest }: ReturnRecord | RefundRecord): Uint8Array {
  const json = encodeRecordJson(VERSION, rest);
  const bytes = new Uint8Array(UINT48_BYTES + json.length);
  writeUint48(new DataView(bytes.buffer), REFUND_RECORD_TIME_OFFSET, atMs);
  bytes.set(json, UINT48_BYTES);
  return bytes;
}

/** Reads a field. Throws {@link CorruptRecordError} when the bytes are none. */
export function decodeRefundRecord(bytes: Uint8Array): ReturnRecord | RefundRecord {
  if (bytes.length < UINT48_BYTES) throw new CorruptRecordError(`${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields = RecordFields.decode(bytes.subarray(UINT48_BYTES), VERSION);
  const shared = {
    atMs: readUint48(view, REFUND_RECORD_TIME_OFFSET),
    digest: fields.text('digest'),
    reason: fields.text('reason'),
    coupons: fields.items('coupons', readCoupon),
    pointsReversed: fields.whole('pointsReversed'),
    pointsDebt: fields.whole('pointsDebt'),
  };
  const kind = fields.oneOf('kind', ['return', 'refund']);
  return kind === 'return' ? { ...shared, kind } : { ...shared, kind, ...readRefund(fields) };
}

function readCoupon(fields: RecordFields): ReturnedCoupon {
  return {
    couponId: fields.text('couponId'),
    outcome: fields.oneOf('outcome', RETURN_OUTCOMES),
    ...(fields.has('expiresAtMs') && { expiresAtMs: fields.whole('expiresAtMs') }),
    ...(fields.has('extendedByMs') && { extendedByMs: fields.whole('extendedByMs') }),
  };
}

function readRefund(fields: RecordFields) {
  return {
    refundId: fields.text('refundId'),
    policy: fields.oneOf('policy', POLICIES),
    lines: fields.items('lines', (line) => ({
      lineId: line.text('lineId'),
      quantity: line.whole('quantity'),
      refundMinor: line.whole('refundMinor'),
    })),
    shipping: fields.flag('shipping'),
    shippingMinor: fields.whole('shippingMinor'),
    refundMinor: fields.whole('refundMinor'),
    clawBackMinor: fields.signed('clawBackMinor'),
    giftsToReturn: fields.items('giftsToReturn', (gift) => ({
      itemId: gift.text('itemId'),
      quantity: gift.whole('quantity'),
    })),
    refundedTotalMinor: fields.whole('refundedTotalMinor'),
    remainingPayableMinor: fields.whole('remainingPayableMinor'),
  };
}

/** The refunds of an order's record, oldest first. Throws {@link CorruptRecordError} when one cannot be read. */
export function refundsOf(order: ReadonlyMap<string, Uint8Array>): RefundRecord[] {
  return [...order]
    .filter(([field]) => field.startsWith(REFUND_RECORD_PREFIX))
    .map(([, value]) => decodeRefundRecord(value))
    .filter((record) => record.kind === 'refund')
    .sort(byAge);
}

/** In one millisecond the one that left more refunded came later. */
function byAge(left: RefundRecord, right: RefundRecord): number {
  return left.atMs - right.atMs || left.refundedTotalMinor - right.refundedTotalMinor;
}

/** What the refunds did so far beside moving money. */
export function historyOf(refunds: readonly RefundRecord[]): RefundHistory {
  return {
    giftsToReturn: refunds.flatMap((refund) => refund.giftsToReturn),
    isShippingBack: refunds.some(({ shipping }) => shipping),
  };
}

/** Until when a returned coupon can be used; undefined: without end. */
export function returnedUntilMs(
  { expiresAtMs, extendedByMs }: ReturnedCoupon,
  returnedAtMs: number,
): number | undefined {
  return extendedByMs === undefined ? expiresAtMs : returnedAtMs + extendedByMs;
}
