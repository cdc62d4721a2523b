import type { AttributeValue, Cart, UserFacts } from '../../domain/cart.ts';
import type { CouponState } from '../../domain/coupon.ts';
import type * as domain from '../../domain/decision.ts';
import type { HeldCoupon, ResolvedCode } from '../../engine/evaluation-input.ts';
import { DiscountClass, TraceOutcome, TracePhase } from '../../gen/hongbao/v1/cart_service_pb.ts';
import { CouponState as CouponStateMessage } from '../../gen/hongbao/v1/coupon_service_pb.ts';
import * as message from '../../gen/hot/cart-responses.ts';
import { rejectionMessage, sourceMessage } from './rejection-message.ts';

/** What an answer carries beside the decision. */
export interface DecisionContext {
  /** The cart that was decided about. */
  readonly cart: Cart;
  /** The moment the decision is for, in epoch milliseconds. */
  readonly atMs: number;
  /** Digest of the facts and the wallet. */
  readonly factsDigest: Uint8Array;
  /** What it was made from; only for an answer that explains itself. */
  readonly inputs?: DecisionInputs;
}

/** What makes the same decision again, with the cart, the rules and the moment. */
export interface DecisionInputs {
  /** The wallet as it was read. */
  readonly wallet: readonly HeldCoupon[];
  readonly facts: UserFacts;
  readonly resolvedCodes: readonly ResolvedCode[];
}

const CLASSES: Readonly<Record<domain.DiscountClass, DiscountClass>> = {
  item: DiscountClass.ITEM,
  order: DiscountClass.ORDER,
  shipping: DiscountClass.SHIPPING,
  benefit: DiscountClass.BENEFIT,
};

const PHASES: Readonly<Record<domain.TraceStep['phase'], TracePhase>> = {
  match: TracePhase.MATCH,
  check: TracePhase.CHECK,
  combine: TracePhase.COMBINE,
  apply: TracePhase.APPLY,
};

const OUTCOMES: Readonly<Record<domain.TraceStep['outcome'], TraceOutcome>> = {
  passed: TraceOutcome.PASSED,
  failed: TraceOutcome.FAILED,
  chosen: TraceOutcome.CHOSEN,
  dropped: TraceOutcome.DROPPED,
  applied: TraceOutcome.APPLIED,
};

const STATES: Readonly<Record<CouponState, CouponStateMessage>> = {
  unused: CouponStateMessage.UNUSED,
  reserved: CouponStateMessage.RESERVED,
  used: CouponStateMessage.USED,
  expired: CouponStateMessage.EXPIRED,
  revoked: CouponStateMessage.REVOKED,
};

const NOTHING: readonly never[] = [];

/** Writes an EvaluateCartResponse. The same decision and context give the same bytes. */
export function writeDecision(decision: domain.Decision, context: DecisionContext): Buffer {
  const { lines, applied, rejected, nearMisses, isProvenOptimal, trace } = decision;
  const { inputs } = context;
  return message.encodeEvaluateCartResponse({
    ruleSetVersion: decision.ruleSetVersion,
    lines: lineMessages(lines, context.cart),
    totals: decision.totals,
    applied: applied.map(appliedMessage),
    rejected: rejected.map(rejectedMessage),
    nearMisses: nearMisses.map(nearMissMessage),
    bonusPoints: decision.bonusPoints,
    provenOptimal: isProvenOptimal,
    evaluatedAt: context.atMs,
    factsDigest: context.factsDigest,
    wallet: inputs?.wallet.map(heldCouponMessage) ?? NOTHING,
    trace: trace?.map(traceMessage) ?? NOTHING,
    facts: inputs && factsMessage(inputs.facts),
    liveLimits: (inputs && decision.limits) ?? NOTHING,
    resolvedCodes: inputs?.resolvedCodes.map(codeMessage) ?? NOTHING,
  });
}

function lineMessages(decisions: readonly domain.LineDecision[], { lines }: Cart): message.LineDecision[] {
  return decisions.map(({ originalMinor, discountMinor, payableMinor }, index) => ({
    lineId: lines[index]?.lineId ?? '',
    originalMinor,
    discountMinor,
    payableMinor,
  }));
}

function appliedMessage(applied: domain.AppliedPromotion): message.AppliedPromotion {
  return {
    promotionId: applied.promotionId,
    promotionVersion: applied.promotionVersion,
    source: sourceMessage(applied.source),
    class: CLASSES[applied.class],
    discountMinor: applied.discountMinor,
    shares: applied.shares,
    shippingDiscountMinor: applied.shippingDiscountMinor,
    gifts: applied.gifts,
    bonusPoints: applied.bonusPoints,
  };
}

function rejectedMessage(rejected: domain.RejectedCandidate): message.RejectedCandidate {
  return {
    promotionId: rejected.promotionId,
    promotionVersion: rejected.promotionVersion,
    source: sourceMessage(rejected.source),
    rejection: rejectionMessage(rejected),
    conflictsWith: rejected.conflictsWith ?? NOTHING,
  };
}

function nearMissMessage(nearMiss: domain.NearMiss): message.NearMiss {
  const { promotionId, source, missing: value, missingKind, wouldSaveMinor } = nearMiss;
  return {
    promotionId,
    source: sourceMessage(source),
    missing: missingKind === 'minor' ? { case: 'missingMinor', value } : { case: 'missingUnits', value },
    wouldSaveMinor,
  };
}

function heldCouponMessage(coupon: HeldCoupon): message.HeldCoupon {
  return {
    couponId: coupon.couponId,
    promotionRef: coupon.promotionRef,
    promotionVersion: coupon.promotionVersion,
    state: STATES[coupon.state],
    validFrom: coupon.validFromMs,
    expiresAt: coupon.expiresAtMs,
  };
}

/** Facts in one order, however they were stated; absent when nothing is known. */
function factsMessage(facts: UserFacts): message.UserFacts | undefined {
  if (Object.keys(facts).length === 0) return undefined;
  const { tags, registeredAtMs, ordersCompleted, attributes, level = '', birthday = '' } = facts;
  return {
    tags: tags === undefined ? NOTHING : [...tags].sort(),
    registeredAt: registeredAtMs,
    ordersCompleted,
    attributes: [...(attributes ?? NOTHING)]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, value]) => ({ name, value: attributeMessage(value) })),
    level,
    birthday,
  };
}

function attributeMessage(value: AttributeValue): message.Attribute['value'] {
  if (typeof value === 'string') return { case: 'text', value };
  return typeof value === 'number' ? { case: 'number', value } : { case: 'flag', value };
}

function codeMessage({ code, promotionRef, state }: ResolvedCode): message.ResolvedCode {
  return { code, promotionRef, taken: state === 'taken' };
}

function traceMessage({
  phase,
  promotionId,
  source,
  outcome,
  failure,
  amountMinor,
}: domain.TraceStep): message.TraceStep {
  return {
    phase: PHASES[phase],
    promotionId,
    source: sourceMessage(source),
    outcome: OUTCOMES[outcome],
    rejection: failure && rejectionMessage(failure),
    amountMinor,
  };
}
