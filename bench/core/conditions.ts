/**
 * What must hold for a promotion to match, in a form every engine can be given: the common ground on which engines are compared. It
 * is read from the same definitions that ours gets. What it cannot say is refused, so no engine is asked an easier question.
 */
import type { ItemSelection, PromotionDefinition, Rule } from '../../src/domain/promotion.ts';

/** One condition; all of a promotion must hold. Amounts in minor units, times in epoch milliseconds, both valid. */
export type Condition =
  | { readonly kind: 'window'; readonly startsAtMs?: number; readonly endsAtMs?: number }
  | { readonly kind: 'tags'; readonly anyOf: readonly string[] }
  | { readonly kind: 'channel'; readonly anyOf: readonly string[] }
  /** Something with one of these keys is in the cart; see {@link itemKey}. */
  | { readonly kind: 'present'; readonly anyOf: readonly string[] }
  /** The subtotal, or with a key that of its lines, is at least this. */
  | { readonly kind: 'spend'; readonly amountMinor: number; readonly key?: string };

/** A promotion as other engines know it. */
export interface ConditionSet {
  readonly promotionId: string;
  readonly conditions: readonly Condition[];
}

/** The key of an item, and of a category: one namespace for both, as selections name both. */
export function itemKey(itemId: string): string {
  return `item:${itemId}`;
}

/** See {@link itemKey}. */
export function categoryKey(categoryId: string): string {
  return `category:${categoryId}`;
}

/** The conditions of a promotion; throws when it has any that cannot be said. */
export function conditionsOf(promotion: PromotionDefinition): ConditionSet {
  if (promotion.reach.kind !== 'automatic' || promotion.isUseSuspended || !promotion.isActive) {
    throw new Error(`${promotion.id} does not apply by itself`);
  }
  const keys = scopeKeys(promotion);
  return {
    promotionId: promotion.id,
    conditions: [
      ...windowOf(promotion),
      ...audienceOf(promotion),
      ...(keys === undefined ? [] : [{ kind: 'present' as const, anyOf: keys }]),
      ...promotion.rules.flatMap((rule) => conditionOf(promotion.id, rule, keys)),
    ],
  };
}

function windowOf({ startsAtMs, endsAtMs }: PromotionDefinition): Condition[] {
  if (startsAtMs === undefined && endsAtMs === undefined) return [];
  return [
    {
      kind: 'window',
      ...(startsAtMs === undefined ? {} : { startsAtMs }),
      ...(endsAtMs === undefined ? {} : { endsAtMs }),
    },
  ];
}

function audienceOf({ id, audience }: PromotionDefinition): Condition[] {
  if (audience.kind === 'everyone') return [];
  if (audience.kind === 'tagged_users') return [{ kind: 'tags', anyOf: audience.anyOf }];
  throw new Error(`${id}: audience ${audience.kind} is not part of the comparison`);
}

function scopeKeys({ rules }: PromotionDefinition): string[] | undefined {
  const rule = rules.find(({ kind }) => kind === 'item_discount_scope');
  return rule?.kind === 'item_discount_scope' ? keysOf(rule.selection) : undefined;
}

function keysOf({ itemIds, categoryIds }: ItemSelection): string[] {
  return [...itemIds.map(itemKey), ...categoryIds.map(categoryKey)];
}

function conditionOf(promotionId: string, rule: Rule, scope: readonly string[] | undefined): Condition[] {
  switch (rule.kind) {
    case 'item_discount_scope':
    case 'stackability':
      return [];
    case 'channel':
      return [{ kind: 'channel', anyOf: rule.channels }];
    case 'item_eligibility':
      return [{ kind: 'present', anyOf: keysOf(rule.selection) }];
    case 'minimum_spend':
      return [spendCondition(promotionId, rule.amountMinor, scope)];
    default:
      throw new Error(`${promotionId}: rule ${rule.kind} is not part of the comparison`);
  }
}

function spendCondition(
  promotionId: string,
  amountMinor: number,
  scope: readonly string[] | undefined,
): Condition {
  const [key, ...others] = scope ?? [];
  if (key === undefined) return { kind: 'spend', amountMinor };
  if (others.length > 0) throw new Error(`${promotionId}: a threshold needs a scope of one item or category`);
  return { kind: 'spend', amountMinor, key };
}
