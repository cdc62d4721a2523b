/** What the ledger holds about an order and its user, read in one round trip: everything a redemption decides on. */
import { decodeRedemption, encodeRedemption, type Redemption } from '../domain/redemption.ts';
import { Refusal } from '../domain/refusal.ts';
import { unchanged } from '../ledger/held-fields.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ORDER_FIELDS } from '../ledger/record-fields.ts';
import { accountOf, orderOf, type Step, walletOf } from '../ledger/transaction.ts';

/** The records of one order and its user as they were read; fields by name (latin1). */
export interface OrderRecords {
  readonly userId: string;
  readonly orderId: string;
  readonly order: ReadonlyMap<string, Buffer>;
  readonly account: ReadonlyMap<string, Buffer>;
  readonly wallet: ReadonlyMap<string, Buffer>;
  /** The order's head as stored, for `expectHead`; undefined when there is no such order. */
  readonly head: Buffer | undefined;
  /** The head, read. */
  readonly redemption: Redemption | undefined;
}

/** The records of an order that has a head. */
export interface KnownOrder extends OrderRecords {
  readonly head: Buffer;
  readonly redemption: Redemption;
}

/** Reads an order with its user's account and wallet. Throws LEDGER_* refusals and CorruptRecordError. */
export async function readOrder(
  ledger: Pick<Ledger, 'read'>,
  userId: string,
  orderId: string,
  deadlineMs: number,
): Promise<OrderRecords> {
  const names = [orderOf(userId, orderId), accountOf(userId), walletOf(userId)];
  const [order, account, wallet] = await ledger.read(deadlineMs, (reads) => reads.records(names));
  const head = order?.get(ORDER_FIELDS.head.name);
  return {
    userId,
    orderId,
    order: order ?? new Map(),
    account: account ?? new Map(),
    wallet: wallet ?? new Map(),
    head,
    redemption: head && decodeRedemption(head),
  };
}

/** The order, or the refusal that there is none. Throws ORDER_NOT_FOUND. */
export function requireOrder(records: OrderRecords): KnownOrder {
  const { head, redemption } = records;
  if (head === undefined || redemption === undefined)
    throw new Refusal('ORDER_NOT_FOUND', 'The user has no such order here');
  return { ...records, head, redemption };
}

/** The order's head is still what was read, or still not there. */
export function expectHead({ userId, orderId, order }: OrderRecords): Step {
  return unchanged(orderOf(userId, orderId), ORDER_FIELDS.head.bytes, order);
}

/** The bytes of an order's head. */
export function headBytes(redemption: Redemption): Buffer {
  const { buffer, byteOffset, byteLength } = encodeRedemption(redemption);
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** The order's member in the set of due reservations. */
export const dueMember = (userId: string, orderId: string): string => `${userId}/${orderId}`;
