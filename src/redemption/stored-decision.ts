/**
 * The decision an order was reserved by: field `d` of the order's record. It is what a refund needs to judge what is kept
 * by the same rules, facts and moment.
 *
 * | Bytes | Meaning |
 * |---|---|
 * | 1 | format, 1 |
 * | 4 | length of the request, big endian |
 * | n | hongbao.v1.EvaluateCartRequest that makes the decision again |
 * | the rest | hongbao.v1.EvaluateCartResponse |
 */
import { CorruptRecordError } from '../domain/record-json.ts';

/** Messages in binary form. */
export interface StoredDecision {
  /**
   * EvaluateCartRequest of a replay: cart, offers, facts, moment, rule-set version, and of the wallet the coupons of the
   * order as they were when it was decided; its selection is the coupons and codes of the order.
   */
  readonly request: Uint8Array;
  /** EvaluateCartResponse; candidates that did not apply may be left out. */
  readonly response: Uint8Array;
}

const FORMAT = 1;
const HEADER_BYTES = 5;

/** The bytes of field `d`, of messages that may come in parts. */
export function encodeStoredDecision(parts: {
  readonly request: readonly Uint8Array[];
  readonly response: readonly Uint8Array[];
}): Buffer {
  const { request, response } = parts;
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt8(FORMAT, 0);
  header.writeUInt32BE(
    request.reduce((sum, { length }) => sum + length, 0),
    1,
  );
  return Buffer.concat([header, ...request, ...response]);
}

/** Reads field `d`. Throws {@link CorruptRecordError} when the bytes are none. */
export function decodeStoredDecision(bytes: Buffer): StoredDecision {
  if (bytes.length < HEADER_BYTES || bytes[0] !== FORMAT) throw new CorruptRecordError('no stored decision');
  const end = HEADER_BYTES + bytes.readUInt32BE(1);
  if (end > bytes.length) throw new CorruptRecordError('a stored decision is cut off');
  return { request: bytes.subarray(HEADER_BYTES, end), response: bytes.subarray(end) };
}
