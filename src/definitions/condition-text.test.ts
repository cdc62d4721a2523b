import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { EffectKindSchema } from '../gen/hongbao/v1/effect_pb.ts';
import { PromotionSchema } from '../gen/hongbao/v1/promotion_pb.ts';
import { RuleSchema } from '../gen/hongbao/v1/rule_pb.ts';
import { conditionTexts } from './condition-text.ts';
import { effectKindText } from './texts/effect-kind-text.ts';

function textsOf(changes: JsonObject): [en: string[], zh: string[]] {
  const { en, zh } = conditionTexts(fromJson(PromotionSchema, { currency: 'CNY', ...changes }));
  return [en, zh];
}

function ruleTexts(rule: JsonObject, currency = 'CNY'): [en: string | undefined, zh: string | undefined] {
  const [en, zh] = textsOf({ currency, rules: [rule] });
  return [en[0], zh[0]];
}

const DUCK = { categoryIds: ['roast-duck'] };
const WEEKDAYS = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY'].map((day) => `DAY_OF_WEEK_${day}`);
const LUNCH = { startMinute: 660, endMinute: 840 };

const RULES: Readonly<Record<string, readonly [rule: JsonObject, en: string, zh: string]>> = {
  minimum_spend: [{ minimumSpend: { amountMinor: 10_000 } }, 'Spend CN¥100 or more', '满100可用'],
  item_eligibility: [
    { itemEligibility: { selection: { itemIds: ['a', 'b', 'c', 'd'] }, match: 'MATCH_MODE_ALL' } },
    'Buy all of a, b, c and 1 more',
    '需同时购买：a、b、c等4项',
  ],
  exclusion: [{ exclusion: { selection: DUCK } }, 'Does not count roast-duck', '以下商品不参与：roast-duck'],
  item_discount_scope: [
    { itemDiscountScope: { selection: DUCK } },
    'Only for roast-duck',
    '仅限：roast-duck',
  ],
  conditional_gift_item: [
    { conditionalGiftItem: { requiredSelection: DUCK } },
    'Buy any of roast-duck',
    '需购买以下任一：roast-duck',
  ],
  spend_for_gift: [
    { spendForGift: { amountMinor: 20_050 } },
    'Spend CN¥200.50 or more on the whole order',
    '整单满200.50可用',
  ],
  time_slot: [
    { timeSlot: { slots: [LUNCH], days: WEEKDAYS, timeZone: 'Asia/Shanghai' } },
    'Mon–Fri 11:00–14:00',
    '周一至周五 11:00–14:00',
  ],
  quantity_threshold: [{ quantityThreshold: { minQuantity: 3 } }, 'Buy 3 items or more', '满3件可用'],
  first_order: [{ firstOrder: {} }, 'First order only', '仅限首单'],
  nth_order: [{ nthOrder: { nth: 3, repeats: true } }, 'Every 3rd order', '每第3单可用'],
  channel: [{ channel: { channels: ['app', 'web'] } }, 'Only in app, web', '仅限渠道：app、web'],
  region: [{ region: { regions: ['CN-SH'] } }, 'Only for orders to CN-SH', '仅限地区：CN-SH'],
  payment_method: [
    { paymentMethod: { paymentMethods: ['wechat_pay'] } },
    'Only when paid with wechat_pay',
    '仅限支付方式：wechat_pay',
  ],
  custom_attribute: [
    { customAttribute: { attribute: 'table', oneOf: { values: ['window'] } } },
    'table: window',
    'table：window',
  ],
  sale_items: [
    { saleItems: { handling: 'SALE_ITEM_HANDLING_REFUSE' } },
    'Not usable with sale items',
    '含特价商品时不可用',
  ],
  stackability: [{ stackability: { mode: 'STACKING_MODE_ALONE' } }, 'Cannot be combined', '不可叠加使用'],
  cel: [
    { cel: { expression: 'true', conditionText: { en: 'On rainy days', zh: '雨天可用' } } },
    'On rainy days',
    '雨天可用',
  ],
};

// SPEC P4: conditions as generated text in English and Chinese.
describe('condition texts', () => {
  test('every kind of rule has its text here', () => {
    const kinds = RuleSchema.oneofs.find(({ name }) => name === 'kind')?.fields.map(({ name }) => name);
    expect(Object.keys(RULES)).toEqual(kinds);
  });

  test.each(Object.entries(RULES))('%s', (_, [rule, en, zh]) => {
    expect(ruleTexts(rule)).toEqual([en, zh]);
  });

  test('amounts are written in the currency of the promotion', () => {
    const rule = { minimumSpend: { amountMinor: 5050 } };
    expect(ruleTexts(rule, 'USD')).toEqual(['Spend $50.50 or more', '满50.50美元可用']);
    expect(ruleTexts(rule, 'JPY')).toEqual(['Spend ¥5,050 or more', '满5,050日元可用']);
  });

  test('two days stay apart, three make a span, midnight is 24:00', () => {
    const days = ['DAY_OF_WEEK_SUNDAY', 'DAY_OF_WEEK_SATURDAY'];
    expect(ruleTexts({ timeSlot: { days, timeZone: 'UTC' } })).toEqual(['Sat, Sun', '周六、周日']);
    const slots = [{ startMinute: 1320, endMinute: 1440 }, LUNCH];
    expect(ruleTexts({ timeSlot: { slots, timeZone: 'UTC' } })[0]).toBe('22:00–24:00, 11:00–14:00');
  });

  test('audience, validity and the missing threshold are told too', () => {
    const texts = textsOf({
      effect: { noThresholdVoucher: { amountMinor: 500 } },
      target: { newUsers: { registeredWithinDays: 1 } },
      validity: { daysAfterClaim: { days: 7 } },
    });
    expect(texts).toEqual([
      ['No minimum spend', 'New users only, within 1 day of registration', 'Valid for 7 days after claim'],
      ['无门槛', '仅限注册1天内的新用户', '领取后7天内有效'],
    ]);
  });

  test('every kind of effect can be named where another one excludes it', () => {
    const names = EffectKindSchema.values.map(({ number }) => effectKindText(number).zh);
    expect(new Set(names).size).toBe(EffectKindSchema.values.length);
  });
});
