import type { Failure } from '../../domain/decision.ts';
import { type LiveLimit, usesLeft } from '../../domain/live-limit.ts';

/** Why a promotion can be used no more; undefined when its limits, as far as they are known, leave something. */
export function checkLimits(limit: LiveLimit | undefined): Failure | undefined {
  if (limit === undefined) return undefined;
  const { uses, userUses, budget } = limit;
  if (uses !== undefined && usesLeft(uses) === 0) {
    return { reason: 'USES_EXHAUSTED', needed: uses.allowed, seen: uses.seen };
  }
  if (userUses !== undefined && usesLeft(userUses) === 0) {
    return { reason: 'USER_USES_EXHAUSTED', needed: userUses.allowed, seen: userUses.seen };
  }
  if (budget === undefined || budget.leftMinor > 0) return undefined;
  return { reason: 'BUDGET_EXHAUSTED', needed: budget.amountMinor, seen: 0 };
}
