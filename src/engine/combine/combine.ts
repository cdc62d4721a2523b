import type { Candidate } from '../candidate.ts';
import type { EvaluationInput } from '../evaluation-input.ts';
import { APPLICATION_WORK, PROOF_WORK, PROVEN_COUPONS, SEARCH_WORK } from '../limits.ts';
import type { PreparedCart } from '../prepared-cart.ts';
import { tallyOf } from '../tally.ts';
import { compareByApplication } from './application-order.ts';
import { explainDropped } from './dropped.ts';
import { type Field, layOut } from './field.ts';
import { findGreedily } from './greedy.ts';
import type { Incumbent } from './incumbent.ts';
import { removeOutranked } from './legality.ts';
import { divideBySelection, takeNamed } from './own-selection.ts';
import { Search } from './search.ts';

/** Why a candidate that could be used alone is not in the combination. */
export interface DroppedCandidate {
  readonly candidate: Candidate;
  readonly reason: 'NOT_COMBINABLE' | 'COUPON_COUNT_EXCEEDED' | 'BETTER_COMBINATION' | 'NOT_SELECTED';
  /** Ids of the promotions it cannot be combined with, in the order of application; with NOT_COMBINABLE only. */
  readonly conflictsWith?: readonly string[];
}

/** The combination that applies. */
export interface Combination {
  /** In the order of application. */
  readonly chosen: readonly Candidate[];
  /** No legal set ranks before it; false when the search ran out of its budget before that was certain. */
  readonly isProvenOptimal: boolean;
  /** Every usable candidate that is not chosen, in the order given. */
  readonly dropped: readonly DroppedCandidate[];
}

/** What the caller decides about a combination. */
export type CombinationOptions = Pick<EvaluationInput, 'couponsPerOrder' | 'selection'>;

/**
 * Chooses the legal set of candidates that saves most, or what fits best around the caller's own selection. `usable` are
 * those that can be used alone ({@link applyAlone} gives no failure). At most {@link PROVEN_COUPONS} coupons and codes are
 * combined with proof, more of them within a budget.
 */
export function combine(
  usable: readonly Candidate[],
  cart: PreparedCart,
  { couponsPerOrder, selection }: CombinationOptions,
): Combination {
  const { named, others, unnamed } = divideBySelection(usable, selection);
  const { staying, removed } = removeOutranked([...named, ...others]);
  const tally = tallyOf(cart);
  const isStaying = new Set(staying);
  const taken = takeNamed(
    named.filter((candidate) => isStaying.has(candidate)),
    couponsPerOrder,
    tally,
  );
  const mandatory = new Set(taken);
  const inPlay =
    selection.kind === 'best' ? staying : staying.filter((each) => !each.takesSlot || mandatory.has(each));
  const field = layOut(inPlay, mandatory, couponsPerOrder, cart, tally);
  const { incumbent, isProven } = search(field, cart);
  const chosen = incumbent.members.flatMap((at) => field.candidates[at] ?? []).sort(compareByApplication);
  return {
    chosen,
    isProvenOptimal: isProven,
    dropped: explainDropped(usable, chosen, removed, new Set(unnamed), couponsPerOrder),
  };
}

function search(field: Field, cart: PreparedCart): { incumbent: Incumbent; isProven: boolean } {
  const takers = field.takesSlot.reduce((sum, flag) => sum + flag, 0);
  const tally = tallyOf(cart);
  const work = takers <= PROVEN_COUPONS ? PROOF_WORK : SEARCH_WORK;
  const maxApplications = work / (cart.lines.length + APPLICATION_WORK);
  const found = new Search(field, tally, maxApplications).run();
  if (found.isProven) return found;
  const greedy = findGreedily(field, tally);
  const isWorse = greedy.ranksBefore(found.incumbent);
  return { incumbent: isWorse ? greedy : found.incumbent, isProven: false };
}
