import type { Failure, NearMiss, RejectedCandidate, TraceStep } from '../domain/decision.ts';
import type { Application } from './apply.ts';
import type { Candidate } from './candidate.ts';
import type { CheckedContender } from './check/judge.ts';
import type { Choice } from './choose.ts';
import type { DroppedCandidate } from './combine/combine.ts';
import { type Missed, nearMissesOf } from './near-misses.ts';

/** Why everything that does not apply does not. */
export interface Explanation {
  readonly rejected: readonly RejectedCandidate[];
  readonly nearMisses: readonly NearMiss[];
}

/** Every contender that is not in the combination with its reason, in the order in which they were gathered. */
export function explain({ contenders, combination }: Choice): Explanation {
  const dropped = new Map(combination.dropped.map((each) => [each.candidate, each]));
  const rejected: RejectedCandidate[] = [];
  const missed: Missed[] = [];
  for (const one of contenders) {
    const rejection = rejectionOf(one, dropped);
    if (rejection === undefined) continue;
    rejected.push(rejection);
    if (rejection.shortfall !== undefined) {
      missed.push({ rejected: rejection, promotion: one.contender.promotion });
    }
  }
  return { rejected, nearMisses: nearMissesOf(missed) };
}

function rejectionOf(
  { contender, candidate, failure }: CheckedContender,
  dropped: ReadonlyMap<Candidate, DroppedCandidate>,
): RejectedCandidate | undefined {
  const { promotionId, promotionVersion, source } = contender;
  if (failure !== undefined) return { promotionId, promotionVersion, source, ...failure };
  const drop = dropped.get(candidate);
  if (drop === undefined) return undefined;
  const { reason, conflictsWith } = drop;
  const name = { promotionId, promotionVersion, source };
  return conflictsWith === undefined ? { ...name, reason } : { ...name, reason, conflictsWith };
}

/** The steps of an evaluation for people: every check, every choice, every application with what it took off. */
export function traceOf({ contenders, combination, applications }: Choice): TraceStep[] {
  const chosen = new Set(combination.chosen);
  const candidates = contenders.flatMap(({ candidate }) => candidate ?? []);
  return [
    ...contenders.map(({ contender, failure }) => checkStep(contender, failure)),
    ...candidates.map((candidate) => choiceStep(candidate, chosen.has(candidate))),
    ...applications.map(applyStep),
  ];
}

function checkStep(
  { promotionId, source }: CheckedContender['contender'],
  failure: Failure | undefined,
): TraceStep {
  const step = { phase: 'check', promotionId, source } as const;
  return failure === undefined ? { ...step, outcome: 'passed' } : { ...step, outcome: 'failed', failure };
}

function choiceStep({ promotion, source }: Candidate, isChosen: boolean): TraceStep {
  const { id: promotionId } = promotion.definition;
  return { phase: 'combine', promotionId, source, outcome: isChosen ? 'chosen' : 'dropped' };
}

function applyStep({ candidate, itemsOffMinor, shippingOffMinor }: Application): TraceStep {
  return {
    phase: 'apply',
    promotionId: candidate.promotion.definition.id,
    source: candidate.source,
    outcome: 'applied',
    amountMinor: itemsOffMinor + shippingOffMinor,
  };
}
