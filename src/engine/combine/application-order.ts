/** The order in which candidates are applied, and other orders among candidates. All texts are compared by code units. */
import type { CandidateSource } from '../../domain/decision.ts';
import type { Candidate } from '../candidate.ts';
import { compareTexts } from '../compare-texts.ts';

/** What tells candidates of one promotion apart: the coupon's id, the code, or nothing. */
function sourceText(source: CandidateSource): string {
  if (source.kind === 'automatic') return '';
  return source.kind === 'coupon' ? source.couponId : source.code;
}

/** A text that names a candidate among all, and sorts by promotion first. */
export function candidateKey({ promotion, source }: Candidate): string {
  return `${promotion.definition.id}\u0000${sourceText(source)}`;
}

/** Higher priority first, then by promotion id, then by coupon id or code. */
export function compareByPriority(left: Candidate, right: Candidate): number {
  const one = left.promotion.definition;
  const other = right.promotion.definition;
  return (
    other.priority - one.priority ||
    compareTexts(one.id, other.id) ||
    compareTexts(sourceText(left.source), sourceText(right.source))
  );
}

/** The order of application: by class, inside a class by priority, then by promotion id, then by coupon id or code. */
export function compareByApplication(left: Candidate, right: Candidate): number {
  const byRank = left.promotion.applicationRank - right.promotion.applicationRank;
  return byRank !== 0 ? byRank : compareByPriority(left, right);
}

/** Coupons that end sooner first, then by promotion, then by coupon id or code. */
export function compareBySooner(left: Candidate, right: Candidate): number {
  if (left.expiresAtMs !== right.expiresAtMs) return left.expiresAtMs - right.expiresAtMs;
  return compareTexts(candidateKey(left), candidateKey(right));
}
