/** Noting what an event told about an order, together with the number of orders its user has completed. */
import { decodeRedemption, type Redemption } from '../domain/redemption.ts';
import { NO_FACTS, type StoredFacts, withOrders } from '../domain/user-facts.ts';
import { countOrder, NO_ORDERS, ordersCompletedOf, uncountOrder } from '../domain/user-facts-orders.ts';
import { isErased, noSuchUser, sameErasure, userExists } from '../ledger/erased-user.ts';
import { changed, unchanged } from '../ledger/held-fields.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ORDER_FIELDS } from '../ledger/record-fields.ts';
import { isStillSo } from '../ledger/still-so.ts';
import { accountOf, orderOf, type Step } from '../ledger/transaction.ts';
import { factsSteps } from './change-facts.ts';
import type { EventPorts } from './event-ports.ts';
import { counts, decodeOrderNote, encodeOrderNote, type OrderNote } from './order-note.ts';
import { factsIn } from './stored-facts.ts';
import { copyUserFacts } from './user-facts-table.ts';

/** An order of a user. */
export interface OrderName {
  readonly userId: string;
  readonly orderId: string;
}

/** What the ledger holds about an order. */
export interface KnownOfOrder {
  readonly note: OrderNote;
  readonly redemption: Redemption | undefined;
}

/** Reads an order: its note, empty when nothing was told, and what it holds of coupons. Throws LEDGER_*. */
export async function readNoted(
  ledger: Pick<Ledger, 'read'>,
  { userId, orderId }: OrderName,
  deadlineMs: number,
): Promise<KnownOfOrder> {
  const [order = new Map<string, Buffer>()] = await ledger.read(deadlineMs, (reads) =>
    reads.records([orderOf(userId, orderId)]),
  );
  const [note, head] = [order.get(ORDER_FIELDS.note.name), order.get(ORDER_FIELDS.head.name)];
  return {
    note: note === undefined ? {} : decodeOrderNote(note),
    redemption: head && decodeRedemption(head),
  };
}

/** The facts with the order counted as its note says now, and whether it is the first that counts. */
function recounted(
  facts: StoredFacts,
  before: OrderNote,
  after: OrderNote,
): { readonly facts: StoredFacts; readonly isFirst: boolean } {
  const { completed } = after;
  if (completed === undefined || counts(before) === counts(after)) return { facts, isFirst: false };
  const orders = facts.orders ?? NO_ORDERS;
  const next = (counts(after) ? countOrder : uncountOrder)(orders, completed.atMs);
  const isFirst = ordersCompletedOf(orders) === 0 && ordersCompletedOf(next) === 1;
  return { facts: withOrders(facts, next), isFirst };
}

function noteSteps(
  { userId, orderId }: OrderName,
  order: ReadonlyMap<string, Buffer>,
  note: OrderNote,
): Step[] {
  const value = Buffer.from(encodeOrderNote(note));
  const steps = changed(orderOf(userId, orderId), ORDER_FIELDS.note.bytes, order, value);
  return steps.length === 0 ? [] : [userExists(userId), ...steps];
}

/**
 * Adds to the note of an order. The number of completed orders changes in the same transaction, so an order counts once
 * however often and by whatever events it is told. Throws USER_NOT_FOUND for an erased user, LEDGER_*, ARCHIVE_UNAVAILABLE.
 */
export async function noteOrder(
  ports: Pick<EventPorts, 'ledger' | 'sql'>,
  order: OrderName,
  add: (note: OrderNote) => OrderNote,
  deadlineMs: number,
): Promise<{ readonly note: OrderNote; readonly facts: StoredFacts }> {
  const names = [orderOf(order.userId, order.orderId), accountOf(order.userId)];
  for (;;) {
    const records = await ports.ledger.read(deadlineMs, (reads) => reads.records(names));
    const [record = new Map<string, Buffer>(), account = new Map<string, Buffer>()] = records;
    const seen = [
      sameErasure(order.userId, account),
      unchanged(orderOf(order.userId, order.orderId), ORDER_FIELDS.note.bytes, record),
    ];
    if (isErased(account)) {
      if (await isStillSo(ports.ledger, seen, deadlineMs)) throw noSuchUser();
      continue;
    }
    const bytes = record.get(ORDER_FIELDS.note.name);
    const before = bytes === undefined ? {} : decodeOrderNote(bytes);
    const added = add(before);
    const { facts, isFirst } = recounted(factsIn(account) ?? NO_FACTS, before, added);
    const note =
      isFirst && added.completed ? { ...added, completed: { ...added.completed, isFirst } } : added;
    const steps = [
      ...noteSteps(order, record, note),
      ...(counts(before) === counts(note) ? [] : factsSteps(order.userId, account, facts)),
    ];
    // What was noted before is an answer too, and held to what was read of it.
    const wanted = steps.length > 0 ? steps : seen;
    const transaction = { event: 'order_noted', opensNew: false, steps: wanted } as const;
    if ((await ports.ledger.transact(transaction, deadlineMs)).kind !== 'done') continue;
    await copyUserFacts(ports.sql, order.userId, facts, deadlineMs);
    return { note, facts };
  }
}
