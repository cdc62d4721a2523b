/** The carts sent over gRPC, as bytes. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { CartLine } from '../../src/domain/cart.ts';
import type { EvaluationInput } from '../../src/engine/evaluation-input.ts';
import {
  type CartLineSchema,
  type EvaluateCartRequest,
  EvaluateCartRequestSchema,
  type HeldCouponSchema,
} from '../../src/gen/hongbao/v1/cart_service_pb.ts';
import { CouponState } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { createTemplate, type RequestTemplate, SAMPLE_USER_ID } from '../load/template.ts';

/** Path of the method. */
export const EVALUATE_PATH = '/hongbao.v1.CartService/EvaluateCart';

/** The request of an input; the wallet is the input's own, and off when it holds nothing. Every call is of another user. */
export function evaluateTemplate(input: EvaluationInput): RequestTemplate {
  return createTemplate(toBinary(EvaluateCartRequestSchema, evaluateRequest(input)));
}

function evaluateRequest({
  cart,
  facts,
  atMs,
  coupons,
  couponsPerOrder,
}: EvaluationInput): EvaluateCartRequest {
  const { currency, channel = '', region = '', paymentMethod = '' } = cart;
  return create(EvaluateCartRequestSchema, {
    userId: SAMPLE_USER_ID,
    useWallet: coupons.length > 0,
    cart: {
      currency,
      lines: cart.lines.map(lineOf),
      shippingMinor: BigInt(cart.shippingMinor),
      channel,
      region,
      paymentMethod,
    },
    facts: {
      tags: [...(facts.tags ?? [])],
      ...(facts.ordersCompleted === undefined ? {} : { ordersCompleted: facts.ordersCompleted }),
      ...(facts.registeredAtMs === undefined ? {} : { registeredAt: timestampFromMs(facts.registeredAtMs) }),
    },
    at: timestampFromMs(atMs),
    couponsPerOrder,
    heldCoupons: coupons.map(couponOf),
  });
}

function lineOf(line: CartLine): MessageInitShape<typeof CartLineSchema> {
  const { lineId, itemId, categoryIds, quantity, unitPriceMinor, isOnSale } = line;
  return {
    lineId,
    itemId,
    categoryIds: [...categoryIds],
    quantity,
    unitPriceMinor: BigInt(unitPriceMinor),
    onSale: isOnSale,
  };
}

function couponOf(coupon: EvaluationInput['coupons'][number]): MessageInitShape<typeof HeldCouponSchema> {
  const { couponId, promotionRef, promotionVersion, validFromMs, expiresAtMs } = coupon;
  return {
    couponId,
    promotionRef,
    promotionVersion,
    state: CouponState.UNUSED,
    validFrom: timestampFromMs(validFromMs),
    ...(expiresAtMs === undefined ? {} : { expiresAt: timestampFromMs(expiresAtMs) }),
  };
}
