/** What an order earned in points: field `p` of the order's record in the ledger. */
import { pointsFor } from './points-rate.ts';
import { encodeRecordJson, RecordFields } from './record-json.ts';

/** The points of one order. */
export interface OrderPoints {
  /** Paid for goods and shipping after discounts, in minor units of `currency`. */
  readonly paidMinor: number;
  readonly currency: string;
  /** Points per major unit, as it was then. */
  readonly rate: string;
  /** Points for what was paid and not given back when the order was completed. */
  readonly earned: number;
  /** Points that the promotions of the order gave besides. */
  readonly bonus: number;
  /** Points taken back so far, of both kinds together. */
  readonly reversed: number;
  /** The month of the lot they went to, as year × 100 + month. */
  readonly lot: number;
}

const VERSION = 1;

/** The bytes of field `p`. */
export function encodeOrderPoints(points: OrderPoints): Uint8Array {
  return encodeRecordJson(VERSION, points);
}

/** Reads field `p`. Throws CorruptRecordError when the bytes are no such record. */
export function decodeOrderPoints(bytes: Uint8Array): OrderPoints {
  const fields = RecordFields.decode(bytes, VERSION);
  return {
    paidMinor: fields.whole('paidMinor'),
    currency: fields.text('currency'),
    rate: fields.text('rate'),
    earned: fields.whole('earned'),
    bonus: fields.whole('bonus'),
    reversed: fields.whole('reversed'),
    lot: fields.whole('lot'),
  };
}

/**
 * Points still to be taken back when `remainingPaidMinor` of what was paid remains paid: all that were earned and not taken
 * back, but for the whole part of what remains × rate. The bonus stays while anything of the order does.
 */
export function pointsToReverse(
  order: OrderPoints,
  remainingPaidMinor: number,
  isWhollyBack: boolean,
): number {
  const remaining = Math.min(Math.max(0, remainingPaidMinor), order.paidMinor);
  const kept = Math.min(order.earned, pointsFor(remaining, order.currency, order.rate));
  const bonusKept = isWhollyBack ? 0 : order.bonus;
  const held = order.earned + order.bonus - order.reversed;
  return Math.max(0, held - kept - bonusKept);
}
