import { Refusal } from '../domain/refusal.ts';
import type { EvaluationItem } from './pending-evaluation.ts';
import { encodeResult, type Outcome, type TimedOutcome } from './result-format.ts';
import { decodeTask } from './task-format.ts';

const US_PER_MS = 1_000;

function refused(error: unknown): Outcome {
  if (error instanceof Refusal) {
    const { reason, message, detail } = error;
    const { violations, cause } = detail;
    const extra = { ...(violations && { violations }), ...(cause !== undefined && { cause: String(cause) }) };
    return { kind: 'refused', refusal: { reason, message, ...extra } };
  }
  const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { kind: 'refused', refusal: { reason: 'INTERNAL', message: 'Internal error', cause } };
}

function serve(item: EvaluationItem, answer: (item: EvaluationItem) => Outcome): TimedOutcome {
  const startedMs = performance.now();
  let outcome: Outcome;
  try {
    outcome = answer(item);
  } catch (error) {
    outcome = refused(error);
  }
  return { outcome, microseconds: (performance.now() - startedMs) * US_PER_MS };
}

/** Answers every item of a batch by itself: what one throws becomes its refusal and touches no other. */
export function serveBatch(task: Uint8Array, answer: (item: EvaluationItem) => Outcome): Buffer<ArrayBuffer> {
  return encodeResult(decodeTask(task).map((item) => serve(item, answer)));
}
