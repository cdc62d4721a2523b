/** ListUsableCoupons: which coupons of a user fit an order. */
import type { HotHandler } from '../binding.ts';
import type { EvaluationIntake } from '../evaluation-intake.ts';

/** Makes the handler. */
export function listUsableCoupons(intake: EvaluationIntake): HotHandler {
  return (bytes, context, reply) => intake.submit('list_usable_coupons', bytes, context, reply);
}
