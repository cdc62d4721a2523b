import type { Candidate } from '../candidate.ts';
import { compareTexts } from '../compare-texts.ts';
import type { PreparedCart } from '../prepared-cart.ts';
import { giftUnitsOf, type Tally } from '../tally.ts';
import { candidateKey, compareByApplication, compareBySooner } from './application-order.ts';
import { BitRows } from './bit-rows.ts';
import { isChoosy, isPairLegal } from './legality.ts';
import { type Touch, touchOf } from './touch.ts';

/** No candidate. */
export const NONE = -1;

/**
 * The candidates of one search, numbered in the order of application, with everything about them that does not change while
 * sets are tried. Arrays are by number; amounts in minor units.
 */
export interface Field {
  readonly candidates: readonly Candidate[];
  readonly mandatory: Uint8Array;
  /** Candidates that take a slot, as flags and as one row of bits. */
  readonly takesSlot: Uint8Array;
  readonly takers: BitRows;
  /** Slots for coupons and codes. */
  readonly slots: number;
  /** Shipping before any discount. */
  readonly shippingMinor: number;
  /** Row by candidate: with whom it cannot be used. */
  readonly conflicts: BitRows;
  /** The most each takes off and gives in any set: what it gives alone. */
  readonly mostOff: Float64Array;
  readonly mostGifts: Float64Array;
  readonly mostPoints: Float64Array;
  /** Numbers by `mostOff`, largest first. */
  readonly byMostOff: readonly number[];
  readonly expiresAtMs: Float64Array;
  /** Rank of each candidate's key among all keys; found when first asked for, since few searches come to that. */
  readonly keyRanks: () => Int32Array;
  /** The equal coupon that must be taken before this one may be; {@link NONE} without. */
  readonly twinBefore: Int32Array;
  /** Cliques of the conflicts, of which at most one member can be used. A clique has only slot takers or none. */
  readonly cliques: Int32Array;
  readonly touches: readonly Touch[];
}

/** Lays the candidates of a search out. The tally has nothing applied. */
export function layOut(
  usable: readonly Candidate[],
  mandatory: ReadonlySet<Candidate>,
  slots: number,
  cart: PreparedCart,
  tally: Tally,
): Field {
  const candidates = arrangeTwins(usable.toSorted(compareByApplication));
  const count = candidates.length;
  const conflicts = conflictsAmong(candidates);
  const most = measureAlone(candidates, tally);
  const takesSlot = Uint8Array.from(candidates, (each) => (each.takesSlot ? 1 : 0));
  const byMostOff = Array.from({ length: count }, (_, at) => at).sort(
    (left, right) => (most.mostOff[right] ?? 0) - (most.mostOff[left] ?? 0) || left - right,
  );
  return {
    candidates,
    mandatory: Uint8Array.from(candidates, (each) => (mandatory.has(each) ? 1 : 0)),
    takesSlot,
    takers: rowOf(takesSlot),
    slots,
    shippingMinor: cart.cart.shippingMinor,
    conflicts,
    ...most,
    byMostOff,
    expiresAtMs: Float64Array.from(candidates, (each) => each.expiresAtMs),
    keyRanks: once(() => rankKeys(candidates)),
    twinBefore: Int32Array.from(candidates, (each, at) => (isTwin(candidates[at - 1], each) ? at - 1 : NONE)),
    cliques: coverWithCliques(byMostOff, conflicts, takesSlot),
    touches: candidates.map((each, at) => touchOf(each, most.mostOff[at] ?? 0, cart.lines.length)),
  };
}

function rowOf(flags: Uint8Array): BitRows {
  const row = new BitRows(1, flags.length);
  for (const [at, flag] of flags.entries()) if (flag === 1) row.add(0, at);
  return row;
}

/**
 * Coupons of one version of a promotion next to each other take off the same in either order, so which of them are used
 * matters only to the ties: sooner expiry, then lower id. With the best of them first, a search need only try the first
 * few of them.
 */
function arrangeTwins(inOrder: readonly Candidate[]): Candidate[] {
  const arranged: Candidate[] = [];
  for (let from = 0; from < inOrder.length; ) {
    let to = from + 1;
    while (to < inOrder.length && isTwin(inOrder[from], inOrder[to])) to += 1;
    const run = inOrder.slice(from, to);
    arranged.push(...(run.length > 1 ? run.sort(compareBySooner) : run));
    from = to;
  }
  return arranged;
}

function isTwin(left: Candidate | undefined, right: Candidate | undefined): boolean {
  return (
    left !== undefined &&
    left.promotion === right?.promotion &&
    left.source.kind === 'coupon' &&
    right.source.kind === 'coupon' &&
    left.budgetLeftMinor === right.budgetLeftMinor
  );
}

function conflictsAmong(candidates: readonly Candidate[]): BitRows {
  const conflicts = new BitRows(candidates.length, candidates.length);
  for (const [at, one] of candidates.entries()) {
    if (!isChoosy(one)) continue;
    for (const [against, other] of candidates.entries()) {
      if (at === against || isPairLegal(one, other)) continue;
      conflicts.add(at, against);
      conflicts.add(against, at);
    }
  }
  return conflicts;
}

/**
 * What each candidate gives alone is the most it gives in any set: what is left for it is never more than at the start, and
 * every effect takes off less, or as much, from less.
 */
function measureAlone(
  candidates: readonly Candidate[],
  tally: Tally,
): Pick<Field, 'mostOff' | 'mostGifts' | 'mostPoints'> {
  const mostOff = new Float64Array(candidates.length);
  const mostGifts = new Float64Array(candidates.length);
  const mostPoints = new Float64Array(candidates.length);
  for (const [at, candidate] of candidates.entries()) {
    mostOff[at] = tally.mostOff(candidate);
    const { gifts, bonusPoints } = tally.lastTried;
    if (gifts.length > 0) mostGifts[at] = giftUnitsOf(gifts);
    mostPoints[at] = bonusPoints;
  }
  return { mostOff, mostGifts, mostPoints };
}

function once<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

function rankKeys(candidates: readonly Candidate[]): Int32Array {
  const keys = candidates.map(candidateKey);
  const order = keys
    .map((_, at) => at)
    .sort((left, right) => compareTexts(keys[left] ?? '', keys[right] ?? ''));
  const ranks = new Int32Array(keys.length);
  for (const [rank, at] of order.entries()) ranks[at] = rank;
  return ranks;
}

/** Puts each candidate, the largest first, into the first clique all of whose members it conflicts with. */
function coverWithCliques(
  byMostOff: readonly number[],
  conflicts: BitRows,
  takesSlot: Uint8Array,
): Int32Array {
  const cliques = new Int32Array(byMostOff.length);
  const members: number[][] = [];
  for (const at of byMostOff) {
    const isHome = (clique: readonly number[]): boolean =>
      clique.every((other) => takesSlot[other] === takesSlot[at] && conflicts.has(at, other));
    const home = conflicts.isEmpty(at) ? NONE : members.findIndex(isHome);
    if (home === NONE) cliques[at] = members.push([at]) - 1;
    else {
      members[home]?.push(at);
      cliques[at] = home;
    }
  }
  return cliques;
}
