import { Refusal } from '../domain/refusal.ts';
import type { PendingEvaluation } from './pending-evaluation.ts';
import type { CarriedRefusal, Outcome } from './result-format.ts';

/** A refusal as a worker stated it. */
function refusalOf({ reason, message, violations, cause }: CarriedRefusal): Refusal {
  return new Refusal(reason, message, {
    ...(violations && { violations }),
    ...(cause !== undefined && { cause: new Error(cause) }),
  });
}

/** Tells an item what became of it, unless nobody waits any more. */
export function settle(item: PendingEvaluation, outcome: Outcome): void {
  if (item.isSettled) return;
  if (outcome.kind === 'answered') item.answered(outcome.response);
  else if (outcome.kind === 'refused') item.refused(refusalOf(outcome.refusal));
  else item.needs(outcome.versions);
}
