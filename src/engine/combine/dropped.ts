import type { Candidate } from '../candidate.ts';
import type { DroppedCandidate } from './combine.ts';
import { isPairLegal, type Outranked } from './legality.ts';

/** Why each usable candidate that is not chosen is not, in the order given. The first reason that holds is told. */
export function explainDropped(
  usable: readonly Candidate[],
  chosen: readonly Candidate[],
  removed: readonly Outranked[],
  unnamed: ReadonlySet<Candidate>,
  slots: number,
): DroppedCandidate[] {
  const isChosen = new Set(chosen);
  const outrankedBy = new Map(removed.map(({ candidate, by }) => [candidate, by]));
  const isFull = chosen.filter(({ takesSlot }) => takesSlot).length >= slots;
  const explain = (candidate: Candidate): DroppedCandidate => {
    if (unnamed.has(candidate)) return { candidate, reason: 'NOT_SELECTED' };
    const conflictsWith = conflictsOf(candidate, chosen, outrankedBy.get(candidate));
    if (conflictsWith.length > 0) return { candidate, reason: 'NOT_COMBINABLE', conflictsWith };
    const reason = isFull && candidate.takesSlot ? 'COUPON_COUNT_EXCEEDED' : 'BETTER_COMBINATION';
    return { candidate, reason };
  };
  return usable.filter((candidate) => !isChosen.has(candidate)).map(explain);
}

/** Whoever wins by priority removes a candidate even where something better than he is chosen in the end. */
function conflictsOf(
  candidate: Candidate,
  chosen: readonly Candidate[],
  outrankedBy: Candidate | undefined,
): string[] {
  const against = chosen.filter((one) => !isPairLegal(one, candidate));
  const named = against.length > 0 || outrankedBy === undefined ? against : [outrankedBy];
  return [...new Set(named.map(({ promotion }) => promotion.definition.id))];
}
