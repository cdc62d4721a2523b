import { parseCouponId } from '../domain/coupon.ts';
import { decodePointsEntry } from '../domain/points-entry.ts';
import { decodeRedemption, type Redemption, type RedemptionPromotion } from '../domain/redemption.ts';
import type { LedgerEvent, Write } from '../ledger/event-format.ts';
import { ACCOUNT_FIELDS, ORDER_FIELDS } from '../ledger/record-fields.ts';
import { type EventPlace, readOrRefuse, splitOrderId, UnprojectableError } from './event-place.ts';
import type { PointsRow, RedemptionHistoryRow, RedemptionPromotionRow, RedemptionRow } from './projection.ts';

/** Is this the field of an order's record that holds its redemption? */
export function isOrderHead(field: Buffer): boolean {
  return field.toString('latin1') === ORDER_FIELDS.head.name;
}

/** The coupons an order's head lists, by their ids in hex. Throws {@link UnprojectableError}. */
export function couponsOfOrder(head: Buffer): string[] {
  return readOrRefuse(() => decodeRedemption(head)).coupons.map(({ couponId }) => couponId);
}

/** The orders whose head an event writes. Throws {@link UnprojectableError}. */
export function redemptionRows(event: LedgerEvent, place: EventPlace): RedemptionRow[] {
  return writesTo(event, 'order').flatMap(({ id, fields }) => {
    const head = fields.find(({ field }) => isOrderHead(field))?.value;
    if (head === undefined) return [];
    return [
      redemptionOf(
        splitOrderId(id),
        readOrRefuse(() => decodeRedemption(head)),
        place,
      ),
    ];
  });
}

/** What the event is to each order it writes. Throws {@link UnprojectableError}. */
export function redemptionHistory(event: LedgerEvent, place: EventPlace): RedemptionHistoryRow[] {
  const { seq, eventIndex, timeMs: atMs } = place;
  return writesTo(event, 'order').map(({ id }) => {
    return { ...splitOrderId(id), seq, eventIndex, kind: event.kind, atMs };
  });
}

/** The transactions of points an event writes. Throws {@link UnprojectableError}. */
export function pointsRows(event: LedgerEvent, place: EventPlace): PointsRow[] {
  return writesTo(event, 'account').flatMap(({ id, fields }) => {
    const bytes = fields.find(
      ({ field }) => field.toString('latin1') === ACCOUNT_FIELDS.lastEntry.name,
    )?.value;
    if (bytes === undefined) return [];
    return [{ ...readOrRefuse(() => decodePointsEntry(bytes)), userId: id, seq: place.seq }];
  });
}

function writesTo(event: LedgerEvent, target: Write['target']): Write[] {
  return event.writes.filter((write) => write.target === target);
}

/** An order's row, by what its head says. Throws {@link UnprojectableError}. */
export function redemptionOf(
  name: { readonly userId: string; readonly orderId: string },
  redemption: Redemption,
  { seq, eventIndex }: EventPlace,
): RedemptionRow {
  return {
    ...name,
    state: redemption.state,
    orderNumber: redemption.orderNumber,
    reservedAtMs: timeOrNone(redemption.reservedAtMs),
    dueAtMs: timeOrNone(redemption.dueAtMs),
    committedAtMs: timeOrNone(redemption.committedAtMs),
    endedAtMs: redemption.endedAtMs,
    currency: redemption.currency,
    itemsMinor: redemption.itemsMinor,
    shippingMinor: redemption.shippingMinor,
    discountMinor: redemption.itemsDiscountMinor + redemption.shippingDiscountMinor,
    payableMinor: redemption.payableMinor,
    refundedMinor: redemption.refundedMinor,
    ruleSetVersion: redemption.ruleSetVersion,
    seq,
    eventIndex,
    promotions: redemption.promotions.map((promotion) => promotionRow(promotion, redemption.state)),
  };
}

function promotionRow(promotion: RedemptionPromotion, orderState: string): RedemptionPromotionRow {
  const { promotionRef, promotionVersion, couponId, code, discountMinor, givenBack } = promotion;
  if (couponId !== undefined && parseCouponId(couponId) === undefined)
    throw new UnprojectableError(`"${couponId}" is no coupon id`);
  return {
    promotionRef,
    promotionVersion,
    couponId: couponId === undefined ? undefined : Buffer.from(couponId, 'hex'),
    code,
    discountMinor,
    state: givenBack && orderState === 'committed' ? 'returned' : orderState,
  };
}

function timeOrNone(timeMs: number): number | undefined {
  return timeMs === 0 ? undefined : timeMs;
}
