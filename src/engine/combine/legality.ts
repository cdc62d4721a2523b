/** Which candidates may be used together. */
import type { Candidate } from '../candidate.ts';
import { compareByPriority } from './application-order.ts';

/** Whether two candidates may be used together: only if both sides allow it. */
export function isPairLegal(left: Candidate, right: Candidate): boolean {
  const [one, other] = [left.promotion, right.promotion];
  if (one.stacking.isAlone || other.stacking.isAlone) return false;
  if (one.stacking.excludedKinds.has(other.effect.kind)) return false;
  if (other.stacking.excludedKinds.has(one.effect.kind)) return false;
  return one.stacking.exclusiveGroups.isDisjointFrom(other.stacking.exclusiveGroups);
}

/** Whether a candidate is particular about its company; two that are not always combine. */
export function isChoosy({ promotion: { stacking } }: Candidate): boolean {
  return stacking.isAlone || stacking.excludedKinds.size > 0 || stacking.exclusiveGroups.size > 0;
}

/** A candidate that another one removed before the search. */
export interface Outranked {
  readonly candidate: Candidate;
  readonly by: Candidate;
}

/**
 * Lets the candidates that win by priority remove what ranks lower and cannot go with them, the highest first; one that is
 * removed itself removes nothing.
 */
export function removeOutranked(usable: readonly Candidate[]): {
  staying: Candidate[];
  removed: Outranked[];
} {
  if (!usable.some(({ promotion }) => promotion.stacking.isFirstByPriority)) {
    return { staying: [...usable], removed: [] };
  }
  const ranked = usable.toSorted(compareByPriority);
  const removed = new Map<Candidate, Outranked>();
  for (const [rank, by] of ranked.entries()) {
    if (!by.promotion.stacking.isFirstByPriority || removed.has(by)) continue;
    for (const candidate of ranked.slice(rank + 1)) {
      if (!removed.has(candidate) && !isPairLegal(by, candidate)) removed.set(candidate, { candidate, by });
    }
  }
  return { staying: usable.filter((each) => !removed.has(each)), removed: [...removed.values()] };
}
