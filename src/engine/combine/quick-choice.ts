/**
 * The combination where it is obvious, which is nearly always: everything applies, but for the losers among promotions of one
 * exclusive group, or among coupons when an order takes one. One pass over the candidates finds it and proves it; whatever is
 * not obvious is left to the search.
 */
import type { Failure } from '../../domain/decision.ts';
import type { Candidate } from '../candidate.ts';
import type { EffectOutcome } from '../effect-parts.ts';
import type { PreparedCart } from '../prepared-cart.ts';
import { type Application, applyAlone, type Tally, tallyOf } from '../tally.ts';
import { compareByApplication } from './application-order.ts';
import { type Touch, touchOf } from './touch.ts';

/** A candidate that is not in the combination: it gives nothing even alone, or somebody better of its kind is. */
export type LeftOut =
  | { readonly candidate: Candidate; readonly failure: Failure }
  | {
      readonly candidate: Candidate;
      readonly failure?: undefined;
      readonly winner: Candidate;
      /** What it takes off alone, in minor units. */
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
  const applications = isBest ? division.members.map((_, depth) => tally.applicationAt(depth)) : [];
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

/** Everybody but the one that takes off most alone; undefined when two of them take off equally much. */
function losersAmong(rivals: readonly Candidate[], cart: PreparedCart): LeftOut[] | undefined {
  const trials = rivals.map((candidate) => ({ candidate, alone: applyAlone(candidate, cart) }));
  const offs = trials.map(({ alone }) => (alone.failure === undefined ? alone.savedMinor : -1));
  const most = Math.max(...offs);
  const winner = trials[offs.indexOf(most)]?.candidate;
  if (winner === undefined || most <= 0 || offs.indexOf(most) !== offs.lastIndexOf(most)) return undefined;
  return trials
    .filter(({ candidate }) => candidate !== winner)
    .map(({ candidate, alone }) =>
      alone.failure === undefined
        ? { candidate, winner, offMinor: alone.savedMinor }
        : { candidate, failure: alone.failure },
    );
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
 * one. Each, i, takes off there no less than in the full set, `odd` aside, since less is applied before it; and of
 * what it takes off, those after it win back at most what {@link sureGains} derives: a fixed sum that is not cut short nothing,
 * a share p of m lines p of it and m. What is left of its discount is `net`, which must be above zero, or T might
 * be as good. Every loser of T has a winner that T lacks; if its net is more than the loser takes off alone, T saves less.
 */
function isSurelyBest({ members, leftOut }: Division, tally: Tally): boolean {
  const touches = members.map((candidate, at) => touchAt(candidate, tally.stepAt(at).outcome, tally));
  const odd = touches.reduce((sum, { oddUnits }) => sum + oddUnits, 0);
  const nets = netGains(touches, members, tally, odd);
  if (nets === undefined) return false;
  return leftOut.every(
    (loser) =>
      loser.failure !== undefined || loser.offMinor + odd < (nets[members.indexOf(loser.winner)] ?? 0),
  );
}

function touchAt(
  candidate: Candidate,
  { itemsOffMinor, shippingOffMinor }: Readonly<EffectOutcome>,
  tally: Tally,
): Touch {
  const most = itemsOffMinor + shippingOffMinor > 0 ? ANY_AMOUNT : 0;
  return touchOf(candidate, most, tally.left.length);
}

/** What later members may take back of a discount on the same thing. */
interface Erosion {
  share: number;
  lossMinor: number;
  isSwallowed: boolean;
}

/** What each member surely adds to any set, in minor units; undefined when one may add nothing. Gifts and points count as 0. */
function netGains(
  touches: readonly Touch[],
  members: readonly Candidate[],
  tally: Tally,
  odd: number,
): readonly number[] | undefined {
  const nets = new Array<number>(members.length).fill(0);
  const onItems: Erosion = { share: 1, lossMinor: 0, isSwallowed: false };
  const onShipping: Erosion = { share: 1, lossMinor: 0, isSwallowed: false };
  for (let at = members.length - 1; at >= 0; at -= 1) {
    const [touch, candidate] = [touches[at], members[at]];
    if (touch === undefined || candidate === undefined || touch.isErratic) return undefined;
    if (touch.target === 'none') continue;
    const { itemsOffMinor, shippingOffMinor } = tally.stepAt(at).outcome;
    const isOnItems = touch.target === 'items';
    const erosion = isOnItems ? onItems : onShipping;
    const sureOff = isOnItems ? itemsOffMinor - odd : shippingOffMinor;
    const net = sureOff * erosion.share - erosion.lossMinor;
    if (net <= 0 || erosion.isSwallowed) return undefined;
    nets[at] = net;
    const left = isOnItems ? tally.leftOver(candidate) - odd : tally.shippingLeftMinor;
    erode(erosion, touch, candidate, left, odd);
  }
  return nets;
}

/** @param leftMinor What is surely left of its lines in the end: if nothing is, even a fixed sum may have been cut short. */
function erode(
  erosion: Erosion,
  { reaction }: Touch,
  { eligible }: Candidate,
  leftMinor: number,
  odd: number,
): void {
  if (reaction.kind === 'share') {
    erosion.share *= 1 - reaction.rate;
    erosion.lossMinor += eligible.length + reaction.rate * odd;
  } else if (reaction.kind === 'swallows' || leftMinor <= 0) {
    erosion.isSwallowed = true;
  }
}
