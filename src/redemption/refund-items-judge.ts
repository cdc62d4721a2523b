/** What the rules that decided about an order say about the part of it that is kept. */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type CandidateSource, REJECTION_REASONS, type RejectionReason } from '../domain/decision.ts';
import { CorruptRecordError } from '../domain/record-json.ts';
import type { RefundPolicy, Rest, RestJudgement } from '../domain/refund.ts';
import { type GivenPromotion, judgementOf, type NamedPromotion } from '../domain/refund-standing.ts';
import {
  type AppliedPromotion,
  type EvaluateCartRequest,
  EvaluateCartRequestSchema,
  type EvaluateCartResponse,
  EvaluateCartResponseSchema,
  type RejectedCandidate,
  RejectionReason as RejectionReasonMessage,
} from '../gen/hongbao/v1/cart_service_pb.ts';
import { decodeStoredDecision } from './stored-decision.ts';

/**
 * Decides an EvaluateCartRequest that names its rules, wallet, facts and moment, and answers with the EvaluateCartResponse;
 * both in binary form. Throws RULE_SET_VERSION_NOT_FOUND, EVALUATION_*, ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED.
 */
export type DecideAgain = (request: Uint8Array, deadlineMs: number) => Promise<Uint8Array>;

/**
 * Asks the rules about the rest. `decision` is the order's stored decision. Throws what `decideAgain` throws, and
 * CorruptRecordError when there is no decision to go by.
 */
export async function judgeRest(
  decideAgain: DecideAgain,
  decision: Buffer | undefined,
  policy: Exclude<RefundPolicy, 'keep'>,
  rest: Rest,
  deadlineMs: number,
): Promise<RestJudgement> {
  if (decision === undefined) throw new CorruptRecordError('the order has no decision');
  const stored = decodeStoredDecision(decision);
  const given = givenPromotions(fromBinary(EvaluateCartResponseSchema, stored.response));
  const question = restOf(fromBinary(EvaluateCartRequestSchema, stored.request), rest);
  const answer = await decideAgain(toBinary(EvaluateCartRequestSchema, question), deadlineMs);
  const decided = fromBinary(EvaluateCartResponseSchema, answer);
  return judgementOf(policy, given, {
    payableMinor: Number(decided.totals?.payableMinor ?? 0),
    applied: givenPromotions(decided),
    rejected: decided.rejected.map((each) => ({ ...named(each), reason: reasonOf(each) })),
  });
}

/** The same question about what is kept. */
function restOf(request: EvaluateCartRequest, { units, isShippingKept }: Rest): EvaluateCartRequest {
  const { cart } = request;
  if (cart === undefined) throw new CorruptRecordError('the order was decided without a cart');
  const lines = cart.lines.flatMap((line) => {
    const quantity = units.get(line.lineId);
    return quantity === undefined ? [] : [{ ...line, quantity }];
  });
  return {
    ...request,
    explain: false,
    cart: { ...cart, lines, shippingMinor: isShippingKept ? cart.shippingMinor : 0n },
  };
}

function givenPromotions({ applied, lines }: EvaluateCartResponse): GivenPromotion[] {
  return applied.map((each) => ({
    ...named(each),
    shares: each.shares.map(({ lineIndex, amountMinor }) => ({
      lineId: lines[lineIndex]?.lineId ?? '',
      amountMinor: Number(amountMinor),
    })),
    shippingDiscountMinor: Number(each.shippingDiscountMinor),
    gifts: each.gifts.map(({ itemId, quantity }) => ({ itemId, quantity: Number(quantity) })),
  }));
}

function named({ promotionId, source }: AppliedPromotion | RejectedCandidate): NamedPromotion {
  return { promotionId, source: sourceOf(source) };
}

function sourceOf(source: AppliedPromotion['source']): CandidateSource {
  switch (source.case) {
    case 'couponId':
      return { kind: 'coupon', couponId: source.value };
    case 'code':
      return { kind: 'code', code: source.value };
    case undefined:
      return { kind: 'automatic' };
  }
}

const REASONS: Readonly<Record<RejectionReason, RejectionReasonMessage>> = RejectionReasonMessage;

/** Throws when the engine names a reason that there is none of. */
function reasonOf({ rejection }: RejectedCandidate): RejectionReason {
  const reason = REJECTION_REASONS.find((name) => REASONS[name] === rejection?.reason);
  if (reason === undefined) throw new Error(`${rejection?.reason} is no reason of a rejection`);
  return reason;
}
