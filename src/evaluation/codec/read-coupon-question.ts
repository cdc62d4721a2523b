import type { Cart, CartSummary } from '../../domain/cart.ts';
import { epochMs } from '../../domain/epoch-ms.ts';
import {
  type Cart as CartMessage,
  decodeListUsableCouponsRequest,
  decodeValidateCouponRequest,
  type UserFacts as FactsMessage,
  type CartSummary as SummaryMessage,
  type Timestamp,
  violationsOfListUsableCouponsRequest,
  violationsOfValidateCouponRequest,
} from '../../gen/hot/cart-requests.ts';
import { factsUsed } from '../facts-used.ts';
import { NOTHING_LIVE } from '../live-inputs.ts';
import { findOrderFaults } from './cart-faults.ts';
import { cartOf, factsOf, summaryOf } from './cart-parts.ts';
import type { Circumstances, WalletlessInput } from './read-evaluation.ts';
import { validRequest } from './violations.ts';

/** The order a question is about: its cart, or what is known of it. */
export type Order =
  | { readonly kind: 'cart'; readonly cart: Cart }
  | { readonly kind: 'summary'; readonly summary: CartSummary };

/** Which coupons can be used for an order. */
export interface CouponQuestion {
  /** Empty: nobody, or the user of the token. */
  readonly userId: string;
  readonly order: Order;
  /** What goes with the order; its only code is the one to validate. */
  readonly input: Omit<WalletlessInput, 'cart'>;
}

/** Whether one coupon or code can be used for an order. */
export interface ValidationQuestion extends CouponQuestion {
  readonly subject:
    | { readonly kind: 'coupon'; readonly couponId: string }
    | { readonly kind: 'code'; readonly code: string };
}

const LIST_CODEC = {
  decode: decodeListUsableCouponsRequest,
  violationsOf: violationsOfListUsableCouponsRequest,
};
const VALIDATE_CODEC = {
  decode: decodeValidateCouponRequest,
  violationsOf: violationsOfValidateCouponRequest,
};

/** Reads a ListUsableCouponsRequest. Throws Refusal INVALID_REQUEST with every violation by field path. */
export function readUsableCouponsQuestion(bytes: Uint8Array, circumstances: Circumstances): CouponQuestion {
  const request = validRequest(LIST_CODEC, bytes, ({ order, facts }, found) =>
    findOrderFaults(order, facts, found),
  );
  return questionOf(request, [], circumstances);
}

/** Reads a ValidateCouponRequest. Throws Refusal INVALID_REQUEST with every violation by field path. */
export function readValidationQuestion(bytes: Uint8Array, circumstances: Circumstances): ValidationQuestion {
  const request = validRequest(VALIDATE_CODEC, bytes, ({ order, facts }, found) =>
    findOrderFaults(order, facts, found),
  );
  const { subject } = request;
  if (subject.case === 'code') {
    const question = questionOf(request, [subject.value], circumstances);
    return { ...question, subject: { kind: 'code', code: subject.value } };
  }
  if (subject.case === undefined) throw new Error('a valid request has a subject');
  return { ...questionOf(request, [], circumstances), subject: { kind: 'coupon', couponId: subject.value } };
}

interface QuestionMessage {
  readonly userId: string;
  readonly order:
    | { readonly case: 'cart'; readonly value: CartMessage }
    | { readonly case: 'summary'; readonly value: SummaryMessage }
    | { readonly case: undefined };
  readonly facts?: FactsMessage | undefined;
  readonly at?: Timestamp | undefined;
}

function questionOf(
  { userId, order, facts, at }: QuestionMessage,
  codes: readonly string[],
  { areFactsBelieved, nowMs, couponsPerOrder, live = NOTHING_LIVE }: Circumstances,
): CouponQuestion {
  return {
    userId,
    order: orderOf(order),
    input: {
      offers: new Map(),
      facts: factsUsed(factsOf(facts, areFactsBelieved), live.facts),
      atMs: at === undefined ? nowMs : epochMs(at),
      codes,
      resolvedCodes: live.codes,
      limits: live.limits,
      selection: { kind: 'best' },
      couponsPerOrder,
      wantsTrace: false,
    },
  };
}

function orderOf(order: QuestionMessage['order']): Order {
  switch (order.case) {
    case 'cart':
      return { kind: 'cart', cart: cartOf(order.value) };
    case 'summary':
      return { kind: 'summary', summary: summaryOf(order.value) };
    case undefined:
      throw new Error('a valid request has an order');
  }
}
