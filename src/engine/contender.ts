import type { CandidateSource, Failure } from '../domain/decision.ts';
import type { CompiledPromotion } from './compiled-promotion.ts';

/** Something that asks to be applied: a promotion by itself, a coupon, a code. */
export interface Contender {
  readonly source: CandidateSource;
  /** Absent when there is none of that name; then there is a failure. */
  readonly promotion?: CompiledPromotion;
  /** Of the promotion the coupon or code is of; empty when there is none. */
  readonly promotionId: string;
  readonly promotionVersion: number;
  /** End of the coupon; `Infinity` when there is none. */
  readonly expiresAtMs: number;
  /** Why it cannot be used whatever its promotion says. */
  readonly failure?: Failure;
}

const AUTOMATIC: CandidateSource = { kind: 'automatic' };

/** A promotion that applies by itself. It asks the same of every cart, so one object serves all evaluations. */
export function automaticContender(promotion: CompiledPromotion): Contender {
  return contenderOf(promotion, AUTOMATIC);
}

/** A promotion that somebody may use in its current version. */
export function contenderOf(promotion: CompiledPromotion, source: CandidateSource): Contender {
  const { id, version } = promotion.definition;
  return { source, promotion, promotionId: id, promotionVersion: version, expiresAtMs: Infinity };
}
