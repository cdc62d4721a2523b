/** One client of a load: it shops at random, for users it shares with other clients. */
import type { Random } from '../faults/random.ts';
import type { AskEnd } from './ask.ts';
import type { Asker } from './asker.ts';
import { EXCHANGE_POINTS } from './catalogue.ts';
import { awardAsk, type ClaimOrder, claimAsk, codeAsk, exchangeAsk } from './coupon-asks.ts';
import { BATCH_ITEMS, LATE_PROBABILITY } from './limits.ts';
import { beginAsk, endAsk, eventAsk, refundAsk, returnAsk } from './order-asks.ts';
import type { Shop, ShopOrder } from './shop.ts';

const ITEM_PRICES_MINOR = [990, 1_500, 2_490, 4_000] as const;
const MOST_LINES = 3;
const MOST_UNITS = 3;
const MOST_COUPONS = 2;
const MOST_POINTS = 120;
const AGAIN_PROBABILITY = 0.15;

/** Something a client does, and how often compared with the others. */
interface Habit {
  readonly weight: number;
  readonly act: () => Promise<void>;
}

/** Shops until it is told to stop. */
export class Shopper {
  private readonly name: string;
  private readonly asker: Asker;
  private readonly shop: Shop;
  private readonly random: Random;
  private readonly habits: readonly Habit[];
  private requests = 0;

  constructor(name: string, asker: Asker, shop: Shop, random: Random) {
    this.name = name;
    this.asker = asker;
    this.shop = shop;
    this.random = random;
    this.habits = [
      { weight: 26, act: () => this.claim() },
      { weight: 8, act: () => this.claimBatch() },
      { weight: 4, act: () => this.claimCode() },
      { weight: 6, act: () => this.award() },
      { weight: 6, act: () => this.exchange() },
      { weight: 14, act: () => this.begin('reserve') },
      { weight: 6, act: () => this.begin('use') },
      { weight: 12, act: () => this.end('commit') },
      { weight: 5, act: () => this.end('release') },
      { weight: 5, act: () => this.giveBack() },
      { weight: 5, act: () => this.refund() },
      { weight: 6, act: () => this.tell('order_completed') },
      { weight: 3, act: () => this.tell('order_cancelled') },
    ];
  }

  /** Does one thing, and sometimes repeats an old one first. */
  async step(): Promise<void> {
    if (this.random.chance(LATE_PROBABILITY)) await this.asker.repeatLate();
    await this.habit().act();
  }

  private habit(): Habit {
    const all = this.habits.reduce((sum, { weight }) => sum + weight, 0);
    let left = this.random.next() * all;
    for (const habit of this.habits) {
      left -= habit.weight;
      if (left < 0) return habit;
    }
    return this.random.pick(this.habits);
  }

  /** A request id of this client's own; seeds give the same ones again. */
  private requestId(): string {
    this.requests += 1;
    return `${this.name}.${this.requests}`;
  }

  private claimOrder(): ClaimOrder {
    const { promotionId } = this.shop.promotionBy('claim', this.random);
    return { userId: this.shop.someUser(this.random), promotionId, requestId: this.requestId() };
  }

  private keepCoupon(userId: string, end: AskEnd): void {
    if (end.kind === 'ok') this.shop.noteCoupon(userId, end.answer);
  }

  private async claim(): Promise<void> {
    const order = this.claimOrder();
    this.keepCoupon(order.userId, await this.asker.ask(claimAsk(order)));
  }

  private async claimBatch(): Promise<void> {
    const items = Array.from({ length: this.random.between(...BATCH_ITEMS) }, () => this.claimOrder());
    const ends = await this.asker.batch(items);
    for (const [index, end] of ends.entries()) this.keepCoupon(items[index]?.userId ?? '', end);
  }

  private async claimCode(): Promise<void> {
    const code = this.shop.someCode(this.random);
    if (code === undefined) return;
    const userId = this.shop.someUser(this.random);
    this.keepCoupon(userId, await this.asker.ask(codeAsk(userId, code, this.requestId())));
  }

  private async award(): Promise<void> {
    const points = this.random.between(EXCHANGE_POINTS, MOST_POINTS);
    await this.asker.ask(awardAsk(this.shop.someUser(this.random), points, this.requestId()));
  }

  private async exchange(): Promise<void> {
    const { promotionId } = this.shop.promotionBy('exchange', this.random);
    const userId = this.shop.someUser(this.random);
    const ask = exchangeAsk({ userId, promotionId, requestId: this.requestId() });
    this.keepCoupon(userId, await this.asker.ask(ask));
  }

  private async begin(operation: 'reserve' | 'use'): Promise<void> {
    const requestId = this.requestId();
    // Now and then for an order that there is already: it may be held anew once it was let go.
    const earlier = this.random.chance(AGAIN_PROBABILITY) ? this.someOrder('over') : undefined;
    const { userId, orderId } = earlier ?? {
      userId: this.shop.someUser(this.random, true),
      orderId: `o-${requestId}`,
    };
    const order = { ...this.cart(), userId, orderId };
    const couponIds = this.shop.someCoupons(userId, MOST_COUPONS, this.random);
    const end = await this.asker.ask(beginAsk(operation, { ...order, couponIds }, requestId));
    if (end.kind === 'refused') return;
    const reservationId = end.kind === 'ok' ? (end.answer.reservationId ?? '') : '';
    const discountMinor = end.kind === 'ok' ? (end.answer.discountMinor ?? 0) : 0;
    const state = operation === 'use' ? 'paid' : 'held';
    const { lines, totalMinor } = order;
    const paidMinor = Math.max(0, totalMinor - discountMinor);
    this.shop.noteOrder({
      userId,
      orderId: order.orderId,
      reservationId,
      state,
      couponIds,
      lines,
      paidMinor,
    });
  }

  private cart() {
    const lines = Array.from({ length: this.random.between(1, MOST_LINES) }, (_, index) => {
      const priceMinor = this.random.pick(ITEM_PRICES_MINOR);
      const lineId = String(index + 1);
      const quantity = this.random.between(1, MOST_UNITS);
      return { lineId, itemId: `item-${priceMinor}`, quantity, unitPriceMinor: BigInt(priceMinor) };
    });
    const totalMinor = lines.reduce(
      (sum, { quantity, unitPriceMinor }) => sum + quantity * Number(unitPriceMinor),
      0,
    );
    return { cart: { currency: 'CNY', lines }, lines, totalMinor };
  }

  /** Sometimes an order that was ended before: such calls are refused, or answered as the order is. */
  private someOrder(state: ShopOrder['state']): ShopOrder | undefined {
    const states: readonly ShopOrder['state'][] = this.random.chance(0.85)
      ? [state]
      : ['held', 'paid', 'over'];
    return this.shop.someOrder(states, this.random);
  }

  private async end(operation: 'commit' | 'release'): Promise<void> {
    const order = this.someOrder('held');
    if (order === undefined) return;
    const end = await this.asker.ask(endAsk(operation, order, this.requestId()));
    if (end.kind !== 'ok') return;
    order.reservationId = end.answer.reservationId ?? order.reservationId;
    order.state = operation === 'commit' ? 'paid' : 'over';
  }

  private async giveBack(): Promise<void> {
    const order = this.someOrder('paid');
    if (order === undefined) return;
    const isWhole = this.random.chance(0.5) || order.couponIds.length === 0;
    const couponIds = isWhole ? [] : order.couponIds.slice(0, 1);
    const end = await this.asker.ask(returnAsk(order, couponIds, this.requestId()));
    if (end.kind === 'ok' && isWhole) order.state = 'over';
  }

  private async refund(): Promise<void> {
    const order = this.someOrder('paid');
    const line = order && this.random.pick(order.lines);
    if (order === undefined || line === undefined) return;
    const quantity = this.random.between(1, line.quantity);
    await this.asker.ask(refundAsk(order, [{ lineId: line.lineId, quantity }], this.requestId()));
  }

  private async tell(kind: 'order_completed' | 'order_cancelled'): Promise<void> {
    const order = this.someOrder('paid');
    if (order === undefined) return;
    const told = { kind, paidMinor: order.paidMinor, atMs: Date.now() };
    await this.asker.ask(eventAsk(order, told, this.requestId()));
    if (kind === 'order_cancelled') order.state = 'over';
  }
}
