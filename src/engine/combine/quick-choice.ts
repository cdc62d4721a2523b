/**
 * The combination where it is obvious, which is nearly always: everything applies, but for the losers among promotions of one
 * exclusive group, or among coupons when an order takes one. One pass over the candidates finds it and proves it; whatever is
 * not obvious is left to the search.
 */
import type { Failure } from '../../domain/decision.ts';
import { sumAt } from '../../domain/money.ts';
import { type Application, applicationAt, applyAlone } from '../apply.ts';
import type { Candidate } from '../candidate.ts';
import type { PreparedCart } from '../prepared-cart.ts';
import { type Tally, tallyOf } from '../tally.ts';
import { compareByApplication } from './application-order.ts';
import { type Touch, touchOf } from './touch.ts';

/** A candidate that is not in the combination: it gives nothing even alone, or somebody better of its kind is. */
export type LeftOut =
  | { readonly candidate: Candidate; readonly failure: Failure }
  | {
      readonly candidate: Candidate;
      readonly failure?: undefined;
      readonly winner: Candidate;
      /** The most it takes off alone, in minor units. */
      readonly offMinor: number;
    };

/** An obvious combination, proven to be the best one. */
export interface QuickChoice {
  /** In the order of application. */
  readonly applications: readonly Application[];
  readonly leftOut: readonly LeftOut[];
}

/** Who stays in play, in the order of application, and who does not. */
interface Division {
  readonly members: readonly Candidate[];
  readonly leftOut: readonly LeftOut[];
}

/** More than anything takes off, so that a discount with a ceiling counts as one that reaches it. */
const ANY_AMOUNT = Number.MAX_SAFE_INTEGER;

/** The best combination of candidates whose rules hold, or undefined when it takes a search to find or prove it. */
export function chooseQuickly(
  candidates: readonly Candidate[],
  cart: PreparedCart,
  slots: number,
): QuickChoice | undefined {
  if (!candidates.every(isSimple)) return undefined;
  const division = divide(candidates.toSorted(compareByApplication), cart, slots);
  if (division === undefined) return undefined;
  const tally = tallyOf(cart);
  const isBest = applyAll(division.members, tally) && isSurelyBest(division, tally);
  const applications = isBest ? division.members.map((_, depth) => applicationAt(depth, tally)) : [];
  tally.undoTo(0);
  return isBest ? { applications, leftOut: division.leftOut } : undefined;
}

/** Its only conflicts, if any, are those of one exclusive group, and nothing but its effect bounds what it takes off. */
function isSimple({ promotion, budgetLeftMinor }: Candidate): boolean {
  const { stacking, spendAfter, definition } = promotion;
  const { isAlone, isFirstByPriority, excludedKinds, exclusiveGroups } = stacking;
  const isFree = !isAlone && !isFirstByPriority && excludedKinds.size === 0 && exclusiveGroups.size < 2;
  const { effect } = definition;
  const mayTurnIntoGift = effect.kind === 'gift_items' && effect.placement === 'discount_in_cart';
  return isFree && spendAfter === undefined && budgetLeftMinor === Infinity && !mayTurnIntoGift;
}

/** Picks the best of each exclusive group, and of the coupons when only one may be used; undefined when that is not clear. */
function divide(ordered: readonly Candidate[], cart: PreparedCart, slots: number): Division | undefined {
  const takers = ordered.reduce((count, { takesSlot }) => count + Number(takesSlot), 0);
  const areSlotsScarce = takers > slots;
  if (areSlotsScarce && slots !== 1) return undefined;
  const rivals = new Map<string, Candidate[]>();
  for (const candidate of ordered) {
    const { exclusiveGroups } = candidate.promotion.stacking;
    const isRivalForSlot = areSlotsScarce && candidate.takesSlot;
    if (isRivalForSlot && exclusiveGroups.size > 0) return undefined;
    const contest = isRivalForSlot ? '' : firstOf(exclusiveGroups);
    if (contest === undefined) continue;
    const others = rivals.get(contest);
    if (others === undefined) rivals.set(contest, [candidate]);
    else others.push(candidate);
  }
  return settle(ordered, [...rivals.values()], cart);
}

function firstOf(names: ReadonlySet<string>): string | undefined {
  return names.size === 0 ? undefined : names.values().next().value;
}

function settle(
  ordered: readonly Candidate[],
  contests: readonly (readonly Candidate[])[],
  cart: PreparedCart,
): Division | undefined {
  const out = new Map<Candidate, LeftOut>();
  for (const rivals of contests) {
    if (rivals.length < 2) continue;
    const losers = losersAmong(rivals, cart);
    if (losers === undefined) return undefined;
    for (const loser of losers) out.set(loser.candidate, loser);
  }
  if (out.size === 0) return { members: ordered, leftOut: [] };
  return { members: ordered.filter((candidate) => !out.has(candidate)), leftOut: [...out.values()] };
}

/** Everybody but the one that takes off most alone. Which one that is need not be exact: the proof fails where it matters. */
function losersAmong(rivals: readonly Candidate[], cart: PreparedCart): LeftOut[] | undefined {
  const trials = rivals.map((candidate) => ({ candidate, most: mostAlone(candidate, cart) }));
  let winner: Candidate | undefined;
  let best = 0;
  for (const { candidate, most } of trials) {
    if (typeof most !== 'number' || most <= best) continue;
    best = most;
    winner = candidate;
  }
  if (winner === undefined) return undefined;
  const losers: LeftOut[] = [];
  for (const { candidate, most } of trials) {
    if (typeof most !== 'number') losers.push({ candidate, failure: most });
    else if (candidate !== winner) losers.push({ candidate, winner, offMinor: most });
  }
  return losers;
}

/**
 * The most a candidate takes off alone, in minor units, or why it gives nothing. Many effects know it from the sum of the
 * lines; each line may round it by half a unit, so more than that sum is surely more than nothing.
 */
function mostAlone(candidate: Candidate, cart: PreparedCart): number | Failure {
  const { promotion, spendMinor, eligible } = candidate;
  const off = promotion.effect.offAtSpend(spendMinor) ?? 0;
  if (off > eligible.length) return off + eligible.length;
  const alone = applyAlone(candidate, cart);
  return alone.failure ?? alone.savedMinor;
}

function applyAll(members: readonly Candidate[], tally: Tally): boolean {
  return members.every((candidate) => tally.apply(candidate) === undefined);
}

/**
 * Whether no other legal set saves as much as the members together, which are applied.
 *
 * Proof. Let T be another legal set, Y its losers, and T − Y what else it has, all of it members. Adding a loser y to a set
 * gains at most what y takes off alone, as the others then find less and take no more, and spread odd units otherwise
 * (`odd` in all). So T saves at most Σ alone(y) + odd more than T − Y. Now the members that T − Y lacks are added one by
 * one, and each adds at least its net gain ({@link netGain}) there. That must be above zero, or T might be as good; and
 * every loser of T has a winner that T lacks: if its net gain is more than the loser takes off alone, T saves less.
 */
function isSurelyBest({ members, leftOut }: Division, tally: Tally): boolean {
  const places = members.map((candidate, at) => placeOf(candidate, at, tally));
  const nets = netGains(places, tally.left.length);
  if (nets === undefined) return false;
  const odd = places.reduce((sum, { touch }) => sum + touch.oddUnits, 0);
  return leftOut.every(
    (loser) =>
      loser.failure !== undefined || loser.offMinor + odd < (nets[members.indexOf(loser.winner)] ?? 0),
  );
}

/** A member where it stands in the full set. */
interface Place {
  readonly touch: Touch;
  readonly offMinor: number;
  /** The share it takes of each line; 0 when it takes a sum. */
  readonly rate: number;
  /** What is left in the end of the lines it takes a fixed sum off; 0 for others. */
  readonly leftMinor: number;
  /** Lines it works on. */
  readonly width: number;
}

function placeOf(candidate: Candidate, at: number, tally: Tally): Place {
  const offMinor = tally.offAt(at);
  const touch = touchOf(candidate, offMinor > 0 ? ANY_AMOUNT : 0, tally.left.length);
  const { reaction, target } = touch;
  const rate = reaction.kind === 'share' ? reaction.rate : 0;
  const isFixed = reaction.kind === 'fixed' && target === 'items';
  const leftMinor = isFixed ? sumAt(candidate.eligible, tally.left) : 0;
  return { touch, offMinor, rate, leftMinor, width: candidate.eligible.length };
}

/** What each member surely adds to any set, in minor units; undefined when one may add nothing. Gifts and points count as 0. */
function netGains(places: readonly Place[], lineCount: number): readonly number[] | undefined {
  const nets: number[] = [];
  let oddBefore = 0;
  for (let at = 0; at < places.length; at += 1) {
    const touch = places[at]?.touch;
    if (touch === undefined || touch.isErratic) return undefined;
    const net = touch.target === 'none' ? 0 : netGain(at, places, lineCount, oddBefore);
    if (net <= 0 && touch.target !== 'none') return undefined;
    nets.push(net);
    oddBefore += touch.oddUnits;
  }
  return nets;
}

/**
 * What a member surely adds to any set of members; zero or less when that cannot be told.
 *
 * In such a set less is applied before it than in the full one, so it takes off no less there but for the odd units before
 * it, which a fixed sum does not even feel. Let D be the sum that its discount leaves less on all lines, W the most that
 * odd units leave more on single lines, and `width` the most lines on which the two differ. Each later member then does as
 * {@link SureGains} derives: a share p takes p(D + W) back and less than a unit per differing line; what spreads lets every
 * line of its own differ and adds its odd units to W; a fixed sum takes nothing back unless it is cut short.
 */
function netGain(at: number, places: readonly Place[], lineCount: number, oddBefore: number): number {
  const own = places[at];
  if (own === undefined) return 0;
  if (own.touch.target === 'shipping') return isLastOnShipping(at, places) ? own.offMinor : 0;
  let gainMinor = own.touch.reaction.kind === 'fixed' ? own.offMinor : own.offMinor - oddBefore;
  let moreMinor = 0;
  let { width } = own;
  let odd = oddBefore + own.touch.oddUnits;
  for (let later = at + 1; later < places.length && gainMinor > 0; later += 1) {
    const place = places[later];
    if (place?.touch.target !== 'items') continue;
    const { oddUnits } = place.touch;
    if (place.rate > 0) {
      gainMinor -= place.rate * (gainMinor + moreMinor) + Math.min(width, place.width);
    } else if (place.leftMinor <= odd) {
      return 0;
    }
    if (oddUnits === 0) continue;
    odd += oddUnits;
    moreMinor += oddUnits;
    width = Math.min(lineCount, width + place.width);
  }
  return gainMinor;
}

/** Discounts on shipping meet only each other, and the later one may take what the earlier one left. */
function isLastOnShipping(at: number, places: readonly Place[]): boolean {
  return places.every(({ touch }, other) => other <= at || touch.target !== 'shipping');
}
