import type { Gift } from '../../../src/domain/decision.ts';
import type { EffectOf, GiftItem } from '../../../src/domain/promotion.ts';
import { leftAt, lineAt, nothing, type Outcome, offLines, type Turn } from './effect-turn.ts';
import { firstUnits } from './exact-money.ts';

/** Items for free: added to the order, or taken off where they are in the cart already. */
export function applyGiftItems(effect: EffectOf<'gift_items'>, turn: Turn): Outcome {
  const available = effect.items.filter(({ itemId }) => turn.cart.offers.get(itemId)?.isAvailable !== false);
  const dearest = dearestOf(available, turn);
  if (dearest === undefined) return { failure: { reason: 'GIFT_UNAVAILABLE' } };
  const items = effect.onlyDearest ? [dearest] : available;
  if (effect.placement === 'added_line') return { given: { ...nothing(turn), gifts: items.map(giftOf) } };
  return { given: offInCart(items, turn) };
}

function giftOf({ itemId, quantity }: GiftItem): Gift {
  return { itemId, quantity };
}

/** The item of the highest price, the first listed of several. */
function dearestOf(items: readonly GiftItem[], turn: Turn): GiftItem | undefined {
  const highest = Math.max(...items.map((item) => priceOf(item, turn)));
  return items.find((item) => priceOf(item, turn) === highest);
}

function priceOf({ itemId }: GiftItem, { cart }: Turn): number {
  const inCart = cart.cart.lines.filter((line) => line.itemId === itemId).map((line) => line.unitPriceMinor);
  return cart.offers.get(itemId)?.unitPriceMinor ?? Math.max(0, ...inCart);
}

function offInCart(items: readonly GiftItem[], turn: Turn) {
  const offs = new Map<number, bigint>();
  const sharing = new Map<number, number>();
  const gifts: Gift[] = [];
  for (const { itemId, quantity } of items) {
    let missing = quantity;
    for (const place of turn.eligible.filter((at) => lineAt(turn, at).itemId === itemId)) {
      const { units } = lineAt(turn, place);
      const taken = Math.min(units, missing);
      missing -= taken;
      offs.set(place, firstUnits(leftAt(turn, place), units, taken));
      sharing.set(place, taken);
    }
    if (missing > 0) gifts.push({ itemId, quantity: missing });
  }
  return { ...offLines(turn, offs, sharing), gifts };
}
