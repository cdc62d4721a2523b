/**
 * A promotion as the engine reads it: the contract's message in plain, narrow types with every default filled in. Amounts
 * are integer minor units of `currency`, percentages basis points OFF, times epoch milliseconds, both ends valid.
 */

/** Items and categories; a line is in it when its item or one of its categories is listed. */
export interface ItemSelection {
  readonly itemIds: readonly string[];
  readonly categoryIds: readonly string[];
}

/** How many of the listed items and categories a cart must have. */
export type MatchMode = 'any' | 'all';

/** Which subtotal a threshold is compared with: before other discounts, or after those that go first. */
export type ThresholdBasis = 'before' | 'after';

/** Which of several eligible units come first. */
export type UnitChoice = 'cheapest' | 'dearest';

/** A span of wall-clock minutes after midnight; start in, end out; an end at or before the start is on the next day. */
export interface TimeSlot {
  readonly startMinute: number;
  readonly endMinute: number;
}

/** What a custom attribute must be. */
export type AttributeCondition =
  | { readonly kind: 'one_of'; readonly values: readonly string[] }
  | { readonly kind: 'none_of'; readonly values: readonly string[] }
  | { readonly kind: 'in_range'; readonly atLeast?: number; readonly atMost?: number }
  | { readonly kind: 'equals'; readonly value: boolean };

/** One condition of a promotion; `kind` is the contract's field name. */
export type Rule =
  | { readonly kind: 'minimum_spend'; readonly amountMinor: number; readonly basis: ThresholdBasis }
  | { readonly kind: 'item_eligibility'; readonly selection: ItemSelection; readonly match: MatchMode }
  | { readonly kind: 'exclusion'; readonly selection: ItemSelection; readonly presenceRefuses: boolean }
  | { readonly kind: 'item_discount_scope'; readonly selection: ItemSelection }
  | { readonly kind: 'conditional_gift_item'; readonly selection: ItemSelection; readonly match: MatchMode }
  | { readonly kind: 'spend_for_gift'; readonly amountMinor: number }
  | {
      readonly kind: 'time_slot';
      readonly slots: readonly TimeSlot[];
      /** 1 = Monday … 7 = Sunday; empty = every day. */
      readonly days: readonly number[];
      readonly timeZone: string;
    }
  | { readonly kind: 'quantity_threshold'; readonly minQuantity: number }
  | { readonly kind: 'first_order' }
  | { readonly kind: 'nth_order'; readonly nth: number; readonly repeats: boolean }
  | { readonly kind: 'channel'; readonly channels: readonly string[] }
  | { readonly kind: 'region'; readonly regions: readonly string[] }
  | { readonly kind: 'payment_method'; readonly paymentMethods: readonly string[] }
  | {
      readonly kind: 'custom_attribute';
      readonly attribute: string;
      readonly source: 'cart' | 'user';
      readonly condition: AttributeCondition;
    }
  | { readonly kind: 'sale_items'; readonly handling: 'count' | 'excluded' | 'refuse' }
  | {
      readonly kind: 'stackability';
      readonly mode: 'combines' | 'alone';
      readonly excludedKinds: readonly EffectKind[];
      readonly exclusiveGroups: readonly string[];
      readonly choice: 'best_saving' | 'first_by_priority';
    }
  | { readonly kind: 'cel'; readonly expression: string };

/** The kinds of rule. */
export type RuleKind = Rule['kind'];

/** The rule of one kind. */
export type RuleOf<Kind extends RuleKind> = Extract<Rule, { kind: Kind }>;

/** What a tier takes off. */
export type TierOff =
  | { readonly kind: 'amount'; readonly amountMinor: number }
  | { readonly kind: 'percent'; readonly basisPoints: number };

/** One tier; thresholds of a promotion are all spend or all quantity, in rising order. */
export interface Tier {
  readonly threshold: number;
  readonly off: TierOff;
}

/** What percentages are taken from. */
export type PercentBase = 'remaining' | 'original';

/** Which units an effect takes at most. */
export interface UnitCap {
  readonly maxUnits: number;
  readonly basis: 'cart' | 'line';
  readonly choice: UnitChoice;
}

/** One item given for free. */
export interface GiftItem {
  readonly itemId: string;
  readonly quantity: number;
}

/** What a promotion gives; `kind` is the contract's field name. */
export type Effect =
  | { readonly kind: 'fixed_amount_off'; readonly amountMinor: number }
  | {
      readonly kind: 'percent_off';
      readonly basisPoints: number;
      readonly maxOffMinor?: number;
      readonly base: PercentBase;
      readonly unitCap?: UnitCap;
    }
  | {
      readonly kind: 'gift_items';
      readonly items: readonly GiftItem[];
      readonly placement: 'added_line' | 'discount_in_cart';
      readonly onlyDearest: boolean;
    }
  | { readonly kind: 'shipping_off'; readonly amountMinor: number }
  | { readonly kind: 'free_shipping'; readonly maxOffMinor?: number }
  | { readonly kind: 'no_threshold_voucher'; readonly amountMinor: number }
  | {
      readonly kind: 'tiered_off';
      readonly thresholdKind: 'spend' | 'quantity';
      readonly tiers: readonly Tier[];
      readonly maxOffMinor?: number;
      readonly base: PercentBase;
      readonly thresholdBasis: ThresholdBasis;
    }
  | {
      readonly kind: 'every_amount_off';
      readonly everyMinor: number;
      readonly amountMinor: number;
      readonly maxTimes: number;
      readonly thresholdBasis: ThresholdBasis;
    }
  | {
      readonly kind: 'buy_x_get_y';
      readonly buyQuantity: number;
      readonly getQuantity: number;
      readonly basisPoints: number;
      readonly maxGroups: number;
      /** Absent: any line in the scope. */
      readonly buy?: ItemSelection;
      /** Absent: the same as is bought. */
      readonly get?: ItemSelection;
      readonly rewardChoice: UnitChoice;
    }
  | {
      readonly kind: 'fixed_price';
      readonly priceMinor: number;
      readonly bundleUnits?: number;
      readonly unitCap?: UnitCap;
    }
  | { readonly kind: 'bonus_points'; readonly points: number }
  | {
      readonly kind: 'points_multiplier';
      readonly multiplierBasisPoints: number;
      readonly maxBonusPoints?: number;
    };

/** The kinds of effect. */
export type EffectKind = Effect['kind'];

/** The effect of one kind. */
export type EffectOf<Kind extends EffectKind> = Extract<Effect, { kind: Kind }>;

/** For whom a promotion is. */
export type Audience =
  | { readonly kind: 'everyone' }
  | { readonly kind: 'new_users'; readonly registeredWithinDays?: number }
  | { readonly kind: 'tagged_users'; readonly anyOf: readonly string[] };

/** How a promotion gets to people. Public codes are in lower case. */
export type ReachWay =
  | { readonly kind: 'automatic' }
  | { readonly kind: 'claimable' }
  | { readonly kind: 'public_code'; readonly code: string }
  | { readonly kind: 'single_use_codes' }
  | { readonly kind: 'points_exchange' }
  | { readonly kind: 'granted' };

/** One version of a promotion. */
export interface PromotionDefinition {
  readonly ref: number;
  readonly id: string;
  readonly version: number;
  /** Active, and not deleted or finished: it applies by itself or by its public code. Issued coupons do not ask. */
  readonly isActive: boolean;
  readonly isUseSuspended: boolean;
  readonly currency: string;
  readonly priority: number;
  readonly effect: Effect;
  readonly rules: readonly Rule[];
  readonly reach: ReachWay;
  readonly audience: Audience;
  readonly checkAudienceAtUse: boolean;
  /** The use window of automatic and code promotions; coupons carry their own. Both ends valid. */
  readonly startsAtMs?: number;
  readonly endsAtMs?: number;
  readonly budget?: { readonly amountMinor: number; readonly shortfall: 'refuse' | 'cut' };
}
