/** Decisions made again for the service itself: a refund asks what the rules of the order say about its rest. */
import type { Identity } from '../domain/identity.ts';
import type { DecideAgain } from '../redemption/refund-items-judge.ts';
import { evaluateOnce } from './evaluate-once.ts';
import type { EvaluationIntake } from './evaluation-intake.ts';

/** The question was stored by the service, so its facts, wallet and rules are believed. */
const OWN_IDENTITY: Identity = {
  kind: 'service',
  actor: 'hongbao',
  scopes: new Set(['carts:replay', 'facts:assert']),
};

/** Makes what a refund asks with. `clock` gives local epoch milliseconds. */
export function decideAgainBy(intake: Pick<EvaluationIntake, 'submit'>, clock: () => number): DecideAgain {
  return async (request, deadlineMs) => {
    const { signal } = new AbortController();
    return await evaluateOnce(intake, request, {
      identity: OWN_IDENTITY,
      deadlineMs,
      signal,
      nowMs: clock(),
    });
  };
}
