/** One evaluation of a cart as a promise, for whoever decides on orders. */
import type { CallContext } from './call-context.ts';
import type { EvaluationIntake } from './evaluation-intake.ts';

/**
 * Evaluates an EvaluateCartRequest as the caller would have it evaluated; keeps its promise by the call's deadline with the
 * EvaluateCartResponse, or breaks it with the refusal.
 */
export function evaluateOnce(
  intake: Pick<EvaluationIntake, 'submit'>,
  request: Uint8Array,
  context: CallContext,
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  intake.submit('evaluate_cart', request, context, (result) =>
    result instanceof Uint8Array ? resolve(result) : reject(result),
  );
  return promise;
}
