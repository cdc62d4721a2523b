/** EvaluateCart: what applies to a cart and what its lines then cost. Bytes go to a worker and come back. */
import type { HotHandler } from '../binding.ts';
import type { EvaluationIntake } from '../evaluation-intake.ts';

/** Makes the handler. */
export function evaluateCart(intake: EvaluationIntake): HotHandler {
  return (bytes, context, reply) => intake.submit('evaluate_cart', bytes, context, reply);
}
