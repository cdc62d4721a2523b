/** How a reservation ends by a call, to be used or to be let go of: decided on what was read, and again when that has changed. */
import type { Redemption } from '../domain/redemption.ts';
import { Refusal } from '../domain/refusal.ts';
import { isOutdated } from '../ledger/still-so.ts';
import { isConfirmed, seenOf } from './confirm-order.ts';
import { settleCodes } from './order-codes.ts';
import { type KnownOrder, type OrderRecords, readOrder, requireOrder } from './read-order.ts';
import type { LetGoPorts } from './redemption-ports.ts';
import { type EndingCall, hasEnded } from './request-ids.ts';

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
  const wasEnded = hasEnded(order.redemption, requestId, ending.call);
  if (!wasEnded) requireReservation(order.redemption, reservationId);
  const isReplay = wasEnded || ending.isDone(order.redemption);
  const ended = isReplay ? await confirmed(ports, order, deadlineMs) : await ending.attempt(order);
  return ended && { order: ended, replayed: isReplay };
}

/** The order, once it is safe to answer with; undefined when it has changed. */
async function confirmed(
  { ledger }: LetGoPorts,
  order: KnownOrder,
  deadlineMs: number,
): Promise<KnownOrder | undefined> {
  return (await isConfirmed(ledger, order, deadlineMs)) ? order : undefined;
}

function requireReservation(redemption: Redemption, reservationId: string): void {
  if (reservationId === '' || reservationId === redemption.reservationId) return;
  throw new Refusal('RESERVATION_NOT_FOUND', 'The order has no such reservation');
}
