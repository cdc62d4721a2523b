/** The messages of a coupon's later life: reserve, commit, exchange, and reading a wallet. */
import { create, toBinary } from '@bufbuild/protobuf';
import { EvaluateCartRequestSchema } from '../../src/gen/hongbao/v1/cart_service_pb.ts';
import { ListCouponsRequestSchema } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { ExchangeCouponRequestSchema } from '../../src/gen/hongbao/v1/points_service_pb.ts';
import {
  CommitReservationRequestSchema,
  ReserveCouponsRequestSchema,
} from '../../src/gen/hongbao/v1/redemption_service_pb.ts';
import {
  createTemplate,
  type RequestTemplate,
  SAMPLE_COUPON_ID,
  SAMPLE_ORDER_ID,
  SAMPLE_REQUEST_ID,
  SAMPLE_USER_ID,
} from '../load/template.ts';

/** Paths of the methods. */
export const RESERVE_PATH = '/hongbao.v1.RedemptionService/ReserveCoupons';
export const COMMIT_PATH = '/hongbao.v1.RedemptionService/CommitReservation';
export const EXCHANGE_PATH = '/hongbao.v1.PointsService/ExchangeCoupon';
export const HEALTH_PATH = '/grpc.health.v1.Health/Check';
export const WALLET_PATH = '/hongbao.v1.CouponService/ListCoupons';

/** Lines of the cart an order has. */
export const ORDER_LINES = 5;

/** The cart of every order. */
function orderCart() {
  const lines = Array.from({ length: ORDER_LINES }, (_, index) => ({
    lineId: String(index + 1),
    itemId: `item-${index + 1}`,
    categoryIds: ['food'],
    quantity: 2,
    unitPriceMinor: 2_500n,
  }));
  return { currency: 'CNY', lines };
}

/** Reserves one coupon of the user for an order of five lines; the final cart is evaluated again. */
export function reserveTemplate(): RequestTemplate {
  const request = create(ReserveCouponsRequestSchema, {
    userId: SAMPLE_USER_ID,
    requestId: SAMPLE_REQUEST_ID,
    orderId: SAMPLE_ORDER_ID,
    cart: orderCart(),
    couponIds: [SAMPLE_COUPON_ID],
  });
  return createTemplate(toBinary(ReserveCouponsRequestSchema, request));
}

/** Asks what that order would cost with that coupon. */
export function orderQuestionTemplate(): RequestTemplate {
  const request = create(EvaluateCartRequestSchema, {
    userId: SAMPLE_USER_ID,
    useWallet: true,
    cart: orderCart(),
    selection: { couponIds: [SAMPLE_COUPON_ID] },
  });
  return createTemplate(toBinary(EvaluateCartRequestSchema, request));
}

/** A message without content. */
export function emptyTemplate(): RequestTemplate {
  return createTemplate(new Uint8Array());
}

/** Commits that reservation. */
export function commitTemplate(): RequestTemplate {
  const request = create(CommitReservationRequestSchema, {
    userId: SAMPLE_USER_ID,
    requestId: 'bench-commit',
    orderId: SAMPLE_ORDER_ID,
  });
  return createTemplate(toBinary(CommitReservationRequestSchema, request));
}

/** Buys one coupon of the promotion with points. */
export function exchangeTemplate(promotionId: string): RequestTemplate {
  const request = create(ExchangeCouponRequestSchema, {
    userId: SAMPLE_USER_ID,
    requestId: SAMPLE_REQUEST_ID,
    promotionId,
  });
  return createTemplate(toBinary(ExchangeCouponRequestSchema, request));
}

/** Reads a user's coupons. */
export function walletTemplate(): RequestTemplate {
  const request = create(ListCouponsRequestSchema, { userId: SAMPLE_USER_ID, pageSize: 20 });
  return createTemplate(toBinary(ListCouponsRequestSchema, request));
}
