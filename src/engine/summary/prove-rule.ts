import type { CartSummary } from '../../domain/cart.ts';
import type { Failure, RejectionReason } from '../../domain/decision.ts';
import type { ItemSelection, MatchMode, Rule } from '../../domain/promotion.ts';
import { fellShort } from '../fell-short.ts';

/** A rule that cannot be judged without the lines of the cart. */
export const NEEDS_LINES: Failure = { reason: 'NEEDS_LINES' };

/** What a summary proves about a rule: it holds, it fails, lines are needed, or the rule does not look at lines at all. */
export type Proof = 'holds' | 'no_lines_asked' | Failure;

/**
 * Judges a rule by what is known of the cart. Categories are never known, so a rule on categories needs lines unless an item
 * decides.
 *
 * @param isLineNeeded Whether the effect gives nothing without an eligible line; otherwise an empty scope refuses nothing.
 */
export function proveRule(rule: Rule, summary: CartSummary, isLineNeeded: boolean): Proof {
  switch (rule.kind) {
    case 'minimum_spend':
      return proveSpend(rule.amountMinor, 'MINIMUM_SPEND_NOT_MET', summary);
    case 'spend_for_gift':
      return proveSpend(rule.amountMinor, 'GIFT_CONDITION_NOT_MET', summary);
    case 'item_eligibility':
      return provePresence(rule.selection, rule.match, 'REQUIRED_ITEMS_MISSING', summary);
    case 'conditional_gift_item':
      return provePresence(rule.selection, rule.match, 'GIFT_CONDITION_NOT_MET', summary);
    case 'exclusion':
      return proveExclusion(rule.selection, rule.presenceRefuses, summary);
    case 'item_discount_scope':
      return isLineNeeded && !mayMatch(rule.selection, summary)
        ? { reason: 'NO_ELIGIBLE_LINE' }
        : NEEDS_LINES;
    case 'sale_items':
      return rule.handling === 'count' ? 'holds' : NEEDS_LINES;
    case 'quantity_threshold':
    case 'cel':
      return NEEDS_LINES;
    case 'time_slot':
    case 'first_order':
    case 'nth_order':
    case 'channel':
    case 'region':
    case 'payment_method':
    case 'custom_attribute':
    case 'stackability':
      return 'no_lines_asked';
  }
}

/** The subtotal of a scope is never more than the total, so a total below the amount proves the failure for every scope. */
function proveSpend(amountMinor: number, reason: RejectionReason, { totalMinor }: CartSummary): Proof {
  if (totalMinor >= amountMinor) return 'holds';
  return fellShort(reason, 'minor', amountMinor, totalMinor);
}

function provePresence(
  { itemIds, categoryIds }: ItemSelection,
  match: MatchMode,
  reason: RejectionReason,
  summary: CartSummary,
): Proof {
  const known = summary.itemIds;
  if (known === undefined) return NEEDS_LINES;
  const missing = itemIds.filter((id) => !known.has(id));
  if (match === 'any' && missing.length < itemIds.length) return 'holds';
  const isSurelyMissing = match === 'all' ? missing.length > 0 : categoryIds.length === 0;
  if (isSurelyMissing) return { reason, needed: missing[0] ?? '' };
  return categoryIds.length > 0 ? NEEDS_LINES : 'holds';
}

function proveExclusion(selection: ItemSelection, presenceRefuses: boolean, summary: CartSummary): Proof {
  const present = selection.itemIds.find((id) => summary.itemIds?.has(id));
  if (present !== undefined && presenceRefuses) return { reason: 'EXCLUDED_ITEM_PRESENT', seen: present };
  return mayMatch(selection, summary) ? NEEDS_LINES : 'holds';
}

function mayMatch({ itemIds, categoryIds }: ItemSelection, { itemIds: known }: CartSummary): boolean {
  return known === undefined || categoryIds.length > 0 || itemIds.some((id) => known.has(id));
}
