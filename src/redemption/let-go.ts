/** Lets go of what a reservation holds: because the order was not paid, or because its time is over. */
import type { Redemption } from '../domain/redemption.ts';
import { Refusal } from '../domain/refusal.ts';
import { ORDER_FIELDS } from '../ledger/record-fields.ts';
import { orderOf, type Step } from '../ledger/transaction.ts';
import { afterSteps } from './after-steps.ts';
import { freeHeldCoupons, readCoupon } from './coupon-steps.ts';
import { type EndingRequest, endOrder, type RedemptionAnswer } from './end-order.ts';
import { settleCodes } from './order-codes.ts';
import { dueMember, expectHead, headBytes, type KnownOrder, readOrder, requireOrder } from './read-order.ts';
import type { LetGoPorts } from './redemption-ports.ts';
import { requestsWith } from './request-ids.ts';
import { giveBackUses } from './usage-steps.ts';

/** A call to release; an empty reason says nothing. */
export interface ReleaseRequest extends EndingRequest {
  readonly reason: string;
}

const LAST_INSTANT_MS = 2 ** 48 - 1;

/** The steps that give everything back, and write the order's head. */
function givingBack(order: KnownOrder, head: Redemption): Step[] {
  const { userId, orderId, redemption } = order;
  const coupons = redemption.coupons.flatMap(({ couponId }) => readCoupon(order, couponId) ?? []);
  const promotions = redemption.promotions.map((promotion) => ({ ...promotion, givenBack: true }));
  const value = headBytes({ ...head, promotions });
  return [
    ...freeHeldCoupons(userId, orderId, coupons),
    ...giveBackUses(redemption.promotions, userId),
    { kind: 'set', on: orderOf(userId, orderId), field: ORDER_FIELDS.head.bytes, value },
    { kind: 'due', member: dueMember(userId, orderId), afterMs: undefined },
  ];
}

/**
 * Releases a reservation. One that was released, or has expired, is answered as it is. Throws ORDER_NOT_FOUND,
 * RESERVATION_NOT_FOUND, ORDER_ALREADY_COMMITTED, REQUEST_ID_REUSED and those of the ledger.
 */
export async function releaseOrder(
  ports: LetGoPorts,
  request: ReleaseRequest,
  deadlineMs: number,
): Promise<RedemptionAnswer> {
  return await endOrder(
    ports,
    request,
    {
      call: 'release',
      isDone: isReleased,
      attempt: (order) => tryRelease(ports, order, request, deadlineMs),
    },
    deadlineMs,
  );
}

function isReleased({ state }: Redemption): boolean {
  switch (state) {
    case 'reserved':
      return false;
    case 'released':
    case 'expired':
      return true;
    case 'committed':
    case 'returned':
      throw new Refusal('ORDER_ALREADY_COMMITTED', 'The order was committed before');
  }
}

async function tryRelease(
  ports: LetGoPorts,
  order: KnownOrder,
  { requestId, reason }: ReleaseRequest,
  deadlineMs: number,
): Promise<KnownOrder | undefined> {
  const head: Redemption = {
    ...order.redemption,
    state: 'released',
    endedAtMs: ports.ledger.nowMs(),
    requests: requestsWith(order.redemption.requests, requestId, 'release'),
    ...(reason !== '' && { reason }),
  };
  const steps = [expectHead(order), ...givingBack(order, head)];
  const outcome = await ports.ledger.transact({ event: 'released', opensNew: false, steps }, deadlineMs);
  return outcome.kind === 'done' ? afterSteps(order, steps, outcome.nowMs) : undefined;
}

/** Is the reservation past its last instant, as far as this process can tell? The ledger has the last word. */
export function isOverdue({ state, dueAtMs }: Redemption, nowMs: number): boolean {
  return state === 'reserved' && nowMs > dueAtMs;
}

/**
 * Lets a reservation lapse whose last instant is past; true when this call did. Everything else stays as it is. Throws those
 * of the ledger.
 */
export async function lapseOrder(
  ports: LetGoPorts,
  userId: string,
  orderId: string,
  deadlineMs: number,
): Promise<boolean> {
  for (;;) {
    const records = await readOrder(ports.ledger, userId, orderId, deadlineMs);
    if (records.redemption === undefined || !isOverdue(records.redemption, ports.ledger.nowMs()))
      return false;
    const order = requireOrder(records);
    const { dueAtMs } = order.redemption;
    const head: Redemption = { ...order.redemption, state: 'expired', endedAtMs: ports.ledger.nowMs() };
    const steps: Step[] = [
      expectHead(order),
      { kind: 'within', fromMs: dueAtMs + 1, toMs: LAST_INSTANT_MS },
      ...givingBack(order, head),
    ];
    const outcome = await ports.ledger.transact({ event: 'lapsed', opensNew: false, steps }, deadlineMs);
    if (outcome.kind === 'outside') return false;
    if (outcome.kind !== 'done') continue;
    await settleCodes(ports, afterSteps(order, steps, outcome.nowMs), deadlineMs);
    return true;
  }
}
