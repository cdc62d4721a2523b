/**
 * One transaction of a user's points: field `t` of the account's record in the ledger. It is one u48, the moment (ms since
 * the epoch), then JSON of the rest; the ledger writes its own time of the decision in front.
 */
import { couponIdOf } from './coupon.ts';
import { CorruptRecordError, encodeRecordJson, RecordFields } from './record-json.ts';
import { readUint48, UINT48_BYTES, writeUint48 } from './uint48.ts';

/** What moved the points. */
export type PointsEntryType = 'earn' | 'spend' | 'expire' | 'reverse' | 'return' | 'award';

/** A transaction. */
export interface PointsEntry {
  /** Running number of the user's transactions, from 1. */
  readonly number: number;
  /** Signed: what came or went. */
  readonly points: number;
  readonly balanceAfter: number;
  readonly type: PointsEntryType;
  readonly reason: string;
  readonly referenceType: string;
  readonly referenceId: string;
  readonly atMs: number;
}

/** Where the moment stands in the bytes. */
export const POINTS_ENTRY_TIME_OFFSET = 0;

const VERSION = 1;
const TYPES: readonly PointsEntryType[] = ['earn', 'spend', 'expire', 'reverse', 'return', 'award'];

/** The bytes of field `t`. */
export function encodePointsEntry({ atMs, ...rest }: PointsEntry): Uint8Array {
  const json = encodeRecordJson(VERSION, rest);
  const bytes = new Uint8Array(UINT48_BYTES + json.length);
  writeUint48(new DataView(bytes.buffer), POINTS_ENTRY_TIME_OFFSET, atMs);
  bytes.set(json, UINT48_BYTES);
  return bytes;
}

/** Reads field `t`. Throws {@link CorruptRecordError} when the bytes are not a transaction. */
export function decodePointsEntry(bytes: Uint8Array): PointsEntry {
  if (bytes.length < UINT48_BYTES) throw new CorruptRecordError(`${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields = RecordFields.decode(bytes.subarray(UINT48_BYTES), VERSION);
  return {
    number: fields.whole('number'),
    points: fields.signed('points'),
    balanceAfter: fields.whole('balanceAfter'),
    type: fields.oneOf('type', TYPES),
    reason: fields.text('reason'),
    referenceType: fields.text('referenceType'),
    referenceId: fields.text('referenceId'),
    atMs: readUint48(view, POINTS_ENTRY_TIME_OFFSET),
  };
}

const COUPON_FIELD_PATTERN = /^[0-9a-f]{32}$/;

/**
 * What the transaction refers to, as callers know it. A transaction that bought a coupon was written together with it and
 * holds only the part of the coupon's id that was known before; the rest is the moment of both.
 */
export function shownReferenceId({ referenceType, referenceId, atMs }: PointsEntry): string {
  const isField = referenceType === 'coupon' && COUPON_FIELD_PATTERN.test(referenceId);
  return isField ? couponIdOf(atMs, referenceId) : referenceId;
}
