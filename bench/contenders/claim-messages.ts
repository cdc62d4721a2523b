/** The messages every contender sends and answers: one size for all, with and without batches. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  BatchClaimCouponsRequestSchema,
  type ClaimCouponRequest,
  ClaimCouponRequestSchema,
  type ClaimCouponResponse,
  ClaimCouponResponseSchema,
  StreamClaimCouponsRequestSchema,
} from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { AcknowledgementLevel } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import { createTemplate, type RequestTemplate, SAMPLE_REQUEST_ID, SAMPLE_USER_ID } from '../load/template.ts';

/** Paths of the methods, the same for gRPC and Connect. */
export const CLAIM_PATH = '/hongbao.v1.CouponService/ClaimCoupon';
export const BATCH_PATH = '/hongbao.v1.CouponService/BatchClaimCoupons';
export const STREAM_PATH = '/hongbao.v1.CouponService/StreamClaimCoupons';

/** The field of BatchClaimCouponsResponse that holds the results. */
export const BATCH_RESULTS_FIELD = 1;

function sampleClaim(promotionId: string): ClaimCouponRequest {
  return create(ClaimCouponRequestSchema, {
    promotionId,
    userId: SAMPLE_USER_ID,
    requestId: SAMPLE_REQUEST_ID,
  });
}

/** One claim of this promotion. */
export function claimTemplate(promotionId: string): RequestTemplate {
  return createTemplate(toBinary(ClaimCouponRequestSchema, sampleClaim(promotionId)));
}

/** A batch of claims of this promotion. */
export function batchTemplate(promotionId: string, items: number): RequestTemplate {
  const batch = create(BatchClaimCouponsRequestSchema, { items: repeat(promotionId, items) });
  return createTemplate(toBinary(BatchClaimCouponsRequestSchema, batch));
}

/** A message of a stream without its sequence, which the generator puts in front. */
export function streamTemplate(promotionId: string, items: number): RequestTemplate {
  const message = create(StreamClaimCouponsRequestSchema, { items: repeat(promotionId, items) });
  return createTemplate(toBinary(StreamClaimCouponsRequestSchema, message));
}

function repeat(promotionId: string, items: number): ClaimCouponRequest[] {
  return Array.from({ length: items }, () => sampleClaim(promotionId));
}

/** An answer like those of the product: the same fields, filled to the same length. */
export function sampleAnswer(promotionId: string, nowMs: number): ClaimCouponResponse {
  const at = (ms: number): { seconds: bigint; nanos: number } => ({
    seconds: BigInt(Math.floor(ms / 1000)),
    nanos: (ms % 1000) * 1_000_000,
  });
  return create(ClaimCouponResponseSchema, {
    couponId: 'c'.repeat(44),
    promotionId,
    promotionVersion: 2,
    acknowledgement: AcknowledgementLevel.DURABLE,
    issuedAt: at(nowMs),
    validFrom: at(nowMs),
    expiresAt: at(nowMs + 7 * 86_400_000),
  });
}

/** That answer as bytes. */
export function sampleAnswerBytes(promotionId: string, nowMs: number): Buffer {
  return Buffer.from(toBinary(ClaimCouponResponseSchema, sampleAnswer(promotionId, nowMs)));
}

/** Headers of a gRPC call. */
export function grpcHeaders(path: string, token: string): [string, string][] {
  return [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', '127.0.0.1'],
    ['content-type', 'application/grpc+proto'],
    ['te', 'trailers'],
    ['user-agent', 'hongbao-bench'],
    ['grpc-timeout', '10S'],
    ['authorization', `Bearer ${token}`],
  ];
}

/** Headers of a Connect call. */
export function connectHeaders(token: string): [string, string][] {
  return [
    ['content-type', 'application/proto'],
    ['connect-protocol-version', '1'],
    ['connect-timeout-ms', '10000'],
    ['user-agent', 'hongbao-bench'],
    ['authorization', `Bearer ${token}`],
  ];
}
