/** ValidateCoupon: whether one coupon or code fits an order. */
import type { HotHandler } from '../binding.ts';
import type { EvaluationIntake } from '../evaluation-intake.ts';

/** Makes the handler. */
export function validateCoupon(intake: EvaluationIntake): HotHandler {
  return (bytes, context, reply) => intake.submit('validate_coupon', bytes, context, reply);
}
