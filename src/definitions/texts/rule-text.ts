import type { ItemSelection } from '../../gen/hongbao/v1/effect_pb.ts';
import {
  type CustomAttributeRule,
  type ItemEligibilityRule,
  MatchMode,
  type NthOrderRule,
  type Rule,
  SaleItemHandling,
  type StackabilityRule,
  StackingMode,
} from '../../gen/hongbao/v1/rule_pb.ts';
import { effectKindText } from './effect-kind-text.ts';
import { moneyText } from './money-text.ts';
import { counted, listText, ordinal, type Text } from './text.ts';
import { timeSlotText } from './time-text.ts';

/** What people read as the condition a rule sets; undefined when the rule asks nothing of them. */
export function ruleText({ kind }: Rule, currency: string): Text | undefined {
  switch (kind.case) {
    case 'minimumSpend':
      return spendText(kind.value.amountMinor, currency);
    case 'itemEligibility':
      return requiredText(kind.value);
    case 'exclusion':
      return kind.value.presenceRefuses
        ? selectionText(kind.value.selection, 'Not usable with', '购买以下商品时不可用')
        : selectionText(kind.value.selection, 'Does not count', '以下商品不参与');
    case 'itemDiscountScope':
      return selectionText(kind.value.selection, 'Only for', '仅限');
    case 'conditionalGiftItem':
      return requiredText({ selection: kind.value.requiredSelection, match: kind.value.match });
    case 'spendForGift':
      return wholeOrderText(kind.value.amountMinor, currency);
    case 'timeSlot':
      return timeSlotText(kind.value);
    case 'quantityThreshold':
      return quantityText(kind.value.minQuantity);
    case 'firstOrder':
      return { en: 'First order only', zh: '仅限首单' };
    case 'nthOrder':
      return nthOrderText(kind.value);
    case 'channel':
      return namedText(kind.value.channels, 'Only in', '仅限渠道');
    case 'region':
      return namedText(kind.value.regions, 'Only for orders to', '仅限地区');
    case 'paymentMethod':
      return namedText(kind.value.paymentMethods, 'Only when paid with', '仅限支付方式');
    case 'customAttribute':
      return attributeText(kind.value);
    case 'saleItems':
      return saleItemsText(kind.value.handling);
    case 'stackability':
      return stackabilityText(kind.value);
    case 'cel':
      return kind.value.conditionText && { en: kind.value.conditionText.en, zh: kind.value.conditionText.zh };
    case undefined:
      return undefined;
  }
}

function spendText(amountMinor: bigint, currency: string): Text {
  const amount = moneyText(amountMinor, currency);
  return { en: `Spend ${amount.en} or more`, zh: `满${amount.zh}可用` };
}

function wholeOrderText(amountMinor: bigint, currency: string): Text {
  const amount = moneyText(amountMinor, currency);
  return { en: `Spend ${amount.en} or more on the whole order`, zh: `整单满${amount.zh}可用` };
}

function quantityText(minimum: number): Text {
  return { en: `Buy ${counted(minimum, 'item')} or more`, zh: `满${minimum}件可用` };
}

function namedText(names: readonly string[], en: string, zh: string): Text {
  const list = listText(names);
  return { en: `${en} ${list.en}`, zh: `${zh}：${list.zh}` };
}

function selectionText(selection: ItemSelection | undefined, en: string, zh: string): Text {
  return namedText([...(selection?.itemIds ?? []), ...(selection?.categoryIds ?? [])], en, zh);
}

function requiredText({ selection, match }: Pick<ItemEligibilityRule, 'selection' | 'match'>): Text {
  return match === MatchMode.ALL
    ? selectionText(selection, 'Buy all of', '需同时购买')
    : selectionText(selection, 'Buy any of', '需购买以下任一');
}

function nthOrderText({ nth, repeats }: NthOrderRule): Text {
  return repeats
    ? { en: `Every ${ordinal(nth)} order`, zh: `每第${nth}单可用` }
    : { en: `Your ${ordinal(nth)} order`, zh: `第${nth}单可用` };
}

function saleItemsText(handling: SaleItemHandling): Text | undefined {
  switch (handling) {
    case SaleItemHandling.EXCLUDED:
      return { en: 'Sale items do not count', zh: '特价商品不参与' };
    case SaleItemHandling.REFUSE:
      return { en: 'Not usable with sale items', zh: '含特价商品时不可用' };
    default:
      return undefined;
  }
}

function stackabilityText({ mode, excludedKinds, exclusiveGroups }: StackabilityRule): Text | undefined {
  if (mode === StackingMode.ALONE) return { en: 'Cannot be combined', zh: '不可叠加使用' };
  if (excludedKinds.length > 0) {
    const kinds = excludedKinds.map(effectKindText);
    const en = listText(kinds.map((kind) => kind.en)).en;
    return { en: `Not together with ${en}`, zh: `不可与${listText(kinds.map((kind) => kind.zh)).zh}叠加` };
  }
  return exclusiveGroups.length > 0
    ? { en: 'One of its group per order', zh: '同组优惠每单限用一个' }
    : undefined;
}

function attributeText({ attribute, condition }: CustomAttributeRule): Text {
  switch (condition.case) {
    case 'oneOf':
      return namedText(condition.value.values, `${attribute}:`, attribute);
    case 'noneOf':
      return namedText(condition.value.values, `${attribute} is not`, `${attribute}不为`);
    case 'inRange': {
      const { atLeast, atMost } = condition.value;
      const range = `${atLeast ?? ''}–${atMost ?? ''}`;
      return { en: `${attribute}: ${range}`, zh: `${attribute}：${range}` };
    }
    case 'equals': {
      const value = condition.value ? { en: 'yes', zh: '是' } : { en: 'no', zh: '否' };
      return { en: `${attribute}: ${value.en}`, zh: `${attribute}：${value.zh}` };
    }
    case undefined:
      return { en: attribute, zh: attribute };
  }
}
