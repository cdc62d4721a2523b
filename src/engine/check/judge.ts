import type { Failure } from '../../domain/decision.ts';
import type { Candidate } from '../candidate.ts';
import type { Contender } from '../gather.ts';
import { applyAlone, type Given } from '../tally.ts';
import { checkPromotion } from './check-promotion.ts';
import type { Occasion } from './occasion.ts';

/** A contender with what its checks said: it can be used and what it gives alone, or it cannot and why. */
export type Judged =
  | {
      readonly contender: Contender;
      readonly candidate: Candidate;
      readonly given: Given;
      readonly failure?: undefined;
    }
  | {
      readonly contender: Contender;
      readonly candidate?: undefined;
      readonly given?: undefined;
      readonly failure: Failure;
    };

/** Checks a contender by itself, as if nothing else were used: its own state, its rules, and that it gives something. */
export function judge(contender: Contender, occasion: Occasion): Judged {
  const { promotion, source, expiresAtMs } = contender;
  if (contender.failure !== undefined) return { contender, failure: contender.failure };
  if (promotion === undefined) return { contender, failure: { reason: 'PROMOTION_NOT_FOUND' } };
  const { candidate, failure } = checkPromotion(promotion, source, expiresAtMs, occasion);
  if (failure !== undefined) return { contender, failure };
  const alone = applyAlone(candidate, occasion.cart);
  return alone.failure === undefined
    ? { contender, candidate, given: alone }
    : { contender, failure: alone.failure };
}
