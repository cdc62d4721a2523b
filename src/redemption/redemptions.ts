/** What can be done with the coupons, limits, budgets and codes of an order. */
import { decodeRedemption, type Redemption } from '../domain/redemption.ts';
import { Refusal } from '../domain/refusal.ts';
import { ORDER_FIELDS } from '../ledger/record-fields.ts';
import type { RedemptionCall, RedemptionOutcome } from '../telemetry/order-metrics.ts';
import { commitOrder } from './commit-order.ts';
import type { EndingRequest, RedemptionAnswer } from './end-order.ts';
import { holdOrder } from './hold-order.ts';
import { lapseOrder, type ReleaseRequest, releaseOrder } from './let-go.ts';
import { HOLD_DEFAULT_MS } from './limits.ts';
import type { OrderRequest } from './order-request.ts';
import { type KnownOrder, readOrder, requireOrder } from './read-order.ts';
import type { Caller, RedemptionPorts } from './redemption-ports.ts';

/** The redemptions of one process. Each method says in its own module what it refuses. */
export class Redemptions {
  private readonly ports: RedemptionPorts;

  constructor(ports: RedemptionPorts) {
    this.ports = ports;
  }

  /** Holds everything the order uses, for a time; 15 minutes when the request does not say. See `hold-order.ts`. */
  async reserve(request: OrderRequest, caller: Caller): Promise<RedemptionAnswer> {
    const order = { ...request, holdMs: request.holdMs ?? HOLD_DEFAULT_MS };
    return await this.counted('reserve', holdOrder(this.ports, order, caller));
  }

  /** Uses everything at once: the order is paid already. See `hold-order.ts`. */
  async use(request: OrderRequest, caller: Caller): Promise<RedemptionAnswer> {
    return await this.counted('use', holdOrder(this.ports, { ...request, holdMs: undefined }, caller));
  }

  /** Uses what a reservation holds. See `commit-order.ts`. */
  async commit(request: EndingRequest, deadlineMs: number): Promise<RedemptionAnswer> {
    return await this.counted('commit', commitOrder(this.ports, request, deadlineMs));
  }

  /** Lets go of what a reservation holds. See `let-go.ts`. */
  async release(request: ReleaseRequest, deadlineMs: number): Promise<RedemptionAnswer> {
    return await this.counted('release', releaseOrder(this.ports, request, deadlineMs));
  }

  /** Lets a reservation lapse that is past its time; true when this call did. See `let-go.ts`. */
  async lapse(userId: string, orderId: string, deadlineMs: number): Promise<boolean> {
    return await lapseOrder(this.ports, userId, orderId, deadlineMs);
  }

  /** The order as it is, or as the archive has it once it has left Redis. Throws ORDER_NOT_FOUND, ARCHIVE_UNAVAILABLE. */
  async get(userId: string, orderId: string, deadlineMs: number): Promise<KnownOrder> {
    const { ledger, archive } = this.ports;
    const records = await readOrder(ledger, userId, orderId, deadlineMs);
    if (records.order.size > 0 || archive === undefined) return requireOrder(records);
    const left = await archive.read(userId, orderId, deadlineMs);
    const head = left.order.get(ORDER_FIELDS.head.name);
    return requireOrder({
      ...records,
      order: left.order,
      wallet: new Map([...left.coupons, ...records.wallet]),
      head,
      redemption: head && decodeRedemption(head),
    });
  }

  private countUse({ coupons, currency, itemsDiscountMinor, shippingDiscountMinor }: Redemption): void {
    const { couponsUsed, discounts } = this.ports.metrics;
    const discountMinor = itemsDiscountMinor + shippingDiscountMinor;
    couponsUsed.value += coupons.length;
    // Currencies of orders without a discount would be labels that callers choose.
    if (discountMinor > 0) discounts.child(currency).value += discountMinor;
  }

  private async counted(name: RedemptionCall, call: Promise<RedemptionAnswer>): Promise<RedemptionAnswer> {
    const count = (outcome: RedemptionOutcome): void => {
      this.ports.metrics.redemptions.child(name, outcome).value += 1;
    };
    try {
      const answer = await call;
      count(answer.replayed ? 'replayed' : 'done');
      if (!answer.replayed && (name === 'use' || name === 'commit')) this.countUse(answer.order.redemption);
      return answer;
    } catch (error) {
      count(error instanceof Refusal ? error.reason : 'INTERNAL');
      throw error;
    }
  }
}
