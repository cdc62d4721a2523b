import type { RejectionReason } from '../domain/decision.ts';
import type { ItemSelection, MatchMode } from '../domain/promotion.ts';
import type { PreparedCart } from './prepared-cart.ts';
import type { RuleCheck } from './rule-parts.ts';
import { isPresent, type SelectionKeys } from './selection.ts';

/** Holds when the cart has any, or every one, of some items and categories; otherwise names the first that is missing. */
export function presenceCheck(
  selection: ItemSelection,
  keys: SelectionKeys,
  match: MatchMode,
  reason: RejectionReason,
): RuleCheck {
  return ({ cart }) => {
    if (isPresent(keys, match, cart)) return undefined;
    const needed = firstMissing(selection, cart);
    return needed === undefined ? { reason } : { reason, needed };
  };
}

/** Looked up by id, which is slow and only done for a failure. */
function firstMissing({ itemIds, categoryIds }: ItemSelection, { lines }: PreparedCart): string | undefined {
  const items = new Set(lines.map(({ itemId }) => itemId));
  const missing = itemIds.find((id) => !items.has(id));
  if (missing !== undefined) return missing;
  const categories = new Set(lines.flatMap((line) => line.categoryIds));
  return categoryIds.find((id) => !categories.has(id));
}
