import type { Failure } from '../../domain/decision.ts';
import type { Candidate } from '../candidate.ts';
import type { Contender } from '../gather.ts';
import { applyAlone } from '../tally.ts';
import { checkPromotion } from './check-promotion.ts';
import type { Occasion } from './occasion.ts';

/** A contender with what its checks said: it can be used, or it cannot and why. */
export type Judged =
  | { readonly contender: Contender; readonly candidate: Candidate; readonly failure?: undefined }
  | { readonly contender: Contender; readonly candidate?: undefined; readonly failure: Failure };

/** Checks a contender by itself, as if nothing else were used: its own state, its rules, and that it gives something. */
export function judge(contender: Contender, occasion: Occasion): Judged {
  const { promotion, source, expiresAtMs } = contender;
  if (contender.failure !== undefined) return { contender, failure: contender.failure };
  if (promotion === undefined) return { contender, failure: { reason: 'PROMOTION_NOT_FOUND' } };
  const checked = checkPromotion(promotion, source, expiresAtMs, occasion);
  if (checked.failure !== undefined) return { contender, failure: checked.failure };
  const { candidate } = checked;
  const failure = applyAlone(candidate, occasion.cart).failure;
  return failure === undefined ? { contender, candidate } : { contender, failure };
}
