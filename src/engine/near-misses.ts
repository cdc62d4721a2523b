import type { NearMiss, RejectedCandidate } from '../domain/decision.ts';
import { compareTexts } from './compare-texts.ts';
import type { CompiledPromotion } from './compiled-promotion.ts';
import { NEAR_MISSES_SHOWN } from './limits.ts';

/** A candidate that failed, with its promotion. */
export interface Missed {
  readonly rejected: RejectedCandidate;
  readonly promotion: CompiledPromotion | undefined;
}

/** What a somewhat larger cart would get: amounts before units, the nearest first, then by saving and promotion id. */
export function nearMissesOf(missed: readonly Missed[]): NearMiss[] {
  if (missed.length === 0) return [];
  return missed
    .flatMap((candidate) => nearMissOf(candidate) ?? [])
    .sort(byNearness)
    .slice(0, NEAR_MISSES_SHOWN);
}

function nearMissOf({ rejected, promotion }: Missed): NearMiss | undefined {
  const { shortfall, needed } = rejected;
  if (shortfall === undefined) return undefined;
  const isSpend = shortfall.kind === 'minor' && typeof needed === 'number';
  const wouldSaveMinor = isSpend ? promotion?.effect.offAtSpend(needed) : undefined;
  return {
    promotionId: rejected.promotionId,
    source: rejected.source,
    missing: shortfall.missing,
    missingKind: shortfall.kind,
    ...(wouldSaveMinor === undefined ? {} : { wouldSaveMinor }),
  };
}

function byNearness(left: NearMiss, right: NearMiss): number {
  if (left.missingKind !== right.missingKind) return left.missingKind === 'minor' ? -1 : 1;
  if (left.missing !== right.missing) return left.missing - right.missing;
  const saving = (right.wouldSaveMinor ?? 0) - (left.wouldSaveMinor ?? 0);
  return saving !== 0 ? saving : compareTexts(left.promotionId, right.promotionId);
}
