import type { DescMessage } from '@bufbuild/protobuf';
import {
  BatchEvaluateCartsRequestSchema,
  BatchEvaluateCartsResponseSchema,
  CartRefusalSchema,
  EvaluateCartRequestSchema,
  EvaluateCartResponseSchema,
  ListUsableCouponsRequestSchema,
  ListUsableCouponsResponseSchema,
  ValidateCouponRequestSchema,
  ValidateCouponResponseSchema,
} from '../../src/gen/hongbao/v1/cart_service_pb.ts';
import {
  BatchClaimCouponsRequestSchema,
  BatchClaimCouponsResponseSchema,
  ClaimCouponRequestSchema,
  ClaimCouponResponseSchema,
  ListCouponsRequestSchema,
  ListCouponsResponseSchema,
  StreamClaimCouponsRequestSchema,
  StreamClaimCouponsResponseSchema,
} from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import {
  CommitReservationRequestSchema,
  CommitReservationResponseSchema,
  RedemptionSchema,
  ReleaseReservationRequestSchema,
  ReleaseReservationResponseSchema,
  ReserveCouponsRequestSchema,
  ReserveCouponsResponseSchema,
  UseCouponsRequestSchema,
  UseCouponsResponseSchema,
} from '../../src/gen/hongbao/v1/redemption_service_pb.ts';
import { UserFactsSchema } from '../../src/gen/hongbao/v1/user_facts_pb.ts';
import type { Direction } from './field-shapes.ts';

/** A generated module: the codecs of some messages in one direction. */
export interface HotModule {
  /** The file below `src/gen/hot`. */
  readonly file: string;
  readonly direction: Direction;
  /** The outermost messages; what is nested in them follows by itself. */
  readonly messages: readonly DescMessage[];
  /** Whether `violationsOfX` is emitted too. */
  readonly checked: boolean;
  /**
   * Texts that many messages repeat, as `Message.field`: they are read as shared strings, which costs less than a new string
   * each time. Texts that are hardly ever the same twice would only push others out.
   */
  readonly sharedTexts?: readonly string[];
  /**
   * Nested messages that come as bytes, as `Message.field`: the same ones are part of many answers, and are encoded once and
   * kept. Only for encoders.
   */
  readonly encodedFields?: readonly string[];
}

/**
 * Requests are decoded and checked, responses are encoded: what a server does. The questions about orders are the exception:
 * they are asked of the workers.
 */
export const HOT_MODULES: readonly HotModule[] = [
  {
    file: 'claim-requests.ts',
    direction: 'decode',
    messages: [ClaimCouponRequestSchema, BatchClaimCouponsRequestSchema, StreamClaimCouponsRequestSchema],
    checked: true,
  },
  {
    file: 'claim-responses.ts',
    direction: 'encode',
    messages: [ClaimCouponResponseSchema, BatchClaimCouponsResponseSchema, StreamClaimCouponsResponseSchema],
    checked: false,
  },
  {
    file: 'redemption-requests.ts',
    direction: 'decode',
    messages: [
      ReserveCouponsRequestSchema,
      UseCouponsRequestSchema,
      CommitReservationRequestSchema,
      ReleaseReservationRequestSchema,
    ],
    checked: true,
    sharedTexts: ['Cart.currency', 'CartLine.category_ids', 'CartLine.item_id', 'CartLine.line_id'],
  },
  {
    file: 'redemption-responses.ts',
    direction: 'encode',
    messages: [
      ReserveCouponsResponseSchema,
      UseCouponsResponseSchema,
      CommitReservationResponseSchema,
      ReleaseReservationResponseSchema,
      RedemptionSchema,
    ],
    checked: false,
    encodedFields: ['Redemption.applied'],
  },
  {
    file: 'order-questions.ts',
    direction: 'encode',
    messages: [EvaluateCartRequestSchema, UserFactsSchema],
    checked: false,
    encodedFields: [
      'EvaluateCartRequest.facts',
      'EvaluateCartRequest.live_limits',
      'EvaluateCartRequest.resolved_codes',
    ],
  },
  {
    file: 'wallet-requests.ts',
    direction: 'decode',
    messages: [ListCouponsRequestSchema],
    checked: true,
  },
  {
    file: 'wallet-responses.ts',
    direction: 'encode',
    messages: [ListCouponsResponseSchema],
    checked: false,
    encodedFields: ['Coupon.promotion'],
  },
  {
    file: 'cart-requests.ts',
    direction: 'decode',
    messages: [
      EvaluateCartRequestSchema,
      BatchEvaluateCartsRequestSchema,
      ListUsableCouponsRequestSchema,
      ValidateCouponRequestSchema,
    ],
    checked: true,
    sharedTexts: [
      'Attribute.name',
      'Cart.channel',
      'Cart.currency',
      'Cart.payment_method',
      'Cart.region',
      'CartLine.category_ids',
      'CartLine.item_id',
      'CartLine.line_id',
      'CartSummary.currency',
      'CartSummary.item_ids',
      'ItemOffer.item_id',
      'UserFacts.tags',
    ],
  },
  {
    file: 'cart-responses.ts',
    direction: 'encode',
    messages: [
      EvaluateCartResponseSchema,
      BatchEvaluateCartsResponseSchema,
      CartRefusalSchema,
      ListUsableCouponsResponseSchema,
      ValidateCouponResponseSchema,
    ],
    checked: false,
  },
];
