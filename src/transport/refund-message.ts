/** Refunds and returned coupons as messages of the contract. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { RefundPolicy } from '../domain/refund.ts';
import {
  type RefundRecord,
  type ReturnedCoupon,
  type ReturnOutcome,
  returnedUntilMs,
} from '../domain/refund-record.ts';
import {
  ReturnOutcome as OutcomeMessage,
  RefundPolicy as PolicyMessage,
  type RefundSchema,
  type ReturnedCouponSchema,
} from '../gen/hongbao/v1/redemption_service_pb.ts';

const OUTCOMES: Readonly<Record<ReturnOutcome, OutcomeMessage>> = {
  usable_again: OutcomeMessage.USABLE_AGAIN,
  expired: OutcomeMessage.EXPIRED,
  extended: OutcomeMessage.EXTENDED,
  stays_used: OutcomeMessage.STAYS_USED,
  revoked: OutcomeMessage.REVOKED,
};

const POLICIES: Readonly<Record<RefundPolicy, PolicyMessage>> = {
  keep: PolicyMessage.KEEP,
  reevaluate: PolicyMessage.REEVALUATE,
  claw_back: PolicyMessage.CLAW_BACK,
};

/** The policy a request names; the default keeps discounts. */
export function refundPolicy(policy: PolicyMessage): RefundPolicy {
  if (policy === PolicyMessage.REEVALUATE) return 'reevaluate';
  return policy === PolicyMessage.CLAW_BACK ? 'claw_back' : 'keep';
}

/** A coupon that was given back at `atMs`. */
export function returnedCouponMessage(
  coupon: ReturnedCoupon,
  atMs: number,
): MessageInitShape<typeof ReturnedCouponSchema> {
  const untilMs = returnedUntilMs(coupon, atMs);
  return {
    couponId: coupon.couponId,
    outcome: OUTCOMES[coupon.outcome],
    ...(untilMs !== undefined && { expiresAt: timestampFromMs(untilMs) }),
  };
}

/**
 * A refund of an order. One that was not made, a dry run, has no id and no moment; dates of its coupons are then counted
 * from `nowMs`.
 */
export function refundMessage(
  record: RefundRecord,
  nowMs: number = record.atMs,
): MessageInitShape<typeof RefundSchema> {
  const isMade = record.refundId !== '';
  return {
    refundId: record.refundId,
    lines: record.lines.map((line) => ({ ...line, refundMinor: BigInt(line.refundMinor) })),
    shippingMinor: BigInt(record.shippingMinor),
    refundMinor: BigInt(record.refundMinor),
    clawBackMinor: BigInt(record.clawBackMinor),
    giftsToReturn: [...record.giftsToReturn],
    coupons: record.coupons.map((coupon) => returnedCouponMessage(coupon, isMade ? record.atMs : nowMs)),
    pointsReversed: BigInt(record.pointsReversed),
    pointsDebt: BigInt(record.pointsDebt),
    refundedTotalMinor: BigInt(record.refundedTotalMinor),
    remainingPayableMinor: BigInt(record.remainingPayableMinor),
    policy: POLICIES[record.policy],
    ...(isMade && { createdAt: timestampFromMs(record.atMs) }),
    reason: record.reason,
  };
}
