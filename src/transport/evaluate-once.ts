/** One evaluation of a cart as a promise, for whoever decides on orders. */
import type { Refusal } from '../domain/refusal.ts';
import type { HolderState } from '../ledger/reads.ts';
import type { CallContext } from './call-context.ts';
import type { EvaluationIntake } from './evaluation-intake.ts';

/**
 * Evaluates an EvaluateCartRequest as the caller would have it evaluated; keeps its promise by the call's deadline with the
 * EvaluateCartResponse, or breaks it with the refusal.
 *
 * @param holder what is known of the user, so that it is not read
 */
export function evaluateOnce(
  intake: Pick<EvaluationIntake, 'submit'>,
  request: Uint8Array,
  context: CallContext,
  holder?: HolderState,
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const settle = (result: Uint8Array | Refusal): void =>
    result instanceof Uint8Array ? resolve(result) : reject(result);
  intake.submit('evaluate_cart', request, context, settle, holder && { holder });
  return promise;
}
