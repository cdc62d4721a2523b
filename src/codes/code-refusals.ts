import { Refusal } from '../domain/refusal.ts';

/** The refusal for a code nobody knows: the same whatever is wrong with it, so that a guess learns nothing. */
export function codeNotFound(): Refusal {
  return new Refusal('CODE_NOT_FOUND', 'There is no such code');
}

/** The refusal for a code that was used, or is held by somebody else or for another order. */
export function codeAlreadyUsed(): Refusal {
  return new Refusal('CODE_ALREADY_USED', 'The code was used already');
}

/** The refusal for a promotion that has no single-use codes. */
export function promotionWithoutCodes(): Refusal {
  return new Refusal('PROMOTION_WITHOUT_CODES', 'The promotion has no single-use codes');
}

/** The refusal for a job nobody knows. */
export function jobNotFound(): Refusal {
  return new Refusal('JOB_NOT_FOUND', 'There is no such job');
}
