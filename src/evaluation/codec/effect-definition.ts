import type {
  Effect,
  PercentBase,
  ThresholdBasis,
  Tier,
  UnitCap,
  UnitChoice,
} from '../../domain/promotion.ts';
import {
  type BuyXGetY,
  type DiscountTier,
  type FixedPrice,
  type GiftItems,
  GiftPlacement,
  type Effect as Message,
  PercentBase as PercentBaseMessage,
  type PercentOff,
  ThresholdBasis as ThresholdBasisMessage,
  type TieredOff,
  UnitCapBasis,
  type UnitCap as UnitCapMessage,
  UnitChoice as UnitChoiceMessage,
} from '../../gen/hongbao/v1/effect_pb.ts';
import { itemSelection } from './item-selection.ts';
import { nameOf, safeNumber, UNKNOWN_KIND, UnreadableError } from './unreadable.ts';

const PERCENT_BASES = new Map<number, PercentBase>([
  [PercentBaseMessage.UNSPECIFIED, 'remaining'],
  [PercentBaseMessage.REMAINING, 'remaining'],
  [PercentBaseMessage.ORIGINAL, 'original'],
]);

const THRESHOLD_BASES = new Map<number, ThresholdBasis>([
  [ThresholdBasisMessage.UNSPECIFIED, 'before'],
  [ThresholdBasisMessage.BEFORE_DISCOUNTS, 'before'],
  [ThresholdBasisMessage.AFTER_DISCOUNTS, 'after'],
]);

const UNIT_CHOICES = new Map<number, UnitChoice>([
  [UnitChoiceMessage.UNSPECIFIED, 'cheapest'],
  [UnitChoiceMessage.CHEAPEST, 'cheapest'],
  [UnitChoiceMessage.DEAREST, 'dearest'],
]);

const CAP_BASES = new Map<number, UnitCap['basis']>([
  [UnitCapBasis.UNSPECIFIED, 'cart'],
  [UnitCapBasis.PER_CART, 'cart'],
  [UnitCapBasis.PER_LINE, 'line'],
]);

const PLACEMENTS = new Map<number, 'added_line' | 'discount_in_cart'>([
  [GiftPlacement.UNSPECIFIED, 'added_line'],
  [GiftPlacement.ADDED_LINE, 'added_line'],
  [GiftPlacement.DISCOUNT_IN_CART, 'discount_in_cart'],
]);

/** The subtotal a threshold is compared with. Throws UnreadableError. */
export function thresholdBasis(value: ThresholdBasisMessage, field: string): ThresholdBasis {
  return nameOf(THRESHOLD_BASES, value, field);
}

/** The effect in plain types, defaults filled in. Throws UnreadableError with a path inside the effect. */
export function effectDefinition({ kind, unitCap }: Message): Effect {
  switch (kind.case) {
    case 'fixedAmountOff':
      return { kind: 'fixed_amount_off', amountMinor: amount(kind.value, 'fixed_amount_off') };
    case 'percentOff':
      return percentOff(kind.value, unitCap);
    case 'giftItems':
      return giftItems(kind.value);
    case 'shippingOff':
      return { kind: 'shipping_off', amountMinor: amount(kind.value, 'shipping_off') };
    case 'freeShipping':
      return { kind: 'free_shipping', ...ceiling(kind.value.maxOffMinor, 'free_shipping') };
    case 'noThresholdVoucher':
      return { kind: 'no_threshold_voucher', amountMinor: amount(kind.value, 'no_threshold_voucher') };
    case 'tieredOff':
      return tieredOff(kind.value);
    case 'everyAmountOff':
      return {
        kind: 'every_amount_off',
        everyMinor: safeNumber(kind.value.everyMinor, 'every_amount_off.every_minor'),
        amountMinor: safeNumber(kind.value.amountOffMinor, 'every_amount_off.amount_off_minor'),
        maxTimes: kind.value.maxTimes,
        thresholdBasis: thresholdBasis(kind.value.thresholdBasis, 'every_amount_off.threshold_basis'),
      };
    case 'buyXGetY':
      return buyXGetY(kind.value);
    case 'fixedPrice':
      return fixedPrice(kind.value, unitCap);
    case 'bonusPoints':
      return { kind: 'bonus_points', points: safeNumber(kind.value.points, 'bonus_points.points') };
    case 'pointsMultiplier': {
      const { multiplierBasisPoints, maxBonusPoints: most } = kind.value;
      const field = 'points_multiplier.max_bonus_points';
      return {
        kind: 'points_multiplier',
        multiplierBasisPoints,
        ...(most !== undefined && { maxBonusPoints: safeNumber(most, field) }),
      };
    }
    case undefined:
      throw new UnreadableError('kind', UNKNOWN_KIND);
  }
}

function amount({ amountMinor }: { readonly amountMinor: bigint }, kind: string): number {
  return safeNumber(amountMinor, `${kind}.amount_minor`);
}

function ceiling(maxOffMinor: bigint | undefined, kind: string): { readonly maxOffMinor?: number } {
  return maxOffMinor === undefined ? {} : { maxOffMinor: safeNumber(maxOffMinor, `${kind}.max_off_minor`) };
}

function cap(message: UnitCapMessage | undefined): { readonly unitCap?: UnitCap } {
  if (message === undefined) return {};
  const { maxUnits, basis, choice } = message;
  return {
    unitCap: {
      maxUnits,
      basis: nameOf(CAP_BASES, basis, 'unit_cap.basis'),
      choice: nameOf(UNIT_CHOICES, choice, 'unit_cap.choice'),
    },
  };
}

function percentOff(message: PercentOff, unitCap: UnitCapMessage | undefined): Effect {
  return {
    kind: 'percent_off',
    basisPoints: message.discountBasisPoints,
    ...ceiling(message.maxOffMinor, 'percent_off'),
    base: nameOf(PERCENT_BASES, message.base, 'percent_off.base'),
    ...cap(unitCap),
  };
}

function fixedPrice({ priceMinor, bundleUnits }: FixedPrice, unitCap: UnitCapMessage | undefined): Effect {
  return {
    kind: 'fixed_price',
    priceMinor: safeNumber(priceMinor, 'fixed_price.price_minor'),
    ...(bundleUnits !== undefined && { bundleUnits }),
    ...cap(unitCap),
  };
}

/** The stock of a gift is no part of what a promotion gives. */
function giftItems({ items, placement, onlyDearest }: GiftItems): Effect {
  return {
    kind: 'gift_items',
    items: items.map(({ itemId, quantity }) => ({ itemId, quantity })),
    placement: nameOf(PLACEMENTS, placement, 'gift_items.placement'),
    onlyDearest,
  };
}

function tieredOff(message: TieredOff): Effect {
  const tiers = message.tiers.map((tier, index) => discountTier(tier, `tiered_off.tiers[${index}]`));
  const thresholdKind = message.tiers[0]?.threshold.case === 'quantity' ? 'quantity' : 'spend';
  const other = message.tiers.findIndex(
    (tier) => (tier.threshold.case === 'quantity') !== (thresholdKind === 'quantity'),
  );
  if (other !== -1) throw new UnreadableError(`tiered_off.tiers[${other}].threshold`, 'is of another sort');
  return {
    kind: 'tiered_off',
    thresholdKind,
    tiers,
    ...ceiling(message.maxOffMinor, 'tiered_off'),
    base: nameOf(PERCENT_BASES, message.base, 'tiered_off.base'),
    thresholdBasis: thresholdBasis(message.thresholdBasis, 'tiered_off.threshold_basis'),
  };
}

function discountTier({ threshold, off }: DiscountTier, field: string): Tier {
  if (threshold.case === undefined) throw new UnreadableError(`${field}.threshold`, 'is missing');
  if (off.case === undefined) throw new UnreadableError(`${field}.off`, 'is missing');
  return {
    threshold:
      threshold.case === 'quantity' ? threshold.value : safeNumber(threshold.value, `${field}.spend_minor`),
    off:
      off.case === 'discountBasisPoints'
        ? { kind: 'percent', basisPoints: off.value }
        : { kind: 'amount', amountMinor: safeNumber(off.value, `${field}.amount_off_minor`) },
  };
}

function buyXGetY({ buy, get, ...message }: BuyXGetY): Effect {
  return {
    kind: 'buy_x_get_y',
    buyQuantity: message.buyQuantity,
    getQuantity: message.getQuantity,
    basisPoints: message.discountBasisPoints,
    maxGroups: message.maxGroups,
    ...(buy && { buy: itemSelection(buy) }),
    ...(get && { get: itemSelection(get) }),
    rewardChoice: nameOf(UNIT_CHOICES, message.rewardChoice, 'buy_x_get_y.reward_choice'),
  };
}
