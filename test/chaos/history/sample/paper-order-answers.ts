/** Answers about orders of a run on paper. */
import type { Redemption } from '../../../../src/domain/redemption.ts';
import type { RefundRecord, ReturnRecord } from '../../../../src/domain/refund-record.ts';
import type { Answer, ToldCoupon } from '../history.ts';

function toldCoupons(head: Redemption): ToldCoupon[] {
  return head.coupons.map(({ couponId }) => ({ couponId, state: head.state }));
}

/** An order as an answer tells it. */
export function answerOf(
  { orderId }: { readonly orderId: string },
  head: Redemption,
  replayed: boolean,
): Answer {
  const { reservationId, state, itemsDiscountMinor: discountMinor } = head;
  return { replayed, orderId, reservationId, state, coupons: toldCoupons(head), discountMinor };
}

/** A return or refund as an answer tells it. */
export function returnAnswer(
  { orderId }: { readonly orderId: string },
  record: ReturnRecord | RefundRecord,
  replayed: boolean,
): Answer {
  const coupons = record.coupons.map(({ couponId, outcome }) => ({ couponId, state: outcome }));
  const money = record.kind === 'refund' ? { refundMinor: record.refundMinor } : {};
  return { replayed, orderId, coupons, pointsReversed: record.pointsReversed, ...money };
}
