/** An order and what it wants to use, as a call states it. */
import { hash } from 'node:crypto';
import { TaxMode } from '../gen/hongbao/v1/cart_service_pb.ts';
import {
  type EvaluateCartRequest,
  encodeEvaluateCartRequest,
  encodeUserFacts,
} from '../gen/hot/order-questions.ts';
import type { Cart, ItemOffer, UserFacts } from '../gen/hot/redemption-requests.ts';

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
  readonly expectedPayableMinor: number | undefined;
  /** How long to hold, in milliseconds; absent: it is used at once. */
  readonly holdMs: number | undefined;
}

/** By number; requests are checked for naming one of them. */
const TAX_MODES: readonly TaxMode[] = [TaxMode.UNSPECIFIED, TaxMode.INCLUDED, TaxMode.EXCLUDED];
const MS_PER_SECOND = 1_000;
const NANOS_PER_MS = 1_000_000;

/** A question without content. Parts of a message that stand one after the other are the message, so questions are put together. */
export const NO_QUESTION: EvaluateCartRequest = {
  userId: '',
  useWallet: false,
  codes: [],
  offers: [],
  explain: false,
  heldCoupons: [],
  liveLimits: [],
  resolvedCodes: [],
};

/**
 * The question whether the order's cart gets what was asked for, as an EvaluateCartRequest without moment and facts: nothing
 * but the named coupons and codes is considered.
 */
export function questionOf(order: OrderRequest): Buffer {
  const { userId, cart, couponIds, codes, couponsPerOrder, offers } = order;
  return encodeEvaluateCartRequest({
    ...NO_QUESTION,
    userId,
    useWallet: couponIds.length > 0,
    cart: cart && { ...cart, taxMode: TAX_MODES[cart.taxMode] ?? TaxMode.UNSPECIFIED },
    selection: { couponIds, codes },
    couponsPerOrder,
    offers,
  });
}

/** The facts of the order as a UserFacts message. */
export function factsOf({ facts }: OrderRequest): Uint8Array | undefined {
  if (facts === undefined) return undefined;
  const { registeredAt } = facts;
  const registeredAtMs =
    registeredAt &&
    Number(registeredAt.seconds) * MS_PER_SECOND + Math.floor(registeredAt.nanos / NANOS_PER_MS);
  return encodeUserFacts({ ...facts, registeredAt: registeredAtMs });
}

/**
 * Tells requests with the same id apart, in hex. What is known about the user is left out: a caller that asks again may know
 * more by then, and still means the same order.
 *
 * @param question what `questionOf` made of the order
 */
export function digestOf(order: OrderRequest, question: Buffer): string {
  const { orderId, orderNumber, holdMs, expectedPayableMinor } = order;
  const rest = [orderId, orderNumber, holdMs ?? 'used', expectedPayableMinor ?? 'any'];
  return hash('sha256', Buffer.concat([Buffer.from(JSON.stringify(rest)), question]), 'hex');
}
