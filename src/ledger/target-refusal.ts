/** Whether a user is among those a promotion is for; a fact that is not known is not met. The ledger's script judges claims alike. */
import { MS_PER_DAY } from '../domain/durations.ts';
import type { Target } from '../domain/live-definition.ts';
import { Refusal } from '../domain/refusal.ts';
import type { ClaimFacts } from './claim-operation.ts';

type Verdict = 'targeted' | 'not_targeted' | 'fact_missing';

/** Why the user is not in the target at `nowMs`: USER_NOT_TARGETED, saying when a fact is missing. Undefined when he is. */
export function targetRefusal(
  target: Target,
  facts: ClaimFacts | undefined,
  nowMs: number,
): Refusal | undefined {
  const verdict = judge(target, facts, nowMs);
  if (verdict === 'targeted') return undefined;
  return new Refusal('USER_NOT_TARGETED', 'The promotion is not for this user', {
    metadata: verdict === 'fact_missing' ? { cause: 'FACT_MISSING' } : {},
  });
}

function judge(target: Target, facts: ClaimFacts | undefined, nowMs: number): Verdict {
  if (target.kind === 'everyone') return 'targeted';
  if (facts === undefined) return 'fact_missing';
  if (target.kind === 'tags') return verdictOf(target.anyOf.some((tag) => facts.tags.includes(tag)));
  const { registeredAtMs, ordersCompleted } = facts;
  if (target.registeredWithinDays === undefined) {
    return ordersCompleted === undefined ? 'fact_missing' : verdictOf(ordersCompleted === 0);
  }
  if (registeredAtMs === undefined) return 'fact_missing';
  return verdictOf(nowMs - registeredAtMs < target.registeredWithinDays * MS_PER_DAY);
}

function verdictOf(isMet: boolean): Verdict {
  return isMet ? 'targeted' : 'not_targeted';
}
