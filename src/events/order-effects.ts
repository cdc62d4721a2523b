/**
 * What follows from the note of an order, for points and coupons. It looks at the note only and every write is idempotent,
 * so it may run after any event about the order, several times and in several processes at once.
 */

import type { Redemption } from '../domain/redemption.ts';
import { Refusal } from '../domain/refusal.ts';
import { type EventEffect, EventEffectKind } from '../gen/hongbao/v1/event_service_pb.ts';
import { effectOf, finalRefusal } from './event-effect.ts';
import type { EventPorts } from './event-ports.ts';
import { type KnownOfOrder, type OrderName, readNoted } from './note-order.ts';
import { counts, isUndone, type OrderNote, remainingPaidMinor } from './order-note.ts';
import { requestIdOf } from './request-id.ts';

/** An order, and the event that made somebody look at it. */
export interface EventOfOrder extends OrderName {
  readonly eventId: string;
  /** Why, for people; may be empty. */
  readonly reason: string;
}

/** Refusals which say that there is nothing left to give back. */
const NOTHING_LEFT: ReadonlySet<string> = new Set([
  'NOTHING_TO_RETURN',
  'ORDER_NOT_FOUND',
  'RESERVATION_NOT_FOUND',
  'RESERVATION_EXPIRED',
  'RESERVATION_RELEASED',
]);

/** Brings points and coupons in line with the note. Gives what was done for this event. Throws what the stores throw. */
export async function settleOrder(
  ports: EventPorts,
  order: EventOfOrder,
  deadlineMs: number,
): Promise<EventEffect[]> {
  const { note } = await readNoted(ports.ledger, order, deadlineMs);
  const earned = await earnFor(ports, order, note, deadlineMs);
  // Read again: a cancellation or refund noted while the points were earned found none to take back.
  const known = await readNoted(ports.ledger, order, deadlineMs);
  return [...earned, ...(await giveBack(ports, order, known, deadlineMs))];
}

async function earnFor(
  ports: EventPorts,
  { userId, orderId, eventId }: EventOfOrder,
  note: OrderNote,
  deadlineMs: number,
): Promise<EventEffect[]> {
  const { completed } = note;
  if (completed === undefined || !counts(note)) return [];
  const { paidMinor, currency } = completed;
  const { points } = await ports.points.earn({ userId, orderId, paidMinor, currency }, deadlineMs);
  // An order completed once more, by another event, earns nothing again.
  if (points === 0 || completed.eventId !== eventId) return [];
  return [effectOf(EventEffectKind.POINTS_EARNED, userId, { points })];
}

async function giveBack(
  ports: EventPorts,
  order: EventOfOrder,
  { note, redemption }: KnownOfOrder,
  deadlineMs: number,
): Promise<EventEffect[]> {
  if (note.cancelled === undefined && note.refunded === undefined) return [];
  // Points first: a return takes back what it finds of them, which then were not told as an effect of this event.
  const reversed = await reverseFor(ports, order, note, deadlineMs);
  if (!isUndone(note) || redemption === undefined) return reversed;
  return [...reversed, ...(await endRedemption(ports, order, redemption, deadlineMs))];
}

async function reverseFor(
  ports: EventPorts,
  { userId, orderId, reason }: EventOfOrder,
  note: OrderNote,
  deadlineMs: number,
): Promise<EventEffect[]> {
  if (note.completed === undefined) return [];
  const { points, debt } = await ports.points.reverse(
    {
      userId,
      orderId,
      remainingPaidMinor: remainingPaidMinor(note),
      isWhollyBack: isUndone(note),
      reason,
    },
    deadlineMs,
  );
  return points + debt === 0
    ? []
    : [effectOf(EventEffectKind.POINTS_REVERSED, userId, { points: points + debt })];
}

/** Lets a reservation go, or gives back what a committed order used; nothing when that was done before. */
async function endRedemption(
  ports: EventPorts,
  order: EventOfOrder,
  before: Redemption,
  deadlineMs: number,
): Promise<EventEffect[]> {
  const { userId, orderId, eventId, reason } = order;
  const ended = { userId, orderId, requestId: requestIdOf('ended', eventId), reason };
  try {
    if (before.state === 'reserved') await ports.orders.release(ended, deadlineMs);
    else if (before.state === 'committed')
      await ports.orders.returnCoupons({ ...ended, couponIds: [] }, deadlineMs);
    else return [];
  } catch (error) {
    return refusedReturn(userId, error);
  }
  const after = await readNoted(ports.ledger, order, deadlineMs);
  return returnedCoupons(userId, before, after.redemption);
}

function refusedReturn(userId: string, error: unknown): EventEffect[] {
  const refusal = finalRefusal(error);
  // A reservation that was committed in this very moment is to be looked at again.
  if (refusal === undefined || refusal.reason === 'ORDER_ALREADY_COMMITTED') throw unsettled(error);
  if (NOTHING_LEFT.has(refusal.reason)) return [];
  return [effectOf(EventEffectKind.COUPONS_RETURNED, userId, { refusal })];
}

function unsettled(error: unknown): unknown {
  if (finalRefusal(error) === undefined) return error;
  return new Refusal('INTERNAL', 'the order changed while it was cancelled', { cause: error });
}

/** The coupons that the order held before and holds no more. */
function returnedCoupons(userId: string, before: Redemption, after: Redemption | undefined): EventEffect[] {
  const isLetGo = after === undefined || after.state !== before.state;
  const kept = new Set(after?.coupons.filter(({ returned }) => !returned).map(({ couponId }) => couponId));
  const returned = before.coupons.filter(
    ({ couponId, returned: wasReturned }) =>
      !wasReturned && (before.state === 'reserved' ? isLetGo : !kept.has(couponId)),
  );
  return returned.map(({ couponId }) => {
    const use = before.promotions.find((promotion) => promotion.couponId === couponId);
    const promotionId = use?.promotionId ?? '';
    return effectOf(EventEffectKind.COUPONS_RETURNED, userId, { couponId, promotionId });
  });
}
