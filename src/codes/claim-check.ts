/** Why a code cannot become a coupon of its promotion now, in the order of a claim (not found … not targeted). */
import type { LiveDefinition } from '../domain/live-definition.ts';
import { Refusal } from '../domain/refusal.ts';
import type { ClaimFacts } from '../ledger/claim-operation.ts';
import { targetRefusal } from '../ledger/target-refusal.ts';

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
  return targetRefusal(live.target, facts, nowMs);
}
