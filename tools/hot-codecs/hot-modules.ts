import type { DescMessage } from '@bufbuild/protobuf';
import {
  BatchEvaluateCartsRequestSchema,
  BatchEvaluateCartsResponseSchema,
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
  StreamClaimCouponsRequestSchema,
  StreamClaimCouponsResponseSchema,
} from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
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
}

/** Requests are decoded and checked, responses are encoded: what a server does, and nothing else. */
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
    file: 'cart-requests.ts',
    direction: 'decode',
    messages: [
      EvaluateCartRequestSchema,
      BatchEvaluateCartsRequestSchema,
      ListUsableCouponsRequestSchema,
      ValidateCouponRequestSchema,
    ],
    checked: true,
  },
  {
    file: 'cart-responses.ts',
    direction: 'encode',
    messages: [
      EvaluateCartResponseSchema,
      BatchEvaluateCartsResponseSchema,
      ListUsableCouponsResponseSchema,
      ValidateCouponResponseSchema,
    ],
    checked: false,
  },
];
