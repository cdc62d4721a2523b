import type { CandidateSource, Failure, RejectionReason } from '../../domain/decision.ts';
import type { RuleKind } from '../../domain/promotion.ts';
import { RejectionReason as ReasonMessage } from '../../gen/hongbao/v1/cart_service_pb.ts';
import { RuleKind as RuleKindMessage } from '../../gen/hongbao/v1/rule_pb.ts';
import type { AppliedPromotion, Rejection } from '../../gen/hot/cart-responses.ts';

const RULE_KINDS: Readonly<Record<RuleKind, RuleKindMessage>> = {
  minimum_spend: RuleKindMessage.MINIMUM_SPEND,
  item_eligibility: RuleKindMessage.ITEM_ELIGIBILITY,
  exclusion: RuleKindMessage.EXCLUSION,
  item_discount_scope: RuleKindMessage.ITEM_DISCOUNT_SCOPE,
  conditional_gift_item: RuleKindMessage.CONDITIONAL_GIFT_ITEM,
  spend_for_gift: RuleKindMessage.SPEND_FOR_GIFT,
  time_slot: RuleKindMessage.TIME_SLOT,
  quantity_threshold: RuleKindMessage.QUANTITY_THRESHOLD,
  first_order: RuleKindMessage.FIRST_ORDER,
  nth_order: RuleKindMessage.NTH_ORDER,
  channel: RuleKindMessage.CHANNEL,
  region: RuleKindMessage.REGION,
  payment_method: RuleKindMessage.PAYMENT_METHOD,
  custom_attribute: RuleKindMessage.CUSTOM_ATTRIBUTE,
  sale_items: RuleKindMessage.SALE_ITEMS,
  stackability: RuleKindMessage.STACKABILITY,
  cel: RuleKindMessage.CEL,
};

const REASONS: Readonly<Record<RejectionReason, ReasonMessage>> = ReasonMessage;

type Source = AppliedPromotion['source'];

const AUTOMATIC: Source = { case: undefined };
const UNSET = { case: undefined } as const;

/** How a candidate came to be one, as messages say it. */
export function sourceMessage(source: CandidateSource): Source {
  switch (source.kind) {
    case 'automatic':
      return AUTOMATIC;
    case 'coupon':
      return { case: 'couponId', value: source.couponId };
    case 'code':
      return { case: 'code', value: source.code };
  }
}

/** Why something does not apply, as messages say it. */
export function rejectionMessage({
  reason,
  ruleIndex,
  ruleKind,
  needed,
  seen,
  shortfall,
}: Failure): Rejection {
  return {
    reason: REASONS[reason],
    ruleIndex,
    ruleKind: ruleKind === undefined ? RuleKindMessage.UNSPECIFIED : RULE_KINDS[ruleKind],
    needed: neededMessage(needed),
    seen: seenMessage(seen),
    shortfall: shortfallMessage(shortfall),
  };
}

function neededMessage(needed: Failure['needed']): Rejection['needed'] {
  if (needed === undefined) return UNSET;
  if (typeof needed === 'string') return { case: 'neededText', value: needed };
  return { case: 'neededNumber', value: needed };
}

function seenMessage(seen: Failure['seen']): Rejection['seen'] {
  if (seen === undefined) return UNSET;
  if (typeof seen === 'string') return { case: 'seenText', value: seen };
  return { case: 'seenNumber', value: seen };
}

function shortfallMessage(shortfall: Failure['shortfall']): Rejection['shortfall'] {
  if (shortfall === undefined) return UNSET;
  const { kind, missing: value } = shortfall;
  return kind === 'minor' ? { case: 'shortfallMinor', value } : { case: 'shortfallUnits', value };
}
