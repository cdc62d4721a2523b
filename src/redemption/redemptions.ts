/** What can be done with the coupons, limits, budgets and codes of an order. */
import { commitOrder } from './commit-order.ts';
import { holdOrder } from './hold-order.ts';
import {
  type EndingRequest,
  lapseOrder,
  type RedemptionAnswer,
  type ReleaseRequest,
  releaseOrder,
} from './let-go.ts';
import { HOLD_DEFAULT_MS } from './limits.ts';
import type { OrderRequest } from './order-request.ts';
import { type KnownOrder, readKnownOrder } from './read-order.ts';
import type { Caller, RedemptionPorts } from './redemption-ports.ts';

/** The redemptions of one process. Each method says in its own module what it refuses. */
export class Redemptions {
  private readonly ports: RedemptionPorts;

  constructor(ports: RedemptionPorts) {
    this.ports = ports;
  }

  /** Holds everything the order uses, for a time; 15 minutes when the request does not say. See `hold-order.ts`. */
  async reserve(request: OrderRequest, caller: Caller): Promise<RedemptionAnswer> {
    return await holdOrder(this.ports, { ...request, holdMs: request.holdMs ?? HOLD_DEFAULT_MS }, caller);
  }

  /** Uses everything at once: the order is paid already. See `hold-order.ts`. */
  async use(request: OrderRequest, caller: Caller): Promise<RedemptionAnswer> {
    return await holdOrder(this.ports, { ...request, holdMs: undefined }, caller);
  }

  /** Uses what a reservation holds. See `commit-order.ts`. */
  async commit(request: EndingRequest, deadlineMs: number): Promise<RedemptionAnswer> {
    return await commitOrder(this.ports, request, deadlineMs);
  }

  /** Lets go of what a reservation holds. See `let-go.ts`. */
  async release(request: ReleaseRequest, deadlineMs: number): Promise<RedemptionAnswer> {
    return await releaseOrder(this.ports, request, deadlineMs);
  }

  /** Lets a reservation lapse that is past its time; true when this call did. See `let-go.ts`. */
  async lapse(userId: string, orderId: string, deadlineMs: number): Promise<boolean> {
    return await lapseOrder(this.ports, userId, orderId, deadlineMs);
  }

  /** The order as it is. Throws ORDER_NOT_FOUND. */
  async get(userId: string, orderId: string, deadlineMs: number): Promise<KnownOrder> {
    return await readKnownOrder(this.ports.ledger, userId, orderId, deadlineMs);
  }
}
