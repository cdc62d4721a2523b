import type { Rule, RuleKind, RuleOf } from '../domain/promotion.ts';
import type { RuleCompiler, RuleParts } from './rule-parts.ts';
import { cel } from './rules/cel.ts';
import { channel } from './rules/channel.ts';
import { conditionalGiftItem } from './rules/conditional-gift-item.ts';
import { customAttribute } from './rules/custom-attribute.ts';
import { exclusion } from './rules/exclusion.ts';
import { firstOrder } from './rules/first-order.ts';
import { itemDiscountScope } from './rules/item-discount-scope.ts';
import { itemEligibility } from './rules/item-eligibility.ts';
import { minimumSpend } from './rules/minimum-spend.ts';
import { nthOrder } from './rules/nth-order.ts';
import { paymentMethod } from './rules/payment-method.ts';
import { quantityThreshold } from './rules/quantity-threshold.ts';
import { region } from './rules/region.ts';
import { saleItems } from './rules/sale-items.ts';
import { spendForGift } from './rules/spend-for-gift.ts';
import { stackability } from './rules/stackability.ts';
import { timeSlot } from './rules/time-slot.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Every kind of rule; a kind without an entry does not type-check. */
const COMPILERS: { readonly [Kind in RuleKind]: RuleCompiler<Kind> } = {
  minimum_spend: minimumSpend,
  item_eligibility: itemEligibility,
  exclusion,
  item_discount_scope: itemDiscountScope,
  conditional_gift_item: conditionalGiftItem,
  spend_for_gift: spendForGift,
  time_slot: timeSlot,
  quantity_threshold: quantityThreshold,
  first_order: firstOrder,
  nth_order: nthOrder,
  channel,
  region,
  payment_method: paymentMethod,
  custom_attribute: customAttribute,
  sale_items: saleItems,
  stackability,
  cel,
};

/** The parts of one rule. Throws `UncompilableError` with a path that starts at the rule's kind (`cel.expression`). */
export function compileRule(rule: Rule, vocabulary: Vocabulary): RuleParts {
  return compileKind(rule.kind, rule, vocabulary);
}

function compileKind<Kind extends RuleKind>(
  kind: Kind,
  rule: RuleOf<Kind>,
  vocabulary: Vocabulary,
): RuleParts {
  return COMPILERS[kind].compile(rule, vocabulary);
}
