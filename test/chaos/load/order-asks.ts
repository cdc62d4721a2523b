/** Calls about orders: hold, use, commit, release, return, refund, and what the shop tells of them. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { CartSchema } from '../../../src/gen/hongbao/v1/cart_service_pb.ts';
import { CouponState } from '../../../src/gen/hongbao/v1/coupon_service_pb.ts';
import {
  EventOutcome,
  EventService,
  type IngestEventRequestSchema,
} from '../../../src/gen/hongbao/v1/event_service_pb.ts';
import {
  type Redemption,
  RedemptionService,
  RedemptionState,
  RefundPolicy,
  type ReturnedCoupon,
  ReturnOutcome,
} from '../../../src/gen/hongbao/v1/redemption_service_pb.ts';
import type { Answer, ToldCoupon } from '../history/history.ts';
import { type Ask, askOf } from './ask.ts';
import { enumName } from './enum-name.ts';

/** What an order asks for. */
export interface OrderedCart {
  readonly userId: string;
  readonly orderId: string;
  readonly couponIds: readonly string[];
  readonly cart: MessageInitShape<typeof CartSchema>;
}

/** An order that is meant. */
export interface MeantOrder {
  readonly userId: string;
  readonly orderId: string;
  readonly reservationId?: string;
}

/** The shortest hold the contract allows, so that holds lapse within longer runs. */
const HOLD_SECONDS = 60n;

function stateName(names: Readonly<Record<string, number>>, value: number): string {
  return enumName(names, value).toLowerCase();
}

function toldCoupons(redemption: Redemption | undefined): ToldCoupon[] {
  return (redemption?.coupons ?? []).map(({ couponId, state }) => ({
    couponId,
    state: stateName(CouponState, state),
  }));
}

function returnedCoupons(coupons: readonly ReturnedCoupon[]): ToldCoupon[] {
  return coupons.map(({ couponId, outcome }) => ({ couponId, state: stateName(ReturnOutcome, outcome) }));
}

function redemptionAnswer(redemption: Redemption | undefined, replayed: boolean): Answer {
  const totals = redemption?.totals;
  return {
    replayed,
    orderId: redemption?.orderId ?? '',
    reservationId: redemption?.reservationId ?? '',
    state: stateName(RedemptionState, redemption?.state ?? 0),
    coupons: toldCoupons(redemption),
    discountMinor: Number((totals?.itemsDiscountMinor ?? 0n) + (totals?.shippingDiscountMinor ?? 0n)),
  };
}

/** Holds coupons for an order, or uses them at once. */
export function beginAsk(operation: 'reserve' | 'use', order: OrderedCart, requestId: string): Ask {
  const { userId, orderId, couponIds, cart } = order;
  const head = { operation, requestId, arguments: { userId, orderId, couponIds } };
  const request = { userId, orderId, requestId, cart, couponIds: [...couponIds] };
  const read = ({ redemption, replayed }: { redemption?: Redemption | undefined; replayed: boolean }) => {
    // A repeated call is answered with the order as it is now, which another reservation may have.
    const answer = redemptionAnswer(redemption, replayed);
    return { answer, stable: [operation, answer.orderId] };
  };
  if (operation === 'use') return askOf(head, RedemptionService.method.useCoupons, request, read);
  const held = { ...request, timeout: { seconds: HOLD_SECONDS } };
  return askOf(head, RedemptionService.method.reserveCoupons, held, read);
}

/** Commits or releases a reservation. */
export function endAsk(operation: 'commit' | 'release', order: MeantOrder, requestId: string): Ask {
  const { userId, orderId, reservationId = '' } = order;
  const head = { operation, requestId, arguments: { userId, orderId, reservationId } };
  const request = { userId, orderId, requestId, reservationId };
  const read = ({ redemption, replayed }: { redemption?: Redemption | undefined; replayed: boolean }) => {
    const answer = redemptionAnswer(redemption, replayed);
    return { answer, stable: [operation, answer.orderId] };
  };
  if (operation === 'commit') return askOf(head, RedemptionService.method.commitReservation, request, read);
  return askOf(head, RedemptionService.method.releaseReservation, request, read);
}

/** Gives the coupons of an order back; all of them when none is named. */
export function returnAsk(
  { userId, orderId }: MeantOrder,
  couponIds: readonly string[],
  requestId: string,
): Ask {
  const head = { operation: 'return', requestId, arguments: { userId, orderId, couponIds } } as const;
  const request = { userId, orderId, requestId, couponIds: [...couponIds], reason: 'chaos' };
  return askOf(head, RedemptionService.method.returnCoupons, request, (message) => {
    const coupons = returnedCoupons(message.coupons);
    const pointsReversed = Number(message.pointsReversed);
    const answer = { replayed: message.replayed, orderId, coupons, pointsReversed };
    return { answer, stable: [orderId, coupons, pointsReversed] };
  });
}

/** Takes units of an order back. */
export function refundAsk(
  { userId, orderId }: MeantOrder,
  lines: readonly { readonly lineId: string; readonly quantity: number }[],
  requestId: string,
): Ask {
  const head = { operation: 'refund', requestId, arguments: { userId, orderId, lines } } as const;
  const request = {
    userId,
    orderId,
    requestId,
    lines: [...lines],
    policy: RefundPolicy.KEEP,
    reason: 'chaos',
  };
  return askOf(head, RedemptionService.method.refundItems, request, ({ refund, replayed }) => {
    const coupons = returnedCoupons(refund?.coupons ?? []);
    const refundMinor = Number(refund?.refundMinor ?? 0n);
    const pointsReversed = Number(refund?.pointsReversed ?? 0n);
    const answer = { replayed, orderId, refundMinor, coupons, pointsReversed };
    return { answer, stable: [refund?.refundId, refundMinor, coupons, pointsReversed] };
  });
}

/** Tells what became of an order. */
export function eventAsk(
  { userId, orderId }: MeantOrder,
  told: {
    readonly kind: 'order_completed' | 'order_cancelled';
    readonly paidMinor: number;
    readonly atMs: number;
  },
  eventId: string,
): Ask {
  const { kind, paidMinor, atMs } = told;
  const head = {
    operation: 'event',
    requestId: eventId,
    arguments: { userId, orderId, eventKind: kind, paidMinor },
  } as const;
  const event: MessageInitShape<typeof IngestEventRequestSchema>['event'] =
    kind === 'order_completed'
      ? { case: 'orderCompleted', value: { orderId, currency: 'CNY', paidMinor: BigInt(paidMinor) } }
      : { case: 'orderCancelled', value: { orderId, reason: 'chaos' } };
  const request = { eventId, userId, occurredAt: timestampFromMs(atMs), event };
  return askOf(head, EventService.method.ingestEvent, request, ({ outcome, effects }) => {
    const pointsEffects = effects
      .filter(({ points }) => points !== 0n)
      .map((effect) => ({
        userId: effect.userId,
        points: Number(effect.points),
      }));
    const answer = { orderId, eventOutcome: stateName(EventOutcome, outcome), pointsEffects };
    return { answer, stable: eventId };
  });
}
