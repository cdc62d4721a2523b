import { COUPON_FIELD_BYTES, decodeCouponValue } from '../domain/coupon.ts';
import { issuesCoupons, type LedgerEvent, type Write } from '../ledger/event-format.ts';
import { ACCOUNT_FIELDS } from '../ledger/record-fields.ts';
import { couponIdBytes } from './coupon-ids.ts';
import { type EventPlace, readOrRefuse, splitOrderId } from './event-place.ts';
import { couponsOfOrder, isOrderHead } from './order-rows.ts';
import type { CouponRow, RetiredCouponRow } from './projection.ts';
import { claimsIn, liveIn } from './wallet-fields.ts';

/** A coupon as one event leaves it, and the order that event was about. */
export interface TouchedCoupon {
  readonly row: CouponRow;
  readonly orderId: string | undefined;
}

/** Entry number of what the batch does not mention. */
export const UNMENTIONED = -1;

/** The coupons an event writes. Throws {@link UnprojectableError}. */
export function touchedCoupons(event: LedgerEvent, place: EventPlace): TouchedCoupon[] {
  const holders = new Holders(event);
  return couponFields(event).flatMap(({ wallet, field, value }) => {
    if (value === undefined) return [];
    const userId = wallet.id;
    const row = couponRow(wallet, field, value, place, event);
    const orderId = holders.orderOf(userId, field, row.couponId);
    const isHeld = row.state === 'reserved' || row.state === 'used';
    return [{ row: { ...row, orderId: isHeld ? orderId : undefined }, orderId }];
  });
}

/** The coupons an event takes out of Redis. */
export function retiredCoupons(event: LedgerEvent, place: EventPlace): RetiredCouponRow[] {
  const { seq, eventIndex } = place;
  const removed = couponFields(event).filter(({ value }) => value === undefined);
  return removed.map(({ wallet, field }) => {
    return { userId: wallet.id, field, live: liveIn(wallet), seq, eventIndex };
  });
}

function couponFields(event: LedgerEvent) {
  const wallets = event.writes.filter((write) => write.target === 'wallet');
  return wallets.flatMap((wallet) =>
    wallet.fields
      .filter(({ field }) => field.length === COUPON_FIELD_BYTES)
      .map(({ field, value }) => ({ wallet, field, value })),
  );
}

/** Which order each coupon of an event belongs to. */
class Holders {
  private readonly byField = new Map<string, string | undefined>();
  private readonly byCoupon = new Map<string, string>();
  private readonly orders: readonly Write[];

  constructor(event: LedgerEvent) {
    this.orders = event.writes.filter((write) => write.target === 'order');
    for (const { target, id, fields } of event.writes) {
      if (target !== 'account') continue;
      for (const { field, value } of fields) this.byField.set(key(id, field), value?.toString('utf8'));
    }
    for (const order of this.orders) this.addHead(order);
  }

  /** The order the account names; where it names none any more, the one whose head still lists the coupon. */
  orderOf(userId: string, field: Buffer, couponId: Buffer): string | undefined {
    return (
      this.byField.get(key(userId, ACCOUNT_FIELDS.holder.bytes(field))) ??
      this.byCoupon.get(couponId.toString('hex'))
    );
  }

  private addHead({ id, fields }: Write): void {
    const { orderId } = splitOrderId(id);
    for (const { field, value } of fields) {
      if (value === undefined || !isOrderHead(field)) continue;
      for (const couponId of couponsOfOrder(value)) this.byCoupon.set(couponId, orderId);
    }
  }
}

function key(userId: string, field: Buffer): string {
  return `${userId}\0${field.toString('latin1')}`;
}

function couponRow(
  wallet: Write,
  field: Buffer,
  value: Buffer,
  place: EventPlace,
  event: LedgerEvent,
): CouponRow {
  const coupon = readOrRefuse(() => decodeCouponValue(value));
  return {
    couponId: couponIdBytes(coupon.issuedAtMs, field),
    userId: wallet.id,
    promotionRef: coupon.promotionRef,
    promotionVersion: coupon.promotionVersion,
    state: coupon.state,
    source: coupon.source,
    issuedAtMs: coupon.issuedAtMs,
    validFromMs: coupon.validFromMs,
    expiresAtMs: coupon.expiresAtMs,
    hidden: coupon.hidden,
    value,
    seq: place.seq,
    eventIndex: place.eventIndex,
    issuedSeq: issuesCoupons(event.kind) ? place.seq : UNMENTIONED,
    orderId: undefined,
    // To hide a coupon changes nothing else about it, to carry it over nothing at all.
    changedAtMs: event.kind === 'hidden' || event.kind === 'carried' ? undefined : place.timeMs,
    retired: false,
    claims: claimsIn(wallet, coupon.promotionRef),
    live: liveIn(wallet),
  };
}
