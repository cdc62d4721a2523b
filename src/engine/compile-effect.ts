import type { Effect, EffectKind, EffectOf } from '../domain/promotion.ts';
import type { CompiledEffect, EffectCompiler } from './effect-parts.ts';
import { bonusPoints } from './effects/bonus-points.ts';
import { buyXGetY } from './effects/buy-x-get-y.ts';
import { everyAmountOff } from './effects/every-amount-off.ts';
import { fixedAmountOff } from './effects/fixed-amount-off.ts';
import { fixedPrice } from './effects/fixed-price.ts';
import { freeShipping } from './effects/free-shipping.ts';
import { giftItems } from './effects/gift-items.ts';
import { noThresholdVoucher } from './effects/no-threshold-voucher.ts';
import { percentOff } from './effects/percent-off.ts';
import { pointsMultiplier } from './effects/points-multiplier.ts';
import { shippingOff } from './effects/shipping-off.ts';
import { tieredOff } from './effects/tiered-off.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Every kind of effect the contract has; a kind without its compiler does not pass the type check. */
const COMPILERS: { readonly [Kind in EffectKind]: EffectCompiler<Kind> } = {
  fixed_amount_off: fixedAmountOff,
  percent_off: percentOff,
  gift_items: giftItems,
  shipping_off: shippingOff,
  free_shipping: freeShipping,
  no_threshold_voucher: noThresholdVoucher,
  tiered_off: tieredOff,
  every_amount_off: everyAmountOff,
  buy_x_get_y: buyXGetY,
  fixed_price: fixedPrice,
  bonus_points: bonusPoints,
  points_multiplier: pointsMultiplier,
};

/** Compiles what a promotion gives. Throws `UncompilableError` with a path inside the effect. */
export function compileEffect(effect: Effect, vocabulary: Vocabulary): CompiledEffect {
  return compileKind(effect.kind, effect, vocabulary);
}

function compileKind<Kind extends EffectKind>(
  kind: Kind,
  effect: EffectOf<Kind>,
  vocabulary: Vocabulary,
): CompiledEffect {
  return COMPILERS[kind].compile(effect, vocabulary);
}
