/**
 * A coupon as the ledger stores it: one 30-byte wallet field. The layout is shared with `ledger/scripts/claim.lua`.
 *
 * | Offset | Bytes | Meaning |
 * |---|---|---|
 * | 0 | 1 | format, 1 |
 * | 1 | 1 | state |
 * | 2 | 1 | source |
 * | 3 | 1 | flags: bit 0 hidden |
 * | 4 | 4 | promotion ref |
 * | 8 | 4 | promotion version it was issued under |
 * | 12 | 6 | issued at, ms since the epoch |
 * | 18 | 6 | valid from, ms since the epoch |
 * | 24 | 6 | expires at, ms since the epoch; 0 = never |
 *
 * All integers are unsigned and big endian. A value under 64 bytes keeps the wallet a listpack (LEDGER rule 5).
 */

import { readUint48, writeUint48 } from './uint48.ts';

/** Stored states. Expiry is not among what scripts write: it is a function of time, see {@link stateAt}. */
export type CouponState = 'unused' | 'reserved' | 'used' | 'expired' | 'revoked';

/** How a coupon came to be. */
export type CouponSource = 'system' | 'claim' | 'points' | 'referral' | 'activity' | 'code' | 'staff';

const STATES: readonly CouponState[] = ['unused', 'reserved', 'used', 'expired', 'revoked'];
/** Every way, in the order of their codes. */
export const COUPON_SOURCES: readonly CouponSource[] = [
  'system',
  'claim',
  'points',
  'referral',
  'activity',
  'code',
  'staff',
];

/** Bytes of a stored coupon value. */
export const COUPON_VALUE_BYTES = 30;
/** Bytes of a coupon's wallet field: the first half of a SHA-256. */
export const COUPON_FIELD_BYTES = 16;
/** Bytes of one coupon among those of a wallet: its wallet field, then its value. */
export const COUPON_BYTES = COUPON_FIELD_BYTES + COUPON_VALUE_BYTES;
/** Bytes of a public coupon id: six bytes of issue time, then the wallet field. */
export const COUPON_ID_BYTES = 22;

const TIME_BYTES = COUPON_ID_BYTES - COUPON_FIELD_BYTES;
/** Where the time of issue stands in a value. */
const ISSUED_AT_OFFSET = 12;
const COUPON_FORMAT = 1;
const HIDDEN_FLAG = 1;

/** What a wallet field says about one coupon. Times in ms since the epoch; an absent expiry means never. */
export interface CouponValue {
  readonly state: CouponState;
  readonly source: CouponSource;
  readonly hidden: boolean;
  readonly promotionRef: number;
  readonly promotionVersion: number;
  readonly issuedAtMs: number;
  readonly validFromMs: number;
  readonly expiresAtMs?: number;
}

/** A stored coupon that cannot be read: wrong length, format, state or source. Never repaired by guessing. */
export class CorruptCouponError extends Error {
  override readonly name = 'CorruptCouponError';
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function named<Name>(names: readonly Name[], code: number, what: string): Name {
  const name = names[code - 1];
  if (name === undefined) throw new CorruptCouponError(`unknown ${what} ${code}`);
  return name;
}

/** Reads a stored coupon; throws {@link CorruptCouponError} when it is not one. */
export function decodeCouponValue(bytes: Uint8Array): CouponValue {
  if (bytes.length !== COUPON_VALUE_BYTES) throw new CorruptCouponError(`${bytes.length} bytes`);
  const view = viewOf(bytes);
  if (view.getUint8(0) !== COUPON_FORMAT) throw new CorruptCouponError(`format ${view.getUint8(0)}`);
  const expiresAtMs = readUint48(view, 24);
  return {
    state: named(STATES, view.getUint8(1), 'state'),
    source: named(COUPON_SOURCES, view.getUint8(2), 'source'),
    hidden: (view.getUint8(3) & HIDDEN_FLAG) !== 0,
    promotionRef: view.getUint32(4),
    promotionVersion: view.getUint32(8),
    issuedAtMs: readUint48(view, ISSUED_AT_OFFSET),
    validFromMs: readUint48(view, 18),
    ...(expiresAtMs === 0 ? {} : { expiresAtMs }),
  };
}

/** Writes a coupon as the scripts do; used by tests and tools that make wallets. */
export function encodeCouponValue(coupon: CouponValue): Uint8Array {
  const bytes = new Uint8Array(COUPON_VALUE_BYTES);
  const view = viewOf(bytes);
  view.setUint8(0, COUPON_FORMAT);
  view.setUint8(1, STATES.indexOf(coupon.state) + 1);
  view.setUint8(2, COUPON_SOURCES.indexOf(coupon.source) + 1);
  view.setUint8(3, coupon.hidden ? HIDDEN_FLAG : 0);
  view.setUint32(4, coupon.promotionRef);
  view.setUint32(8, coupon.promotionVersion);
  writeUint48(view, ISSUED_AT_OFFSET, coupon.issuedAtMs);
  writeUint48(view, 18, coupon.validFromMs);
  writeUint48(view, 24, coupon.expiresAtMs ?? 0);
  return bytes;
}

/** The state a reader sees at `nowMs`: an unused coupon past its end instant is expired at once (the end instant itself is valid). */
export function stateAt(coupon: CouponValue, nowMs: number): CouponState {
  const isOver = coupon.expiresAtMs !== undefined && nowMs > coupon.expiresAtMs;
  return coupon.state === 'unused' && isOver ? 'expired' : coupon.state;
}

/** The time of the last id that was made, and its digits: coupons of one batch of claims are issued at one time. */
let lastIssuedAtMs = -1;
let lastDigits = '';

/** The public id of a coupon: lower-case hex of issue time (6 bytes) and wallet field (16 bytes), so ids sort by time. */
export function couponIdOf(issuedAtMs: number, fieldHex: string): string {
  if (issuedAtMs !== lastIssuedAtMs) {
    lastIssuedAtMs = issuedAtMs;
    lastDigits = issuedAtMs.toString(16).padStart(TIME_BYTES * 2, '0');
  }
  return lastDigits + fieldHex;
}

/** Bytes of an id before it is written in hex: the time first. */
const idBytes = Buffer.alloc(COUPON_ID_BYTES);

/** The same from a wallet's field and value, which has the time in it, as they stand in `bytes`. */
export function couponIdIn(bytes: Uint8Array, fieldAt: number, valueAt: number): string {
  const timeAt = valueAt + ISSUED_AT_OFFSET;
  for (let at = 0; at < TIME_BYTES; at += 1) idBytes[at] = bytes[timeAt + at] ?? 0;
  for (let at = 0; at < COUPON_FIELD_BYTES; at += 1) idBytes[TIME_BYTES + at] = bytes[fieldAt + at] ?? 0;
  return idBytes.toString('hex');
}

const COUPON_ID_PATTERN = /^[0-9a-f]{44}$/;

/** Splits a public coupon id into its parts, or undefined when the text is not a coupon id. */
export function parseCouponId(id: string): { issuedAtMs: number; fieldHex: string } | undefined {
  if (!COUPON_ID_PATTERN.test(id)) return undefined;
  return { issuedAtMs: Number.parseInt(id.slice(0, 12), 16), fieldHex: id.slice(12) };
}
