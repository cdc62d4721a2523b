import { hasTag, type UserFacts } from '../../domain/cart.ts';
import type { Failure } from '../../domain/decision.ts';
import { MS_PER_DAY } from '../../domain/durations.ts';
import type { Audience } from '../../domain/promotion.ts';

/** Why the user is not among those a promotion is for; undefined when the user is. */
export function checkAudience(audience: Audience, facts: UserFacts, atMs: number): Failure | undefined {
  switch (audience.kind) {
    case 'everyone':
      return undefined;
    case 'new_users':
      return checkNewUser(audience.registeredWithinDays, facts, atMs);
    case 'tagged_users':
      return checkTags(audience.anyOf, facts);
  }
}

function checkNewUser(withinDays: number | undefined, facts: UserFacts, atMs: number): Failure | undefined {
  const { ordersCompleted, registeredAtMs } = facts;
  if (ordersCompleted === undefined) return { reason: 'FACT_MISSING', needed: 'orders_completed' };
  if (ordersCompleted > 0) return { reason: 'USER_NOT_TARGETED', needed: 0, seen: ordersCompleted };
  if (withinDays === undefined) return undefined;
  if (registeredAtMs === undefined) return { reason: 'FACT_MISSING', needed: 'registered_at' };
  if (atMs - registeredAtMs < withinDays * MS_PER_DAY) return undefined;
  const days = Math.floor((atMs - registeredAtMs) / MS_PER_DAY);
  return { reason: 'USER_NOT_TARGETED', needed: withinDays, seen: days };
}

function checkTags(anyOf: readonly string[], facts: UserFacts): Failure | undefined {
  if (anyOf.some((tag) => hasTag(facts, tag))) return undefined;
  return facts.tags === undefined
    ? { reason: 'FACT_MISSING', needed: 'tags' }
    : { reason: 'USER_NOT_TARGETED' };
}
