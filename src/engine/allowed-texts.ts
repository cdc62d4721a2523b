import type { Failure, RejectionReason } from '../domain/decision.ts';

/** How many of the allowed texts an answer names. */
const NAMED_AT_MOST = 5;

/**
 * A check that a text is one of some. The fact it comes from must be known: a promotion is never given on a guess.
 *
 * @param fact Name of the fact, as people know it, for when it is missing.
 */
export function allowedTexts(
  allowed: readonly string[],
  fact: string,
  reason: RejectionReason,
): (seen: string | undefined) => Failure | undefined {
  const texts = new Set(allowed);
  return (seen) => {
    if (seen === undefined) return { reason: 'FACT_MISSING', needed: fact };
    return texts.has(seen) ? undefined : { reason, needed: namedTexts(allowed), seen };
  };
}

/** The first few texts in one. */
export function namedTexts(texts: readonly string[]): string {
  return texts.slice(0, NAMED_AT_MOST).join(', ');
}
