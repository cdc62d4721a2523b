/** An order and what it wants to use, as a call states it. */
import { hash } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  type Cart,
  type EvaluateCartRequest,
  EvaluateCartRequestSchema,
  type ItemOffer,
} from '../gen/hongbao/v1/cart_service_pb.ts';
import type { UserFacts } from '../gen/hongbao/v1/user_facts_pb.ts';

/** A checked request to reserve or use; both messages of the contract have its fields. */
export interface OrderRequest {
  readonly userId: string;
  readonly orderId: string;
  readonly requestId: string;
  readonly orderNumber: string;
  readonly cart: Cart | undefined;
  readonly facts: UserFacts | undefined;
  readonly couponIds: readonly string[];
  readonly codes: readonly string[];
  readonly couponsPerOrder: number | undefined;
  readonly offers: readonly ItemOffer[];
  readonly expectedPayableMinor: bigint | undefined;
  /** How long to hold, in milliseconds; absent: it is used at once. */
  readonly holdMs: number | undefined;
}

/** The question whether the order's cart gets what was asked for: nothing but the named coupons and codes is considered. */
export function evaluationOf(order: OrderRequest): EvaluateCartRequest {
  const { userId, cart, facts, couponIds, codes, couponsPerOrder, offers } = order;
  return create(EvaluateCartRequestSchema, {
    userId,
    useWallet: couponIds.length > 0,
    ...(cart && { cart }),
    ...(facts && { facts }),
    selection: { couponIds: [...couponIds], codes: [...codes] },
    ...(couponsPerOrder !== undefined && { couponsPerOrder }),
    offers: [...offers],
  });
}

/**
 * Tells requests with the same id apart, in hex. What is known about the user is left out: a caller that asks again may know
 * more by then, and still means the same order.
 */
export function digestOf(order: OrderRequest): string {
  const content = toBinary(EvaluateCartRequestSchema, evaluationOf({ ...order, facts: undefined }));
  const { orderId, orderNumber, holdMs, expectedPayableMinor } = order;
  const rest = [orderId, orderNumber, holdMs ?? 'used', expectedPayableMinor?.toString() ?? 'any'];
  return hash('sha256', Buffer.concat([Buffer.from(JSON.stringify(rest)), content]), 'hex');
}
