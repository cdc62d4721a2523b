/**
 * Brings an order that left Redis back, with the coupons it used, so that it can be returned or refunded at any age. What the
 * archive holds is put back only where nothing is there, in one event; whoever comes at the same time finds it done.
 */
import type { PartitionId } from '../archive/ledger-port.ts';
import type { Sql } from '../database/client.ts';
import { COUPON_FIELD_BYTES } from '../domain/coupon.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { accountOf, orderOf, type RecordName, type Step, walletOf } from '../ledger/transaction.ts';
import { archivedOrder, couponsOfOrder, type EndedCoupon } from './store/retirement.ts';

/** What bringing an order back needs. */
export interface HydratePorts {
  readonly sql: Sql;
  readonly id: PartitionId;
  readonly ledger: Pick<Ledger, 'transact'>;
}

const HOLDER_MARK = Buffer.from('>');

/**
 * Puts the archived record of an order back when Redis has none; false when the archive has none either. Call it when an
 * order is not found, and read the order again after it. Throws ARCHIVE_UNAVAILABLE, DEADLINE_EXCEEDED, LEDGER_*.
 */
export async function hydrateOrder(
  { sql, id, ledger }: HydratePorts,
  userId: string,
  orderId: string,
  deadlineMs: number,
): Promise<boolean> {
  const on = orderOf(userId, orderId);
  const fields = await archivedOrder(sql, id, on.id, deadlineMs);
  if (fields.size === 0) return false;
  const coupons = await couponsOfOrder(sql, userId, orderId, deadlineMs);
  const order = [...fields].flatMap(([name, value]) => putBack(on, Buffer.from(name, 'latin1'), value));
  const steps = [...order, ...coupons.flatMap((coupon) => couponSteps(coupon, orderId))];
  // When a field is there already, somebody else has brought the order back meanwhile.
  await ledger.transact({ event: 'order_noted', opensNew: false, steps }, deadlineMs);
  return true;
}

function putBack(on: RecordName, field: Buffer, value: Buffer): Step[] {
  return [
    { kind: 'absent', on, field },
    { kind: 'set', on, field, value },
  ];
}

function couponSteps({ userId, couponId, value }: EndedCoupon, orderId: string): Step[] {
  const field = couponId.subarray(-COUPON_FIELD_BYTES);
  const holder = Buffer.concat([HOLDER_MARK, field]);
  return [
    ...putBack(walletOf(userId), field, value),
    ...putBack(accountOf(userId), holder, Buffer.from(orderId)),
  ];
}
