/**
 * The steps by which an order takes coupons and gives them back. A coupon an order holds or has used has two marks: its state
 * in the wallet, and the order's id in the account's field `>` + wallet field. Both change together.
 */
import {
  type CouponState,
  type CouponValue,
  decodeCouponValue,
  encodeCouponValue,
  parseCouponId,
} from '../domain/coupon.ts';
import { Refusal } from '../domain/refusal.ts';
import { ACCOUNT_FIELDS } from '../ledger/record-fields.ts';
import { accountOf, type Step, walletOf } from '../ledger/transaction.ts';
import type { OrderRecords } from './read-order.ts';

/** The parts of a coupon's id. Throws COUPON_NOT_FOUND when the text is none. */
function partsOf(couponId: string): { readonly issuedAtMs: number; readonly fieldHex: string } {
  const parts = parseCouponId(couponId);
  if (parts === undefined) throw new Refusal('COUPON_NOT_FOUND', 'There is no such coupon');
  return parts;
}

/** The wallet field of a coupon. Throws COUPON_NOT_FOUND when the text is no coupon id. */
export function couponField(couponId: string): Buffer {
  return Buffer.from(partsOf(couponId).fieldHex, 'hex');
}

/** A coupon as read: its bytes, what they say, which order has it, and whether it is to be revoked once it is free. */
export interface ReadCoupon {
  readonly couponId: string;
  /** Its wallet field. */
  readonly field: Buffer;
  readonly bytes: Buffer;
  readonly value: CouponValue;
  readonly orderId: string | undefined;
  readonly isRevoked: boolean;
}

/**
 * The coupon in the records that were read; undefined when the wallet has none, or one of another time under the same request
 * id: the first was lost by a server that kept less than it was asked for, and claimed anew.
 */
export function readCoupon(records: OrderRecords, couponId: string): ReadCoupon | undefined {
  const { fieldHex, issuedAtMs } = partsOf(couponId);
  const field = Buffer.from(fieldHex, 'hex');
  const name = field.toString('latin1');
  const bytes = records.wallet.get(name);
  if (bytes === undefined) return undefined;
  const value = decodeCouponValue(bytes);
  if (value.issuedAtMs !== issuedAtMs) return undefined;
  return {
    couponId,
    field,
    bytes,
    value,
    orderId: records.account.get(ACCOUNT_FIELDS.holder.name(name))?.toString(),
    isRevoked: records.account.has(ACCOUNT_FIELDS.revoked.name(name)),
  };
}

/** The coupon's bytes with other values in places. */
export function changedCoupon(
  { value }: ReadCoupon,
  change: Partial<Pick<CouponValue, 'state' | 'expiresAtMs' | 'hidden'>>,
): Buffer {
  const { buffer, byteOffset, byteLength } = encodeCouponValue({ ...value, ...change });
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** The wallet's coupon goes from what was read to these bytes. */
export function replaceCoupon(userId: string, coupon: ReadCoupon, value: Buffer): Step[] {
  const on = walletOf(userId);
  const { field, bytes } = coupon;
  return [
    { kind: 'expect', on, field, value: bytes },
    { kind: 'set', on, field, value },
  ];
}

/** An order takes free coupons: as held, or as used, which makes them live no more. */
export function takeCoupons(
  userId: string,
  orderId: string,
  coupons: readonly ReadCoupon[],
  state: Extract<CouponState, 'reserved' | 'used'>,
): Step[] {
  const on = accountOf(userId);
  const steps = coupons.flatMap((coupon): Step[] => {
    const field = ACCOUNT_FIELDS.holder.bytes(coupon.field);
    return [
      ...replaceCoupon(userId, coupon, changedCoupon(coupon, { state })),
      { kind: 'absent', on, field },
      { kind: 'set', on, field, value: Buffer.from(orderId) },
    ];
  });
  return state === 'used' ? [...steps, ...liveChange(userId, -coupons.length)] : steps;
}

/** Coupons an order holds become used. One that is held no more, since staff took it back, stays as it is. */
export function useHeldCoupons(userId: string, orderId: string, coupons: readonly ReadCoupon[]): Step[] {
  const held = coupons.filter((coupon) => isHeldBy(coupon, orderId));
  return [
    ...held.flatMap((coupon) => replaceCoupon(userId, coupon, changedCoupon(coupon, { state: 'used' }))),
    ...liveChange(userId, -held.length),
  ];
}

/** Is the coupon held by this order? */
export function isHeldBy({ value, orderId: holder }: ReadCoupon, orderId: string): boolean {
  return value.state === 'reserved' && holder === orderId;
}

/**
 * Coupons an order holds become free again, or revoked where staff took them back meanwhile. One that is held no more stays
 * as it is.
 */
export function freeHeldCoupons(userId: string, orderId: string, coupons: readonly ReadCoupon[]): Step[] {
  const held = coupons.filter((coupon) => isHeldBy(coupon, orderId));
  const revoked = held.filter(({ isRevoked }) => isRevoked);
  const steps = held.flatMap((coupon): Step[] => [
    ...replaceCoupon(
      userId,
      coupon,
      changedCoupon(coupon, { state: coupon.isRevoked ? 'revoked' : 'unused' }),
    ),
    { kind: 'remove', on: accountOf(userId), field: ACCOUNT_FIELDS.holder.bytes(coupon.field) },
  ]);
  return [...steps, ...liveChange(userId, -revoked.length)];
}

/** The wallet's number of live coupons changes; no step when it does not. */
export function liveChange(userId: string, change: number): Step[] {
  return change === 0 ? [] : [{ kind: 'live', userId, change }];
}
