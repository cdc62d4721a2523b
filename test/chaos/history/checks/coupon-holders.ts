/** I4: a coupon is in one order at most, and reserved or used exactly while an order has it. */
import { parseCouponId } from '../../../../src/domain/coupon.ts';
import type { Redemption, RedemptionCoupon } from '../../../../src/domain/redemption.ts';
import type { Observer, SeenEvent } from '../state/replay.ts';
import type { Findings, Place } from '../violation.ts';
import type { CouponBook } from './coupon-book.ts';
import type { HeadChange, OrderBook } from './order-book.ts';

interface Holder {
  readonly orderId: string;
  readonly state: 'reserved' | 'used';
  readonly place: Place;
}

/** The state an order has its coupon in; undefined when it has it no more. */
function holdOf(head: Redemption, coupon: RedemptionCoupon): Holder['state'] | undefined {
  if (head.state === 'reserved') return 'reserved';
  const isUse = head.state === 'committed' || head.state === 'returned';
  return isUse && !coupon.returned ? 'used' : undefined;
}

/** Follows which order has which coupon, by what orders say themselves. */
export class HolderCheck implements Observer {
  private readonly findings: Findings;
  private readonly coupons: CouponBook;
  private readonly orders: OrderBook;
  /** By user and wallet field. */
  private readonly holders = new Map<string, Holder>();

  constructor(findings: Findings, coupons: CouponBook, orders: OrderBook) {
    this.findings = findings;
    this.coupons = coupons;
    this.orders = orders;
  }

  see({ place }: SeenEvent): void {
    const touched = new Set(this.coupons.justChanged.map(({ userId, fieldHex }) => `${userId}/${fieldHex}`));
    for (const change of this.orders.justChanged) for (const key of this.take(change)) touched.add(key);
    for (const key of touched) this.compare(key, place);
  }

  /** Takes over what an order's head says of its coupons; answers with those. */
  private take({ after }: HeadChange): string[] {
    const { userId, orderId, place, head } = after;
    const isOrderOnce = new Set(head.coupons.map(({ couponId }) => couponId)).size === head.coupons.length;
    if (!isOrderOnce)
      this.findings.breach('I4', 'listed-twice', `order ${orderId} lists a coupon twice`, {
        places: [place],
      });
    return head.coupons.map((coupon) => {
      const key = `${userId}/${parseCouponId(coupon.couponId)?.fieldHex ?? ''}`;
      const state = holdOf(head, coupon);
      const before = this.holders.get(key);
      const isOthers = before !== undefined && before.orderId !== orderId;
      if (state !== undefined && isOthers) {
        const text = `coupon ${coupon.couponId} of ${userId} is in order ${before.orderId} and in order ${orderId}`;
        this.findings.breach('I4', 'two-orders', text, { places: [before.place, place] });
      }
      if (state !== undefined) this.holders.set(key, { orderId, state, place });
      else if (!isOthers) this.holders.delete(key);
      return key;
    });
  }

  private compare(key: string, place: Place): void {
    const slash = key.lastIndexOf('/');
    const value = this.coupons.valueOf(key.slice(0, slash), key.slice(slash + 1));
    const holder = this.holders.get(key);
    this.findings.count('coupons held to orders');
    // Staff may take a coupon back while an order has it, and coupons leave Redis before their orders do.
    if (value === undefined || value.state === 'revoked') return;
    const held = value.state === 'reserved' || value.state === 'used' ? value.state : undefined;
    if (held === holder?.state || (holder === undefined && place.generation > 1)) return;
    const order = holder === undefined ? 'no order has it' : `order ${holder.orderId} has it ${holder.state}`;
    const text = `coupon ${key} is ${value.state}, but ${order}`;
    this.findings.breach('I4', 'holder-differs', text, { places: [holder?.place, place] });
  }
}
