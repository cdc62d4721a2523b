/**
 * Brings an order that left Redis back, with the coupons it used, so that it can be returned or refunded at any age. What the
 * archive holds is put back only where nothing is there, in one event; whoever comes at the same time finds it done.
 */
import { readArchivedCoupons, readArchivedOrder } from '../archive/archived-orders.ts';
import type { ArchivePlaces } from '../archive/places.ts';
import type { Sql } from '../database/client.ts';
import { COUPON_FIELD_BYTES } from '../domain/coupon.ts';
import { decodeRedemption } from '../domain/redemption.ts';
import { Refusal } from '../domain/refusal.ts';
import { isErased, userExists } from '../ledger/erased-user.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ACCOUNT_FIELDS, ORDER_FIELDS, WALLET_FIELDS } from '../ledger/record-fields.ts';
import { accountOf, orderOf, type RecordName, type Step, walletOf } from '../ledger/transaction.ts';

/** What reading and bringing back orders that left Redis needs. */
export interface HydratePorts {
  readonly sql: Sql;
  readonly places: ArchivePlaces;
  readonly ledger: Pick<Ledger, 'read' | 'transact'>;
}

/** Orders that left Redis, as the operations on orders need them. Both throw ARCHIVE_UNAVAILABLE and DEADLINE_EXCEEDED. */
export interface OrderArchive {
  /** See `hydrateOrder`. */
  hydrate(userId: string, orderId: string, deadlineMs: number): Promise<boolean>;
  /** See `readLeftOrder`. */
  read(userId: string, orderId: string, deadlineMs: number): Promise<LeftOrder>;
}

/** An order as archived: fields of its record, and wallet fields of its coupons, by name (latin1). */
export interface LeftOrder {
  readonly order: ReadonlyMap<string, Buffer>;
  readonly coupons: ReadonlyMap<string, Buffer>;
}

type Fields = ReadonlyMap<string, Buffer>;

/** Joins the ledger with its archive. */
export function orderArchive(ports: HydratePorts): OrderArchive {
  return {
    hydrate: (userId, orderId, deadlineMs) => hydrateOrder(ports, userId, orderId, deadlineMs),
    read: (userId, orderId, deadlineMs) => readLeftOrder(ports, userId, orderId, deadlineMs),
  };
}

/** The order as the archive has it, for answers that change nothing. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
export async function readLeftOrder(
  { sql, places }: Pick<HydratePorts, 'sql' | 'places'>,
  userId: string,
  orderId: string,
  deadlineMs: number,
): Promise<LeftOrder> {
  const order = await readArchivedOrder(sql, places.ofUser(userId), orderOf(userId, orderId).id, deadlineMs);
  const coupons = await readArchivedCoupons(sql, userId, couponIdsOf(order), deadlineMs);
  return {
    order,
    coupons: new Map(coupons.map((coupon) => [fieldOf(coupon).toString('latin1'), coupon.value])),
  };
}

/**
 * Puts the archived record of an order back when Redis has none; false when the archive has none either, or the user was
 * erased. Call it when an order is not found, and read the order again after it. Throws ARCHIVE_UNAVAILABLE,
 * DEADLINE_EXCEEDED, LEDGER_*.
 */
export async function hydrateOrder(
  { sql, places, ledger }: HydratePorts,
  userId: string,
  orderId: string,
  deadlineMs: number,
): Promise<boolean> {
  const on = orderOf(userId, orderId);
  for (;;) {
    const names = [on, walletOf(userId), accountOf(userId)];
    const records = await ledger.read(deadlineMs, (reads) => reads.records(names));
    const [live = new Map(), wallet = new Map(), account = new Map()]: Fields[] = records;
    if (live.size > 0) return true;
    if (isErased(account)) return false;
    const fields = await readArchivedOrder(sql, places.ofUser(userId), on.id, deadlineMs);
    if (fields.size === 0) return false;
    // Not what the archive calls retired: it may not have heard yet that a coupon has left Redis too.
    const archived = await readArchivedCoupons(sql, userId, couponIdsOf(fields), deadlineMs);
    const gone = archived.filter(
      (coupon) => coupon.orderId === orderId && !wallet.has(fieldOf(coupon).toString('latin1')),
    );
    const steps: Step[] = [
      userExists(userId),
      ...[...fields].flatMap(([name, value]) => putBack(on, Buffer.from(name, 'latin1'), value)),
      ...gone.flatMap((coupon) => couponSteps(userId, orderId, fieldOf(coupon), coupon.value)),
    ];
    const outcome = await ledger.transact({ event: 'order_noted', opensNew: false, steps }, deadlineMs);
    if (outcome.kind === 'done') return true;
    // When a field is there already, somebody else has brought the order back meanwhile: the next look shows it.
    if (outcome.kind !== 'differs')
      throw new Refusal('INTERNAL', 'The wallet does not count the coupons that left it');
  }
}

function couponIdsOf(order: Fields): string[] {
  const head = order.get(ORDER_FIELDS.head.name);
  return head === undefined ? [] : decodeRedemption(head).coupons.map(({ couponId }) => couponId);
}

function fieldOf({ couponId }: { readonly couponId: Buffer }): Buffer {
  return couponId.subarray(-COUPON_FIELD_BYTES);
}

function putBack(on: RecordName, field: Buffer, value: Buffer): Step[] {
  return [
    { kind: 'absent', on, field },
    { kind: 'set', on, field, value },
  ];
}

function couponSteps(userId: string, orderId: string, field: Buffer, value: Buffer): Step[] {
  return [
    ...putBack(walletOf(userId), field, value),
    ...putBack(accountOf(userId), ACCOUNT_FIELDS.holder.bytes(field), Buffer.from(orderId)),
    { kind: 'add', on: walletOf(userId), field: WALLET_FIELDS.retired.bytes, delta: -1 },
  ];
}
