/** Events about orders: what each one does. Undefined: it has to wait until the order is known. */
import { epochMs } from '../domain/epoch-ms.ts';
import { ReferralMoment } from '../gen/hongbao/v1/availability_pb.ts';
import type {
  EventEffect,
  OrderCancelled,
  OrderCompleted,
  OrderRefunded,
} from '../gen/hongbao/v1/event_service_pb.ts';
import type { EventPorts } from './event-ports.ts';
import { grantCoupons } from './grant-coupons.ts';
import { type KnownOfOrder, noteOrder, type OrderName, readNoted } from './note-order.ts';
import { grantingOn } from './occasions.ts';
import { settleOrder } from './order-effects.ts';
import { withCancellation, withCompletion, withRefund } from './order-note.ts';
import { rewardReferral } from './referral.ts';
import type { Circumstances } from './user-events.ts';

/** An order was completed: it counts, earns points, and the first one gives coupons. After a cancellation it does nothing. */
export async function orderCompleted(
  ports: EventPorts,
  { eventId, userId, occurredAtMs }: Circumstances,
  event: OrderCompleted,
  deadlineMs: number,
): Promise<EventEffect[]> {
  const order = { userId, orderId: event.orderId };
  const completed = {
    eventId,
    atMs: epochMs(event.completedAt) ?? occurredAtMs,
    paidMinor: Number(event.paidMinor),
    currency: event.currency,
    isFirst: false,
  };
  await ports.orders.bringBack(userId, event.orderId, deadlineMs);
  const { note, facts } = await noteOrder(
    ports,
    order,
    (before) => withCompletion(before, completed),
    deadlineMs,
  );
  const effects = await settleOrder(ports, { ...order, eventId, reason: '' }, deadlineMs);
  const isOwn = note.completed?.eventId === eventId && note.cancelled === undefined;
  if (!isOwn || !note.completed?.isFirst) return effects;
  return [...effects, ...(await firstOrder(ports, userId, facts.inviterUserId, deadlineMs))];
}

async function firstOrder(
  ports: EventPorts,
  userId: string,
  inviterUserId: string | undefined,
  deadlineMs: number,
): Promise<EventEffect[]> {
  const occasion = {
    userId,
    promotions: grantingOn(ports.rules.current, 'firstOrder', ports.nowMs()),
    source: 'activity',
    key: ['first_order'],
    isBeforeFirstOrder: true,
  } as const;
  const effects = await grantCoupons(ports, occasion, deadlineMs);
  if (inviterUserId === undefined) return effects;
  const referral = { userId, inviterUserId };
  return [...effects, ...(await rewardReferral(ports, referral, ReferralMoment.FIRST_ORDER, deadlineMs))];
}

/** An order fell through: its coupons, limits and points go back, and it counts no more. */
export async function orderCancelled(
  ports: EventPorts,
  { eventId, userId }: Circumstances,
  { orderId, reason }: OrderCancelled,
  deadlineMs: number,
): Promise<EventEffect[]> {
  const order = { userId, orderId };
  await ports.orders.bringBack(userId, orderId, deadlineMs);
  await noteOrder(ports, order, (note) => withCancellation(note, eventId), deadlineMs);
  return await settleOrder(ports, { ...order, eventId, reason }, deadlineMs);
}

/** An order was refunded: points beyond what remains paid go back; of a whole one the coupons too. */
export async function orderRefunded(
  ports: EventPorts,
  { eventId, userId }: Circumstances,
  { orderId, refundedMinor, whole, reason }: OrderRefunded,
  deadlineMs: number,
): Promise<EventEffect[] | undefined> {
  const order = { userId, orderId };
  await ports.orders.bringBack(userId, orderId, deadlineMs);
  if (!isKnown(await readNoted(ports.ledger, order, deadlineMs))) return undefined;
  const refund = { minor: Number(refundedMinor), whole };
  await noteOrder(ports, order, (note) => withRefund(note, refund), deadlineMs);
  return await settleOrder(ports, { ...order, eventId, reason }, deadlineMs);
}

/** Only an order that was paid can be refunded: one that was completed, cancelled, or has used its coupons. */
function isKnown({ note, redemption }: KnownOfOrder): boolean {
  if (note.completed !== undefined || note.cancelled !== undefined) return true;
  return redemption?.state === 'committed' || redemption?.state === 'returned';
}

/** Whether what an order event of this kind notes may end the waiting of others. */
export function endsWaiting(kind: string | undefined): boolean {
  return kind === 'orderCompleted' || kind === 'orderCancelled';
}

/** The order an event is about; undefined when it is about none. */
export function orderIn(userId: string, value: unknown): OrderName | undefined {
  if (typeof value !== 'object' || value === null || !('orderId' in value)) return undefined;
  return typeof value.orderId === 'string' ? { userId, orderId: value.orderId } : undefined;
}
