/**
 * What a coupon cost: account field `$` and the coupon's 16-byte field. It lets a repeated exchange give its first answer,
 * and points go back to the lots they came from.
 */
import { decodeLots, encodeLots, type PointsLot } from './points.ts';
import { encodeRecordJson, RecordFields } from './record-json.ts';

/** The lots that paid for a coupon. */
export interface PointsSpending {
  readonly points: number;
  readonly lots: readonly PointsLot[];
}

const VERSION = 1;

/** The bytes of the field. */
export function encodePointsSpending({ points, lots }: PointsSpending): Uint8Array {
  return encodeRecordJson(VERSION, { points, lots: encodeLots(lots) });
}

/** Reads the field. Throws CorruptRecordError when the bytes are no spending. */
export function decodePointsSpending(bytes: Uint8Array): PointsSpending {
  const fields = RecordFields.decode(bytes, VERSION);
  return { points: fields.whole('points'), lots: decodeLots(fields) };
}
