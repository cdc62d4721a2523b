import type { CartSummary } from '../../domain/cart.ts';
import { BASIS_POINTS } from '../../domain/money.ts';
import type { Effect, EffectOf } from '../../domain/promotion.ts';

/** As many lines as a cart is thought to have when neither their number nor more items are known. */
const ASSUMED_LINES = 100;

/** Whether what the effect gives depends on single lines, whatever the total is. */
export function looksAtLines(effect: Effect): boolean {
  switch (effect.kind) {
    case 'percent_off':
      return effect.unitCap !== undefined;
    case 'tiered_off':
      return effect.thresholdKind === 'quantity';
    case 'gift_items':
      return effect.placement === 'discount_in_cart' || dependsOnDearest(effect);
    case 'buy_x_get_y':
    case 'fixed_price':
      return true;
    case 'fixed_amount_off':
    case 'no_threshold_voucher':
    case 'every_amount_off':
    case 'shipping_off':
    case 'free_shipping':
    case 'bonus_points':
    case 'points_multiplier':
      return false;
  }
}

/** Whether prices, which may be known from lines only, decide how many units are given. */
function dependsOnDearest({ items, onlyDearest }: EffectOf<'gift_items'>): boolean {
  return onlyDearest && items.some(({ quantity }) => quantity !== items[0]?.quantity);
}

/**
 * Whether the total can be made of lines that are each so cheap that their share rounds to nothing: a percentage is rounded on
 * each line, so the coupon then gives nothing although it would of one line that costs as much.
 */
export function mayRoundAway(effect: Effect, { totalMinor, lineCount, itemIds }: CartSummary): boolean {
  const basisPoints = percentOf(effect, totalMinor);
  if (basisPoints === undefined) return false;
  const mostOfNothingMinor = Math.ceil(BASIS_POINTS / 2 / basisPoints) - 1;
  return totalMinor <= (lineCount ?? Math.max(ASSUMED_LINES, itemIds?.size ?? 0)) * mostOfNothingMinor;
}

function percentOf(effect: Effect, spendMinor: number): number | undefined {
  if (effect.kind === 'percent_off') return effect.basisPoints;
  if (effect.kind !== 'tiered_off' || effect.thresholdKind !== 'spend') return undefined;
  const off = effect.tiers.findLast(({ threshold }) => threshold <= spendMinor)?.off;
  return off?.kind === 'percent' ? off.basisPoints : undefined;
}
