/** What the clients of a load know together: whose coupons there are, and which orders. A guess, never asked of the service. */
import type { Random } from '../faults/random.ts';
import type { Answer } from '../history/history.ts';
import type { CatalogueEntry } from './catalogue.ts';
import { REMEMBERED_PER_USER } from './limits.ts';

/** An order some client made. */
export interface ShopOrder {
  readonly userId: string;
  readonly orderId: string;
  /** Empty while the answer is unknown. */
  reservationId: string;
  state: 'held' | 'paid' | 'over';
  readonly couponIds: readonly string[];
  readonly lines: readonly { readonly lineId: string; readonly quantity: number }[];
  readonly paidMinor: number;
}

/** The memory of a load. */
export class Shop {
  readonly users: readonly string[];
  readonly catalogue: readonly CatalogueEntry[];
  private readonly coupons = new Map<string, string[]>();
  private readonly orders = new Map<string, ShopOrder[]>();
  private readonly freeCodes: string[];

  constructor(users: readonly string[], catalogue: readonly CatalogueEntry[], codes: readonly string[]) {
    this.users = users;
    this.catalogue = catalogue;
    this.freeCodes = [...codes];
  }

  /** A promotion that coupons come from in this way. */
  promotionBy(way: CatalogueEntry['way'], random: Random): CatalogueEntry {
    return random.pick(this.catalogue.filter((entry) => entry.way === way));
  }

  /** A user got a coupon. */
  noteCoupon(userId: string, { couponId }: Answer): void {
    if (couponId === undefined) return;
    const coupons = this.coupons.get(userId) ?? [];
    if (coupons.includes(couponId)) return;
    this.coupons.set(userId, [...coupons, couponId].slice(-REMEMBERED_PER_USER));
  }

  /** Up to `most` coupons of a user that may be free; other clients may be using them at the same time. */
  someCoupons(userId: string, most: number, random: Random): string[] {
    const coupons = this.coupons.get(userId) ?? [];
    const count = Math.min(coupons.length, random.between(0, most));
    return coupons.toSorted(() => random.next() - 0.5).slice(0, count);
  }

  /** A user with coupons, most of the time. */
  someUser(random: Random, wantsCoupons = false): string {
    const owners = [...this.coupons.keys()];
    return wantsCoupons && owners.length > 0 ? random.pick(owners) : random.pick(this.users);
  }

  /** An order was made. */
  noteOrder(order: ShopOrder): void {
    const orders = this.orders.get(order.userId) ?? [];
    this.orders.set(order.userId, [...orders, order].slice(-REMEMBERED_PER_USER));
  }

  /** An order in one of these states; undefined when there is none. */
  someOrder(states: readonly ShopOrder['state'][], random: Random): ShopOrder | undefined {
    const fitting = [...this.orders.values()].flat().filter(({ state }) => states.includes(state));
    return fitting.length === 0 ? undefined : random.pick(fitting);
  }

  /** A code: mostly one nobody has, sometimes one that was taken. */
  someCode(random: Random): string | undefined {
    if (this.freeCodes.length === 0) return undefined;
    const index = random.between(0, Math.min(this.freeCodes.length, 10) - 1);
    return random.chance(0.7) ? this.freeCodes.splice(index, 1)[0] : this.freeCodes[index];
  }
}
