import type {
  AttributeCondition,
  EffectKind,
  ItemSelection,
  MatchMode,
  Rule,
  RuleOf,
} from '../../domain/promotion.ts';
import {
  EffectKind as EffectKindMessage,
  type ItemSelection as SelectionMessage,
} from '../../gen/hongbao/v1/effect_pb.ts';
import {
  type AttributeRange,
  AttributeSource,
  type CustomAttributeRule,
  ExclusiveChoice,
  MatchMode as MatchModeMessage,
  type Rule as Message,
  SaleItemHandling,
  type StackabilityRule,
  StackingMode,
} from '../../gen/hongbao/v1/rule_pb.ts';
import { thresholdBasis } from './effect-definition.ts';
import { itemSelection } from './item-selection.ts';
import { nameOf, present, safeNumber, UNKNOWN_KIND, UnreadableError } from './unreadable.ts';

const MATCH_MODES = new Map<number, MatchMode>([
  [MatchModeMessage.UNSPECIFIED, 'any'],
  [MatchModeMessage.ANY, 'any'],
  [MatchModeMessage.ALL, 'all'],
]);

const SOURCES = new Map<number, RuleOf<'custom_attribute'>['source']>([
  [AttributeSource.UNSPECIFIED, 'cart'],
  [AttributeSource.CART, 'cart'],
  [AttributeSource.USER, 'user'],
]);

const SALE_HANDLINGS = new Map<number, RuleOf<'sale_items'>['handling']>([
  [SaleItemHandling.UNSPECIFIED, 'count'],
  [SaleItemHandling.COUNT, 'count'],
  [SaleItemHandling.EXCLUDED, 'excluded'],
  [SaleItemHandling.REFUSE, 'refuse'],
]);

const STACKING_MODES = new Map<number, RuleOf<'stackability'>['mode']>([
  [StackingMode.UNSPECIFIED, 'combines'],
  [StackingMode.COMBINES, 'combines'],
  [StackingMode.ALONE, 'alone'],
]);

const CHOICES = new Map<number, RuleOf<'stackability'>['choice']>([
  [ExclusiveChoice.UNSPECIFIED, 'best_saving'],
  [ExclusiveChoice.BEST_SAVING, 'best_saving'],
  [ExclusiveChoice.FIRST_BY_PRIORITY, 'first_by_priority'],
]);

const EFFECT_KINDS = new Map<number, EffectKind>([
  [EffectKindMessage.FIXED_AMOUNT_OFF, 'fixed_amount_off'],
  [EffectKindMessage.PERCENT_OFF, 'percent_off'],
  [EffectKindMessage.GIFT_ITEMS, 'gift_items'],
  [EffectKindMessage.SHIPPING_OFF, 'shipping_off'],
  [EffectKindMessage.FREE_SHIPPING, 'free_shipping'],
  [EffectKindMessage.NO_THRESHOLD_VOUCHER, 'no_threshold_voucher'],
  [EffectKindMessage.TIERED_OFF, 'tiered_off'],
  [EffectKindMessage.EVERY_AMOUNT_OFF, 'every_amount_off'],
  [EffectKindMessage.BUY_X_GET_Y, 'buy_x_get_y'],
  [EffectKindMessage.FIXED_PRICE, 'fixed_price'],
  [EffectKindMessage.BONUS_POINTS, 'bonus_points'],
  [EffectKindMessage.POINTS_MULTIPLIER, 'points_multiplier'],
]);

/** A rule in plain types, defaults filled in. Throws UnreadableError with a path inside the rule. */
export function ruleDefinition({ kind }: Message): Rule {
  switch (kind.case) {
    case 'minimumSpend':
      return {
        kind: 'minimum_spend',
        amountMinor: safeNumber(kind.value.amountMinor, 'minimum_spend.amount_minor'),
        basis: thresholdBasis(kind.value.basis, 'minimum_spend.basis'),
      };
    case 'itemEligibility':
      return {
        kind: 'item_eligibility',
        selection: required(kind.value.selection, 'item_eligibility.selection'),
        match: nameOf(MATCH_MODES, kind.value.match, 'item_eligibility.match'),
      };
    case 'exclusion': {
      const { selection, presenceRefuses } = kind.value;
      return { kind: 'exclusion', selection: required(selection, 'exclusion.selection'), presenceRefuses };
    }
    case 'itemDiscountScope':
      return {
        kind: 'item_discount_scope',
        selection: required(kind.value.selection, 'item_discount_scope.selection'),
      };
    case 'conditionalGiftItem':
      return {
        kind: 'conditional_gift_item',
        selection: required(kind.value.requiredSelection, 'conditional_gift_item.required_selection'),
        match: nameOf(MATCH_MODES, kind.value.match, 'conditional_gift_item.match'),
      };
    case 'spendForGift':
      return {
        kind: 'spend_for_gift',
        amountMinor: safeNumber(kind.value.amountMinor, 'spend_for_gift.amount_minor'),
      };
    default:
      return ruleOnUserOrMoment(kind);
  }
}

type OtherKind = Exclude<
  Message['kind'],
  {
    case:
      | 'minimumSpend'
      | 'itemEligibility'
      | 'exclusion'
      | 'itemDiscountScope'
      | 'conditionalGiftItem'
      | 'spendForGift';
  }
>;

function ruleOnUserOrMoment(kind: OtherKind): Rule {
  switch (kind.case) {
    case 'timeSlot': {
      const { slots, days, timeZone } = kind.value;
      const plain = slots.map(({ startMinute, endMinute }) => ({ startMinute, endMinute }));
      return { kind: 'time_slot', slots: plain, days, timeZone };
    }
    case 'quantityThreshold':
      return { kind: 'quantity_threshold', minQuantity: kind.value.minQuantity };
    case 'firstOrder':
      return { kind: 'first_order' };
    case 'nthOrder':
      return { kind: 'nth_order', nth: kind.value.nth, repeats: kind.value.repeats };
    case 'channel':
      return { kind: 'channel', channels: kind.value.channels };
    case 'region':
      return { kind: 'region', regions: kind.value.regions };
    case 'paymentMethod':
      return { kind: 'payment_method', paymentMethods: kind.value.paymentMethods };
    case 'customAttribute':
      return customAttribute(kind.value);
    case 'saleItems':
      return {
        kind: 'sale_items',
        handling: nameOf(SALE_HANDLINGS, kind.value.handling, 'sale_items.handling'),
      };
    case 'stackability':
      return stackability(kind.value);
    case 'cel':
      return { kind: 'cel', expression: kind.value.expression };
    case undefined:
      throw new UnreadableError('kind', UNKNOWN_KIND);
  }
}

function required(selection: SelectionMessage | undefined, field: string): ItemSelection {
  return itemSelection(present(selection, field));
}

function customAttribute({ attribute, source, condition }: CustomAttributeRule): Rule {
  return {
    kind: 'custom_attribute',
    attribute,
    source: nameOf(SOURCES, source, 'custom_attribute.source'),
    condition: attributeCondition(condition),
  };
}

function attributeCondition(condition: CustomAttributeRule['condition']): AttributeCondition {
  switch (condition.case) {
    case 'oneOf':
      return { kind: 'one_of', values: condition.value.values };
    case 'noneOf':
      return { kind: 'none_of', values: condition.value.values };
    case 'inRange':
      return { kind: 'in_range', ...range(condition.value) };
    case 'equals':
      return { kind: 'equals', value: condition.value };
    case undefined:
      throw new UnreadableError('custom_attribute.condition', UNKNOWN_KIND);
  }
}

function range({ atLeast, atMost }: AttributeRange): { atLeast?: number; atMost?: number } {
  const field = 'custom_attribute.in_range';
  return {
    ...(atLeast !== undefined && { atLeast: safeNumber(atLeast, `${field}.at_least`) }),
    ...(atMost !== undefined && { atMost: safeNumber(atMost, `${field}.at_most`) }),
  };
}

function stackability({ mode, excludedKinds, exclusiveGroups, choice }: StackabilityRule): Rule {
  return {
    kind: 'stackability',
    mode: nameOf(STACKING_MODES, mode, 'stackability.mode'),
    excludedKinds: excludedKinds.map((kind, index) =>
      nameOf(EFFECT_KINDS, kind, `stackability.excluded_kinds[${index}]`),
    ),
    exclusiveGroups,
    choice: nameOf(CHOICES, choice, 'stackability.choice'),
  };
}
