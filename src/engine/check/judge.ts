import type { Failure } from '../../domain/decision.ts';
import { applyAlone, type Given } from '../apply.ts';
import type { Candidate } from '../candidate.ts';
import type { Contender } from '../contender.ts';
import type { Occasion } from '../occasion.ts';
import type { PreparedCart } from '../prepared-cart.ts';
import { checkPromotion, isFailure } from './check-promotion.ts';

/** A contender that cannot be used, and why. */
export interface FailedContender {
  readonly contender: Contender;
  readonly candidate?: undefined;
  readonly failure: Failure;
}

/** A contender with what its own state and its rules said. */
export type CheckedContender =
  | FailedContender
  | { readonly contender: Contender; readonly candidate: Candidate; readonly failure?: undefined };

/** A contender that can be used with what it gives alone, or that cannot and why. */
export type Judged =
  | (FailedContender & { readonly given?: undefined })
  | {
      readonly contender: Contender;
      readonly candidate: Candidate;
      readonly given: Given;
      readonly failure?: undefined;
    };

/** Checks a contender as if nothing else were used: its own state, then its rules. */
export function checkContender(contender: Contender, occasion: Occasion): CheckedContender {
  const { promotion, source, expiresAtMs } = contender;
  if (contender.failure !== undefined) return { contender, failure: contender.failure };
  if (promotion === undefined) return { contender, failure: { reason: 'PROMOTION_NOT_FOUND' } };
  const checked = checkPromotion(promotion, source, expiresAtMs, occasion);
  return isFailure(checked) ? { contender, failure: checked } : { contender, candidate: checked };
}

/** The last check: that it gives something when it is used alone. */
export function judge(checked: CheckedContender, cart: PreparedCart): Judged {
  if (checked.failure !== undefined) return checked;
  const { contender, candidate } = checked;
  const alone = applyAlone(candidate, cart);
  return alone.failure === undefined
    ? { contender, candidate, given: alone }
    : { contender, failure: alone.failure };
}
