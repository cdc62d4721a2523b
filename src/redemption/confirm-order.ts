/** What answers about an order are held to before they are given; see `ledger/still-so.ts`. */

import { sameErasure } from '../ledger/erased-user.ts';
import { unchanged } from '../ledger/held-fields.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { isStillSo } from '../ledger/still-so.ts';
import { type Step, walletOf } from '../ledger/transaction.ts';
import { couponField } from './coupon-steps.ts';
import { expectHead, type OrderRecords } from './read-order.ts';

/** The steps that hold an order, its user and these coupons to what was read. */
export function seenOf(records: OrderRecords, couponIds: readonly string[] = []): Step[] {
  const { userId, account, wallet } = records;
  return [
    expectHead(records),
    sameErasure(userId, account),
    ...couponIds.map((couponId) => unchanged(walletOf(userId), couponField(couponId), wallet)),
  ];
}

/**
 * Whether the order is still as it was read, and safe to answer with. Throws DURABILITY_UNMET and those of the ledger; nothing
 * is written.
 */
export async function isConfirmed(
  ledger: Pick<Ledger, 'transact'>,
  records: OrderRecords,
  deadlineMs: number,
): Promise<boolean> {
  return await isStillSo(ledger, seenOf(records), deadlineMs);
}
