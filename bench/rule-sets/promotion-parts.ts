/** Small pieces that promotions of the benchmark are put together from. All amounts in minor units. */
import type {
  Audience,
  Effect,
  ItemSelection,
  PromotionDefinition,
  Rule,
} from '../../src/domain/promotion.ts';

/** The currency of everything. */
export const CURRENCY = 'CNY';

/** The moment all evaluations are for, in epoch milliseconds. */
export const AT_MS = Date.UTC(2027, 10, 11, 4);

/** What a promotion of the benchmark says; the rest is the same for all. */
export interface PromotionSketch {
  readonly effect: Effect;
  readonly rules?: readonly Rule[];
  readonly audience?: Audience;
  readonly priority?: number;
  readonly startsAtMs?: number;
  readonly endsAtMs?: number;
}

/** An active promotion that applies by itself. `ref` also makes its id. */
export function automaticPromotion(ref: number, sketch: PromotionSketch): PromotionDefinition {
  return {
    ref,
    id: `bench-rule-${String(ref).padStart(6, '0')}`,
    version: 1,
    isActive: true,
    isUseSuspended: false,
    currency: CURRENCY,
    priority: sketch.priority ?? 0,
    effect: sketch.effect,
    rules: sketch.rules ?? [],
    reach: { kind: 'automatic' },
    audience: sketch.audience ?? { kind: 'everyone' },
    checkAudienceAtUse: false,
    ...(sketch.startsAtMs === undefined ? {} : { startsAtMs: sketch.startsAtMs }),
    ...(sketch.endsAtMs === undefined ? {} : { endsAtMs: sketch.endsAtMs }),
  };
}

/** These items. */
export function items(...itemIds: readonly string[]): ItemSelection {
  return { itemIds, categoryIds: [] };
}

/** These categories. */
export function categories(...categoryIds: readonly string[]): ItemSelection {
  return { itemIds: [], categoryIds };
}

/** The lines the discount works on. */
export function scope(selection: ItemSelection): Rule {
  return { kind: 'item_discount_scope', selection };
}

/** A subtotal before other discounts, inside the scope when there is one. */
export function minimumSpend(amountMinor: number): Rule {
  return { kind: 'minimum_spend', amountMinor, basis: 'before' };
}

/** Something of this must be in the cart. */
export function requires(selection: ItemSelection): Rule {
  return { kind: 'item_eligibility', selection, match: 'any' };
}

/** Only on these sales channels. */
export function onChannels(...channels: readonly string[]): Rule {
  return { kind: 'channel', channels };
}

/** At most one promotion of this group per order. */
export function inGroup(group: string): Rule {
  return stackability({ exclusiveGroups: [group] });
}

/** With what it may be combined; by default with everything. */
export function stackability(parts: Partial<Extract<Rule, { kind: 'stackability' }>>): Rule {
  return {
    kind: 'stackability',
    mode: 'combines',
    excludedKinds: [],
    exclusiveGroups: [],
    choice: 'best_saving',
    ...parts,
  };
}

/** A share of what is left off. */
export function percentOff(basisPoints: number, maxOffMinor?: number): Effect {
  return {
    kind: 'percent_off',
    basisPoints,
    base: 'remaining',
    ...(maxOffMinor === undefined ? {} : { maxOffMinor }),
  };
}

/** A fixed amount off. */
export function amountOff(amountMinor: number): Effect {
  return { kind: 'fixed_amount_off', amountMinor };
}

/** For users with one of these tags. */
export function forTags(...anyOf: readonly string[]): Audience {
  return { kind: 'tagged_users', anyOf };
}
