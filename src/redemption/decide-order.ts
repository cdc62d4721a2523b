/** Decides what an order gets: its final cart is evaluated, with what it asked for, and all of that must apply. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { mayAssertFacts } from '../domain/identity.ts';
import { Refusal } from '../domain/refusal.ts';
import {
  type EvaluateCartRequest,
  EvaluateCartRequestSchema,
  type EvaluateCartResponse,
  EvaluateCartResponseSchema,
  HeldCouponSchema,
} from '../gen/hongbao/v1/cart_service_pb.ts';
import { CouponState } from '../gen/hongbao/v1/coupon_service_pb.ts';
import type { ReadCoupon } from './coupon-steps.ts';
import { requireApplied } from './not-applicable.ts';
import { evaluationOf, type OrderRequest } from './order-request.ts';
import type { Caller, RedemptionPorts } from './redemption-ports.ts';
import { encodeStoredDecision } from './stored-decision.ts';

/** The decision on an order. */
export interface OrderDecision {
  /** The question as it was asked. */
  readonly request: EvaluateCartRequest;
  readonly response: EvaluateCartResponse;
}

/**
 * Decides on the order for the moment `atMs`, by the ledger's clock. Throws COUPON_NOT_APPLICABLE and its relatives,
 * CART_CHANGED, INVALID_REQUEST, EVALUATION_* and what reading the wallet throws.
 */
export async function decideOrder(
  ports: RedemptionPorts,
  order: OrderRequest,
  caller: Caller,
  atMs: number,
): Promise<OrderDecision> {
  const facts = mayAssertFacts(caller.identity) ? order.facts : undefined;
  // The explanation tells all that was known, such as facts that are kept about the user: what a replay needs.
  const request = { ...evaluationOf({ ...order, facts }), at: timestampFromMs(atMs), explain: true };
  const bytes = await ports.evaluate(toBinary(EvaluateCartRequestSchema, request), caller);
  const response = fromBinary(EvaluateCartResponseSchema, bytes);
  requireApplied(order, response);
  requireExpectedPayable(order, response);
  return { request, response };
}

function requireExpectedPayable(
  { expectedPayableMinor }: OrderRequest,
  { totals }: EvaluateCartResponse,
): void {
  const payableMinor = totals?.payableMinor ?? 0n;
  if (expectedPayableMinor === undefined || expectedPayableMinor === payableMinor) return;
  throw new Refusal('CART_CHANGED', 'The order costs something else than was expected', {
    metadata: { needed: String(expectedPayableMinor), seen: String(payableMinor) },
  });
}

/** What is kept of a decision to make it again: the same question with the rules and the coupons it was answered by. */
export function storedDecision({ request, response }: OrderDecision, coupons: readonly ReadCoupon[]): Buffer {
  const heldCoupons = coupons.map(({ couponId, value }) =>
    create(HeldCouponSchema, {
      couponId,
      promotionRef: value.promotionRef,
      promotionVersion: value.promotionVersion,
      state: CouponState.UNUSED,
      validFrom: timestampFromMs(value.validFromMs),
      ...(value.expiresAtMs !== undefined && { expiresAt: timestampFromMs(value.expiresAtMs) }),
    }),
  );
  const { ruleSetVersion, facts, liveLimits, resolvedCodes, ...rest } = response;
  const replay = create(EvaluateCartRequestSchema, {
    ...request,
    explain: false,
    heldCoupons,
    liveLimits,
    resolvedCodes,
    ...(facts && { facts }),
    ...(ruleSetVersion > 0n && { ruleSetVersion }),
  });
  const left = { rejected: [], nearMisses: [], wallet: [], trace: [], liveLimits: [], resolvedCodes: [] };
  const kept: EvaluateCartResponse = { ...rest, ruleSetVersion, ...left };
  return encodeStoredDecision({
    request: toBinary(EvaluateCartRequestSchema, replay),
    response: toBinary(EvaluateCartResponseSchema, kept),
  });
}
