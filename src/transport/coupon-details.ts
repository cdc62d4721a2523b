/**
 * What a coupon's order and its revocation say about it. Read only for coupons that are held, used or revoked: the others, by
 * far the most, have nothing to tell.
 */
import type { RetiredCoupons, RetiredRecords } from '../archive/retired-coupons.ts';
import type { CouponValue } from '../domain/coupon.ts';
import { decodeRedemption, type Redemption } from '../domain/redemption.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ACCOUNT_FIELDS, type CouponMark, ORDER_FIELDS } from '../ledger/record-fields.ts';
import { accountOf, orderOf } from '../ledger/transaction.ts';

/** What is known beside the wallet; empty texts where there is nothing. */
export interface CouponDetail {
  readonly orderId: string;
  readonly orderNumber: string;
  /** Ms since the epoch; absent unless the coupon was used. */
  readonly usedAtMs?: number;
  /** What it took off its order, in minor units; absent unless the coupon was used. */
  readonly discountMinor?: number;
  readonly revokeReason: string;
}

/** Details by the hex of the wallet field, which ends the coupon's id. */
export type CouponDetails = ReadonlyMap<string, CouponDetail>;

/** No coupon of them has any. */
export const NO_DETAILS: CouponDetails = new Map();

/** A coupon with its wallet field. */
export interface NamedCoupon extends Pick<CouponValue, 'state'> {
  readonly couponId: string;
}

const FIELD_START = 12;

/** Does more about the coupon stand elsewhere? */
export function hasDetail({ state }: Pick<CouponValue, 'state'>): boolean {
  return state === 'reserved' || state === 'used' || state === 'revoked';
}

/** Where the details of a coupon are found by its id. */
export function detailOf(details: CouponDetails, couponId: string): CouponDetail | undefined {
  return details.size === 0 ? undefined : details.get(couponId.slice(FIELD_START));
}

/** Reads the details of those coupons that have some. Throws LEDGER_* and DEADLINE_EXCEEDED. */
export async function readCouponDetails(
  ledger: Pick<Ledger, 'read'>,
  userId: string,
  coupons: readonly NamedCoupon[],
  deadlineMs: number,
): Promise<CouponDetails> {
  const detailed = coupons.filter(hasDetail);
  if (detailed.length === 0) return NO_DETAILS;
  const [account = new Map<string, Buffer>()] = await ledger.read(deadlineMs, (reads) =>
    reads.records([accountOf(userId)]),
  );
  const orders = await readOrders(ledger, userId, orderIdsOf(account, detailed), deadlineMs);
  return detailsIn(detailed, { account, orders });
}

/** The details of coupons in what their account and orders say. */
function detailsIn(coupons: readonly NamedCoupon[], { account, orders }: RetiredRecords): CouponDetails {
  return new Map(
    coupons.map((coupon) => [coupon.couponId.slice(FIELD_START), couponDetail(coupon, account, orders)]),
  );
}

/** Reads the details of coupons that left Redis. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
export async function readRetiredDetails(
  retired: RetiredCoupons,
  userId: string,
  coupons: readonly NamedCoupon[],
  deadlineMs: number,
): Promise<CouponDetails> {
  const detailed = coupons.filter(hasDetail);
  if (detailed.length === 0) return NO_DETAILS;
  const couponIds = detailed.map(({ couponId }) => couponId);
  return detailsIn(detailed, await retired.records(userId, couponIds, deadlineMs));
}

function textIn(account: ReadonlyMap<string, Buffer>, mark: CouponMark, { couponId }: NamedCoupon): string {
  const field = Buffer.from(couponId.slice(FIELD_START), 'hex').toString('latin1');
  return account.get(mark.name(field))?.toString() ?? '';
}

function orderIdsOf(account: ReadonlyMap<string, Buffer>, coupons: readonly NamedCoupon[]): string[] {
  const ids = coupons
    .map((coupon) => textIn(account, ACCOUNT_FIELDS.holder, coupon))
    .filter((id) => id !== '');
  return [...new Set(ids)];
}

async function readOrders(
  ledger: Pick<Ledger, 'read'>,
  userId: string,
  orderIds: readonly string[],
  deadlineMs: number,
): Promise<ReadonlyMap<string, Redemption>> {
  if (orderIds.length === 0) return new Map();
  const names = orderIds.map((orderId) => orderOf(userId, orderId));
  const records = await ledger.read(deadlineMs, (reads) => reads.records(names));
  const orders = new Map<string, Redemption>();
  orderIds.forEach((orderId, index) => {
    const head = records[index]?.get(ORDER_FIELDS.head.name);
    if (head !== undefined) orders.set(orderId, decodeRedemption(head));
  });
  return orders;
}

function couponDetail(
  coupon: NamedCoupon,
  account: ReadonlyMap<string, Buffer>,
  orders: ReadonlyMap<string, Redemption>,
): CouponDetail {
  const orderId = textIn(account, ACCOUNT_FIELDS.holder, coupon);
  const order = orders.get(orderId);
  const part = order?.coupons.find(({ couponId }) => couponId === coupon.couponId);
  const isUsed = coupon.state === 'used' && order !== undefined;
  return {
    orderId,
    orderNumber: order?.orderNumber ?? '',
    ...(isUsed && { usedAtMs: order.committedAtMs }),
    ...(isUsed && part && { discountMinor: part.discountMinor }),
    revokeReason: textIn(account, ACCOUNT_FIELDS.revoked, coupon),
  };
}
