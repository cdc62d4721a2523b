import { EffectKind } from '../../gen/hongbao/v1/effect_pb.ts';
import type { Text } from './text.ts';

const OTHERS: Text = { en: 'other promotions', zh: '其他优惠' };

/** A test holds this table to the contract: every kind has its words. */
const NAMES: ReadonlyMap<number, Text> = new Map<number, Text>([
  [EffectKind.FIXED_AMOUNT_OFF, { en: 'amounts off', zh: '满减券' }],
  [EffectKind.PERCENT_OFF, { en: 'percentages off', zh: '折扣券' }],
  [EffectKind.GIFT_ITEMS, { en: 'gifts', zh: '赠品券' }],
  [EffectKind.SHIPPING_OFF, { en: 'shipping discounts', zh: '运费券' }],
  [EffectKind.FREE_SHIPPING, { en: 'free shipping', zh: '免运费券' }],
  [EffectKind.NO_THRESHOLD_VOUCHER, { en: 'vouchers without a minimum', zh: '无门槛券' }],
  [EffectKind.TIERED_OFF, { en: 'tiered discounts', zh: '阶梯满减' }],
  [EffectKind.EVERY_AMOUNT_OFF, { en: 'amounts off for each amount spent', zh: '每满减' }],
  [EffectKind.BUY_X_GET_Y, { en: 'buy and get offers', zh: '买赠' }],
  [EffectKind.FIXED_PRICE, { en: 'fixed prices', zh: '一口价' }],
  [EffectKind.BONUS_POINTS, { en: 'bonus points', zh: '积分奖励' }],
  [EffectKind.POINTS_MULTIPLIER, { en: 'points multipliers', zh: '积分翻倍' }],
]);

/** A kind of effect, in words. */
export function effectKindText(kind: number): Text {
  return NAMES.get(kind) ?? OTHERS;
}
