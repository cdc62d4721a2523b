/** What candidates give, to be kept: in the order of application, or each alone. All amounts in minor units. */
import type { Failure, Gift, LineShare } from '../domain/decision.ts';
import { sumAt, unitRuns } from '../domain/money.ts';
import type { Candidate } from './candidate.ts';
import { fellShort } from './fell-short.ts';
import type { PreparedCart } from './prepared-cart.ts';
import { type Refusal, type Tally, tallyOf } from './tally.ts';

/** What one candidate gives where it stands in the order of application. */
export interface Application {
  readonly candidate: Candidate;
  /** Lines with a discount, in line order; they sum to `itemsOffMinor`. */
  readonly shares: readonly LineShare[];
  readonly itemsOffMinor: number;
  readonly shippingOffMinor: number;
  readonly gifts: readonly Gift[];
  readonly bonusPoints: number;
}

/** What a candidate gives alone; not all of it is nothing. */
export interface Given {
  readonly savedMinor: number;
  readonly giftUnits: number;
  readonly bonusPoints: number;
}

/** What a candidate gives alone, or why it gives nothing. */
export type AloneResult = { readonly failure: Failure } | (Given & { readonly failure?: undefined });

/** Applies a legal set in the order given, which is the order of application. Throws when the set is not legal. */
export function applyInOrder(chosen: readonly Candidate[], cart: PreparedCart): Application[] {
  const tally = tallyOf(cart);
  const applications = chosen.map((candidate, depth) => {
    const refusal = tally.apply(candidate);
    if (refusal !== undefined) throw new Error(`${candidate.promotion.definition.id}: ${refusal}`);
    return applicationAt(depth, tally);
  });
  tally.undoTo(0);
  return applications;
}

/** What the application at a depth of a tally gives, to be kept when it is undone. */
export function applicationAt(depth: number, tally: Tally): Application {
  const { candidate, outcome } = tally.stepAt(depth);
  const { inputIndex } = tally.cart;
  const { itemsOffMinor, shippingOffMinor, gifts, bonusPoints, lineOff, unitsOff } = outcome;
  const shares: LineShare[] = [];
  const { eligible } = candidate;
  for (let at = 0; itemsOffMinor > 0 && at < eligible.length; at += 1) {
    const place = eligible[at] ?? 0;
    const amountMinor = lineOff[place] ?? 0;
    if (amountMinor === 0) continue;
    const units = unitRuns(amountMinor, unitsOff[place] ?? 0);
    shares.push({ lineIndex: inputIndex[place] ?? 0, amountMinor, units });
  }
  return { candidate, shares, itemsOffMinor, shippingOffMinor, gifts, bonusPoints };
}

/** Applies one candidate to the untouched cart: the last of its checks. */
export function applyAlone(candidate: Candidate, cart: PreparedCart): AloneResult {
  const tally = tallyOf(cart);
  const refusal = tally.apply(candidate);
  if (refusal !== undefined) return { failure: failureOf(refusal, candidate, tally) };
  const { savedMinor, giftUnits, bonusPoints } = tally;
  tally.undo();
  return { savedMinor, giftUnits, bonusPoints };
}

function failureOf(refusal: Refusal, candidate: Candidate, tally: Tally): Failure {
  const { spendAfter } = candidate.promotion;
  if (refusal === 'BELOW_THRESHOLD' && spendAfter !== undefined) {
    const { ruleIndex, minor: needed } = spendAfter;
    const seen = sumAt(candidate.eligible, tally.left);
    const failure = fellShort('MINIMUM_SPEND_NOT_MET', 'minor', needed, seen);
    return { ...failure, ruleIndex, ruleKind: 'minimum_spend' };
  }
  if (refusal === 'OVER_BUDGET') {
    const { itemsOffMinor, shippingOffMinor } = tally.lastTried;
    const needed = itemsOffMinor + shippingOffMinor;
    return { reason: 'BUDGET_EXCEEDED', needed, seen: candidate.budgetLeftMinor };
  }
  return { reason: 'NOTHING_TO_DISCOUNT' };
}
