/**
 * The fields of the ledger's records: what each is called in Redis, in events and in the archive, and what it holds. Names are
 * short, since Redis and the log pay for each of them once per record or write; they stay as they are for ever, since logs and
 * archives are read at any age. Scripts spell the few they touch themselves (`scripts/*.lua`).
 */

/** One field. */
export interface RecordField {
  /** As maps of records have it (latin1). */
  readonly name: string;
  /** As steps and events have it. */
  readonly bytes: Buffer;
}

/** The fields of one kind that a record has per coupon: a mark, and the coupon's wallet field behind it. */
export interface CouponMark {
  readonly mark: string;
  /** As maps of records have it, given the coupon's field as such a map has it. */
  name(couponField: string): string;
  /** As steps and events have it. */
  bytes(couponField: Buffer): Buffer;
}

function field(name: string): RecordField {
  return { name, bytes: Buffer.from(name, 'latin1') };
}

function couponMark(mark: string): CouponMark {
  const bytes = Buffer.from(mark, 'latin1');
  return {
    mark,
    name: (couponField) => mark + couponField,
    bytes: (couponField) => Buffer.concat([bytes, couponField]),
  };
}

function refField(mark: string, ref: number): Buffer {
  const bytes = Buffer.alloc(5, mark, 'latin1');
  bytes.writeUInt32BE(ref, 1);
  return bytes;
}

/** Tells how far a record's events have come: u48 number of the last one, which events leave 0; a wallet's live coupons follow as u16. */
export const SEQUENCE_FIELD = field('@');

/**
 * The wallet: beside these, `@`, and {@link claimCounterField}, a field of 16 bytes per coupon (the hash its id ends with) with
 * the coupon's value (`domain/coupon.ts`).
 */
export const WALLET_FIELDS = {
  /** `1` when the user was erased; claims look here. */
  erased: field('x'),
  /** Coupons that left Redis after retention and are in the archive only, in decimal; absent: none did. */
  retired: field('z'),
};

/** The wallet field that counts a user's claims of a promotion for life, in decimal: `#` and the ref as u32. */
export function claimCounterField(ref: number): Buffer {
  return refField('#', ref);
}

/** The account: everything about a user but coupons. Beside these {@link userUsesField} and {@link spendingField}. */
export const ACCOUNT_FIELDS = {
  /** Facts of the user (`domain/user-facts.ts`). */
  facts: field('f'),
  /** Points and their lots (`domain/points.ts`). */
  points: field('p'),
  /** The last transaction of points (`domain/points-entry.ts`); each event has its own, the log and the archive all of them. */
  lastEntry: field('t'),
  /** When the user was erased: u48 ms since the epoch. Who gives a user something requires that it is absent. */
  erased: field('x'),
  /** Per coupon that an order holds or has used: the order's id. */
  holder: couponMark('>'),
  /** Per coupon that was revoked, or is once its order lets it go: the reason. */
  revoked: couponMark('~'),
};

/** The account field that counts a user's uses of a promotion, in decimal: `u` and the ref as u32. */
export function userUsesField(promotionRef: number): Buffer {
  return refField('u', promotionRef);
}

const COUPON_FIELD_HEX_LENGTH = 32;

/**
 * The account field with what a coupon cost in points (`domain/points-spending.ts`): `$` and the coupon's wallet field.
 *
 * @param couponHex the coupon's id, or its wallet field in hex, which an id ends with
 */
export function spendingField(couponHex: string): Buffer {
  return Buffer.concat([Buffer.from('$'), Buffer.from(couponHex.slice(-COUPON_FIELD_HEX_LENGTH), 'hex')]);
}

/** An order. */
export const ORDER_FIELDS = {
  /** The redemption: its state, lines, coupons and promotions (`domain/redemption.ts`). Absent while the order took none. */
  head: field('h'),
  /** The decision it was reserved by (`redemption/stored-decision.ts`). */
  decision: field('d'),
  /** What it earned in points (`domain/points-order.ts`). */
  points: field('p'),
  /** What events told about it (`events/order-note.ts`). */
  note: field('e'),
};

/** A promotion's record; `@` beside these. */
export const PROMOTION_FIELDS = {
  /** What claims are decided by (`live-definition.ts`). */
  definition: field('d'),
  /** The whole promotion, a protobuf message. */
  body: field('body'),
  /** Coupons that count against the stock, in decimal. */
  issued: field('issued'),
  /** Units this partition may issue, in decimal; empty: unlimited. With several partitions it is `granted` − `back`. */
  received: field('received'),
  /** Units the pool ever gave this partition, in decimal; there only with several partitions (`leases/`). */
  granted: field('granted'),
  /** Units this partition ever gave back to the pool, in decimal; absent: none. */
  back: field('back'),
  /** Coupons whose stock came back, in decimal; absent: none. */
  returned: field('returned'),
};

/** How often and for how much a promotion was used. Beside these a count per day, week and month (`redemption/use-periods.ts`). */
export const USAGE_FIELDS = {
  /** Uses, in decimal. */
  uses: field('n'),
  /** Discounts given, in decimal minor units. */
  money: field('m'),
};

/**
 * The usage field with what one counter of it may count up to in this partition (`leases/usage-lease.ts`): `lease:` and the
 * counter's name. There only with several partitions, and for counters with a limit.
 */
export function leaseField(counter: string): RecordField {
  return field(LEASE_PREFIX + counter);
}

/** What the names of {@link leaseField}s begin with; no counter is called so. */
export const LEASE_PREFIX = 'lease:';

/** The fields of a pool that are about one quantity. */
export interface PoolFields {
  /** The quantity in force, in decimal; empty: unlimited. Only coupons have it: limits of uses are told by who counts. */
  readonly limit: RecordField;
  /** Units that are with partitions, used or not, in decimal: all that were granted less all that came back. */
  readonly total: RecordField;
  /** Units ever granted to a partition, in decimal. */
  granted(partition: number): RecordField;
  /** Units that ever came back from a partition, in decimal. */
  back(partition: number): RecordField;
}

/** @param counter name of the counter in usage records; empty: the coupons of the promotion */
export function poolFields(counter: string): PoolFields {
  const prefix = counter === '' ? '' : `${counter}:`;
  return {
    limit: field(`${prefix}q`),
    total: field(`${prefix}t`),
    granted: (partition) => field(`${prefix}g${partition}`),
    back: (partition) => field(`${prefix}b${partition}`),
  };
}
