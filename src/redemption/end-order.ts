/** How a reservation ends by a call, to be used or to be let go of: decided on what was read, and again when that has changed. */
import type { Redemption } from '../domain/redemption.ts';
import { Refusal } from '../domain/refusal.ts';
import { ORDER_FIELDS } from '../ledger/record-fields.ts';
import { isOutdated } from '../ledger/still-so.ts';
import { orderOf, type Step } from '../ledger/transaction.ts';
import { afterSteps } from './after-steps.ts';
import { isConfirmed, seenOf } from './confirm-order.ts';
import { settleCodes } from './order-codes.ts';
import {
  expectHead,
  headBytes,
  type KnownOrder,
  type OrderRecords,
  readOrder,
  requireOrder,
} from './read-order.ts';
import type { LetGoPorts } from './redemption-ports.ts';
import { type EndingCall, hasEnded, requestsWith } from './request-ids.ts';

/** A call to commit or release. An empty reservation id means the order's latest reservation. */
export interface EndingRequest {
  readonly userId: string;
  readonly orderId: string;
  readonly requestId: string;
  readonly reservationId: string;
}

/** An order after a call, and whether the call, or one like it, had been carried out before. */
export interface RedemptionAnswer {
  readonly order: KnownOrder;
  readonly replayed: boolean;
}

/** One way to end. */
export interface Ending {
  readonly call: EndingCall;
  /** Whether an order in this state has ended so before. Throws the refusal when it cannot end so any more. */
  isDone(redemption: Redemption): boolean;
  /** Ends the order; undefined when something had changed meanwhile. */
  attempt(order: KnownOrder): Promise<KnownOrder | undefined>;
}

/**
 * Ends an order; one that has ended so before is answered as it is. Throws ORDER_NOT_FOUND, RESERVATION_NOT_FOUND (another
 * reservation is meant than the order's latest one), REQUEST_ID_REUSED, what the way to end throws, and those of the ledger.
 */
export async function endOrder(
  ports: LetGoPorts,
  request: EndingRequest,
  ending: Ending,
  deadlineMs: number,
): Promise<RedemptionAnswer> {
  for (;;) {
    const records = await readOrder(ports.ledger, request.userId, request.orderId, deadlineMs);
    const answer = await tryEnd(ports, records, request, ending, deadlineMs).catch(async (error: unknown) => {
      if (await isOutdated(error, ports.ledger, seenOf(records), deadlineMs)) return undefined;
      throw error;
    });
    if (answer === undefined) continue;
    await settleCodes(ports, answer.order, deadlineMs);
    return answer;
  }
}

/** Undefined when something had changed meanwhile. */
async function tryEnd(
  ports: LetGoPorts,
  records: OrderRecords,
  { requestId, reservationId }: EndingRequest,
  ending: Ending,
  deadlineMs: number,
): Promise<RedemptionAnswer | undefined> {
  const order = requireOrder(records);
  const { redemption } = order;
  if (hasEnded(redemption, requestId, ending.call))
    return (await isConfirmed(ports.ledger, order, deadlineMs)) ? { order, replayed: true } : undefined;
  requireReservation(redemption, reservationId);
  const isDone = ending.isDone(redemption);
  const ended = isDone
    ? await noteCall(ports, order, requestId, ending.call, deadlineMs)
    : await ending.attempt(order);
  return ended && { order: ended, replayed: isDone };
}

/**
 * Writes down that this call, too, was answered: repeated after the order has been reserved anew, it must not end that
 * reservation. Undefined when something had changed meanwhile.
 */
async function noteCall(
  { ledger }: LetGoPorts,
  order: KnownOrder,
  requestId: string,
  call: EndingCall,
  deadlineMs: number,
): Promise<KnownOrder | undefined> {
  const { userId, orderId, redemption } = order;
  const head = headBytes({ ...redemption, requests: requestsWith(redemption.requests, requestId, call) });
  const steps: Step[] = [
    expectHead(order),
    { kind: 'set', on: orderOf(userId, orderId), field: ORDER_FIELDS.head.bytes, value: head },
  ];
  const outcome = await ledger.transact({ event: 'order_noted', opensNew: false, steps }, deadlineMs);
  return outcome.kind === 'done' ? afterSteps(order, steps, outcome.nowMs) : undefined;
}

function requireReservation(redemption: Redemption, reservationId: string): void {
  if (reservationId === '' || reservationId === redemption.reservationId) return;
  throw new Refusal('RESERVATION_NOT_FOUND', 'The order has no such reservation');
}
