/** Why a code cannot become a coupon of its promotion now, in the order of a claim (not found … not targeted). */
import { MS_PER_DAY } from '../domain/durations.ts';
import type { LiveDefinition, Target } from '../domain/live-definition.ts';
import { Refusal } from '../domain/refusal.ts';
import type { ClaimFacts } from '../ledger/claim-operation.ts';

/** The first reason against a claim by this user at this moment; undefined when there is none but stock and limits. */
export function refusalOfClaim(
  live: LiveDefinition,
  facts: ClaimFacts | undefined,
  nowMs: number,
): Refusal | undefined {
  const metadata = { promotion_id: live.id };
  if (live.state === 'deleted')
    return new Refusal('PROMOTION_NOT_FOUND', 'There is no such promotion', { metadata });
  if (live.state === 'inactive')
    return new Refusal('PROMOTION_INACTIVE', 'The promotion is not active', { metadata });
  const { claimStartMs, claimEndMs } = live;
  if (claimStartMs !== undefined && nowMs < claimStartMs) {
    const startsAt = new Date(claimStartMs).toISOString();
    return new Refusal('PROMOTION_NOT_STARTED', 'Claiming has not started', {
      metadata: { ...metadata, starts_at: startsAt },
    });
  }
  if (live.state === 'finished' || (claimEndMs !== undefined && nowMs > claimEndMs))
    return new Refusal('PROMOTION_ENDED', 'Claiming has ended', { metadata });
  return targetRefusal(live.target, facts, nowMs, metadata);
}

type Verdict = 'targeted' | 'not_targeted' | 'fact_missing';

function targetRefusal(
  target: Target,
  facts: ClaimFacts | undefined,
  nowMs: number,
  metadata: Record<string, string>,
): Refusal | undefined {
  const verdict = targetVerdict(target, facts, nowMs);
  if (verdict === 'targeted') return undefined;
  return new Refusal('USER_NOT_TARGETED', 'The promotion is not for this user', {
    metadata: { ...metadata, ...(verdict === 'fact_missing' && { cause: 'FACT_MISSING' }) },
  });
}

/** The same verdicts as the ledger's claim script has. */
function targetVerdict(target: Target, facts: ClaimFacts | undefined, nowMs: number): Verdict {
  if (target.kind === 'everyone') return 'targeted';
  if (facts === undefined) return 'fact_missing';
  if (target.kind === 'tags') return verdictOf(facts.tags.some((tag) => target.anyOf.includes(tag)));
  const withinDays = target.registeredWithinDays;
  if (withinDays === undefined) {
    return facts.ordersCompleted === undefined ? 'fact_missing' : verdictOf(facts.ordersCompleted === 0);
  }
  if (facts.registeredAtMs === undefined) return 'fact_missing';
  return verdictOf(nowMs - facts.registeredAtMs < withinDays * MS_PER_DAY);
}

function verdictOf(isTargeted: boolean): Verdict {
  return isTargeted ? 'targeted' : 'not_targeted';
}
