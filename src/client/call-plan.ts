/** How long each method may take, and whether it may be repeated. */
import type { DescMethod } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel } from '@bufbuild/protobuf/wkt';

/** What a client does about one method unless a call says otherwise. */
export interface CallPlan {
  /** Time for the whole call with all its attempts, ms. */
  readonly deadlineMs: number;
  /** Time for one attempt, ms: what hangs is asked elsewhere while there is time left. */
  readonly attemptMs: number;
}

/** The plans by kind of method; docs/clients.md shows them. */
export const PLANS = {
  /** The checkout waits for it and can go on without: it had better know soon. */
  decision: { deadlineMs: 1_000, attemptMs: 500 },
  read: { deadlineMs: 3_000, attemptMs: 1_500 },
  /** Whoever asked for a change wants to know what became of it: patience is cheaper than doubt. */
  write: { deadlineMs: 6_000, attemptMs: 2_000 },
  bulk: { deadlineMs: 10_000, attemptMs: 5_000 },
  /** Staff's calls are few and may be large. */
  staff: { deadlineMs: 15_000, attemptMs: 7_500 },
} as const satisfies Record<string, CallPlan>;

const STAFF_SERVICES = new Set(['PromotionService', 'InsightService', 'JobService', 'PrivacyService']);

/** Methods that differ from what their service and kind suggest. */
export const EXCEPTIONS: Readonly<Record<string, CallPlan>> = {
  'CartService.EvaluateCart': PLANS.decision,
  'CartService.ListUsableCoupons': PLANS.decision,
  'CartService.ValidateCoupon': PLANS.decision,
  'CartService.BatchEvaluateCarts': PLANS.bulk,
  'CouponService.BatchClaimCoupons': PLANS.bulk,
};

/** `CouponService.ClaimCoupon`. */
export function methodName(method: DescMethod): string {
  return `${method.parent.name}.${method.name}`;
}

/** The plan of a method. A deadline of the caller's own goes before, and an attempt gets the same part of it. */
export function planOf(method: DescMethod, ownDeadlineMs?: number): CallPlan {
  const plan = EXCEPTIONS[methodName(method)] ?? planByKind(method);
  const deadlineMs = ownDeadlineMs ?? plan.deadlineMs;
  return { deadlineMs, attemptMs: (plan.attemptMs * deadlineMs) / plan.deadlineMs };
}

function planByKind(method: DescMethod): CallPlan {
  if (STAFF_SERVICES.has(method.parent.name)) return PLANS.staff;
  return isRead(method) ? PLANS.read : PLANS.write;
}

/** Whether the contract says that the method changes nothing. */
export function isRead(method: DescMethod): boolean {
  return method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}
