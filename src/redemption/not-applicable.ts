/** Why a coupon or code that an order asked for does not apply, as the caller is told. */
import { fromBinary } from '@bufbuild/protobuf';
import { Refusal, type RefusalReason } from '../domain/refusal.ts';
import { normalisedCode } from '../engine/normalised-code.ts';
import {
  EvaluateCartResponseSchema,
  type RejectedCandidate,
  type Rejection,
  RejectionReason,
  RejectionReasonSchema,
} from '../gen/hongbao/v1/cart_service_pb.ts';
import type { OrderRequest } from './order-request.ts';
import type { AppliedSource, Decision } from './read-decision.ts';

/** Rejections that have a reason of their own among refusals; the others are COUPON_NOT_APPLICABLE. */
const REASONS: Partial<Record<RejectionReason, RefusalReason>> = {
  [RejectionReason.COUPON_NOT_FOUND]: 'COUPON_NOT_FOUND',
  [RejectionReason.COUPON_RESERVED]: 'COUPON_NOT_AVAILABLE',
  [RejectionReason.COUPON_USED]: 'COUPON_NOT_AVAILABLE',
  [RejectionReason.CURRENCY_MISMATCH]: 'CURRENCY_MISMATCH',
  [RejectionReason.CODE_UNKNOWN]: 'CODE_NOT_FOUND',
  [RejectionReason.CODE_USED]: 'CODE_ALREADY_USED',
  [RejectionReason.USES_EXHAUSTED]: 'USES_EXHAUSTED',
  [RejectionReason.USER_USES_EXHAUSTED]: 'USER_USES_EXHAUSTED',
  [RejectionReason.BUDGET_EXHAUSTED]: 'BUDGET_EXHAUSTED',
};

const MESSAGES: Partial<Record<RefusalReason, string>> = {
  COUPON_NOT_FOUND: 'The user has no such coupon',
  COUPON_NOT_AVAILABLE: 'The coupon is held or used for another order',
  CURRENCY_MISMATCH: 'The coupon or code is of another currency than the cart',
  CODE_NOT_FOUND: 'No promotion has this code',
  CODE_ALREADY_USED: 'The code was used, or is held for an unpaid order',
};

/** A coupon or code that was asked for, and how a refusal names it. */
interface Asked {
  readonly kind: 'couponId' | 'code';
  readonly value: string;
  readonly metadata: Record<string, string>;
}

function asked({ couponIds, codes }: OrderRequest): Asked[] {
  return [
    ...couponIds.map((value): Asked => ({ kind: 'couponId', value, metadata: { coupon_id: value } })),
    ...codes.map((code, index): Asked => {
      return { kind: 'code', value: normalisedCode(code), metadata: { code_index: String(index) } };
    }),
  ];
}

/** Throws the refusal for the first coupon or code that was asked for and does not apply. */
export function requireApplied(order: OrderRequest, { applied, bytes }: Decision): void {
  for (const one of asked(order)) {
    const isOne = ({ source }: { readonly source: AppliedSource }): boolean =>
      source.case === one.kind && source.value === one.value;
    if (applied.some(isOne)) continue;
    throw notApplicable(one, fromBinary(EvaluateCartResponseSchema, bytes).rejected.find(isOne));
  }
}

function notApplicable(one: Asked, rejected: RejectedCandidate | undefined): Refusal {
  const rejection = rejected?.rejection;
  const why = rejection?.reason ?? RejectionReason.NOT_SELECTED;
  const reason = REASONS[why] ?? 'COUPON_NOT_APPLICABLE';
  const metadata = {
    ...one.metadata,
    rejection: RejectionReasonSchema.value[why]?.localName ?? '',
    ...(rejected !== undefined && rejected.promotionId !== '' && { promotion_id: rejected.promotionId }),
    ...(rejected !== undefined &&
      rejected.conflictsWith.length > 0 && { conflicts_with: rejected.conflictsWith.join(',') }),
    ...figures(rejection),
  };
  return new Refusal(reason, MESSAGES[reason] ?? 'What was asked for does not apply to the cart', {
    metadata,
  });
}

function figures(rejection: Rejection | undefined): Record<string, string> {
  const needed = rejection?.needed.value;
  const seen = rejection?.seen.value;
  return {
    ...(needed !== undefined && { needed: String(needed) }),
    ...(seen !== undefined && { seen: String(seen) }),
  };
}
