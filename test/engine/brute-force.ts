/**
 * A combiner that is easy to check by reading: it forms every subset of the candidates, applies each from the beginning, and
 * keeps the best. It uses the effects of the product and nothing of its search.
 */

import { spread } from '../../src/domain/money.ts';
import type { Candidate } from '../../src/engine/candidate.ts';
import type { EffectOutcome } from '../../src/engine/effect-parts.ts';
import type { PreparedCart } from '../../src/engine/prepared-cart.ts';

/** A legal set with everything its rank depends on. */
export interface RankedSet {
  /** In the order of application. */
  readonly members: readonly Candidate[];
  readonly savedMinor: number;
  readonly giftUnits: number;
  readonly bonusPoints: number;
}

/** The best legal set that contains all of `must`; undefined when there is none. */
export function bestOfAllSets(
  candidates: readonly Candidate[],
  cart: PreparedCart,
  slots: number,
  must: readonly Candidate[] = [],
): RankedSet | undefined {
  let best: RankedSet | undefined;
  for (let mask = 0; mask < 2 ** candidates.length; mask += 1) {
    const members = candidates.filter((_, at) => (mask >> at) % 2 === 1);
    if (!must.every((each) => members.includes(each))) continue;
    const set = applySet(members, cart, slots);
    if (set !== undefined && (best === undefined || isBetter(set, best))) best = set;
  }
  return best;
}

/** Applies a set in order; undefined when it is not legal. */
export function applySet(
  members: readonly Candidate[],
  cart: PreparedCart,
  slots: number,
): RankedSet | undefined {
  if (members.filter(({ takesSlot }) => takesSlot).length > slots) return undefined;
  for (const one of members)
    for (const other of members) if (one !== other && !mayMeet(one, other)) return undefined;
  const left = [...cart.amounts];
  let [shippingLeft, savedMinor, giftUnits, bonusPoints] = [cart.cart.shippingMinor, 0, 0, 0];
  const inOrder = members.toSorted(byTurn);
  for (const candidate of inOrder) {
    const given = applyOne(candidate, cart, left, shippingLeft);
    if (given === undefined) return undefined;
    for (const [place, off] of given.lineOff.entries()) left[place] = (left[place] ?? 0) - off;
    shippingLeft -= given.shippingOff;
    savedMinor += sum(given.lineOff) + given.shippingOff;
    giftUnits += given.giftUnits;
    bonusPoints += given.points;
  }
  return { members: inOrder, savedMinor, giftUnits, bonusPoints };
}

interface Given {
  readonly lineOff: readonly number[];
  readonly shippingOff: number;
  readonly giftUnits: number;
  readonly points: number;
}

function applyOne(
  { promotion, eligible, spendMinor, units, budgetLeftMinor }: Candidate,
  cart: PreparedCart,
  left: readonly number[],
  shippingLeftMinor: number,
): Given | undefined {
  const spendLeft = sum(eligible.map((place) => left[place] ?? 0));
  if (promotion.spendAfter !== undefined && spendLeft < promotion.spendAfter.minor) return undefined;
  const lines = cart.lines.length;
  const outcome: EffectOutcome = {
    lineOff: new Float64Array(lines),
    unitsOff: new Float64Array(lines),
    itemsOffMinor: 0,
    shippingOffMinor: 0,
    gifts: [],
    bonusPoints: 0,
  };
  const input = { cart, eligible, spendMinor, units, shippingLeftMinor, isOptimistic: false };
  promotion.effect.apply({ ...input, left: Float64Array.from(left) }, outcome);
  const giftUnits = sum(outcome.gifts.map(({ quantity }) => quantity));
  const offs = [...outcome.lineOff, outcome.shippingOffMinor];
  if (sum(offs) === 0 && giftUnits === 0 && outcome.bonusPoints === 0) return undefined;
  const isOver = sum(offs) > budgetLeftMinor;
  if (isOver && promotion.definition.budget?.shortfall !== 'cut') return undefined;
  const kept = isOver ? spread(budgetLeftMinor, offs) : offs;
  return {
    lineOff: kept.slice(0, -1),
    shippingOff: kept.at(-1) ?? 0,
    giftUnits,
    points: outcome.bonusPoints,
  };
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0);
}

function mayMeet({ promotion: one }: Candidate, { promotion: other }: Candidate): boolean {
  const shared = [...one.stacking.exclusiveGroups].some((group) => other.stacking.exclusiveGroups.has(group));
  return (
    !one.stacking.isAlone &&
    !other.stacking.isAlone &&
    !one.stacking.excludedKinds.has(other.effect.kind) &&
    !other.stacking.excludedKinds.has(one.effect.kind) &&
    !shared
  );
}

const CLASSES = ['item', 'order', 'shipping', 'benefit'];

function byTurn(one: Candidate, other: Candidate): number {
  return (
    CLASSES.indexOf(one.promotion.class) - CLASSES.indexOf(other.promotion.class) ||
    other.promotion.definition.priority - one.promotion.definition.priority ||
    byText(keyOf(one), keyOf(other))
  );
}

/** Sorts by promotion id, then by coupon or code: nothing sorts before the separator. */
function keyOf({ promotion, source }: Candidate): string {
  const text = source.kind === 'automatic' ? '' : source.kind === 'coupon' ? source.couponId : source.code;
  return `${promotion.definition.id}\u0000${text}`;
}

function byText(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}

/** Larger saving, more gifts, more points, fewer coupons, sooner expiry, fewer members, lower ids. */
function isBetter(one: RankedSet, other: RankedSet): boolean {
  const [ours, theirs] = [expiries(one), expiries(other)];
  const difference =
    other.savedMinor - one.savedMinor ||
    other.giftUnits - one.giftUnits ||
    other.bonusPoints - one.bonusPoints ||
    ours.length - theirs.length ||
    firstDifference(ours, theirs, (left, right) => (left === right ? 0 : left - right)) ||
    one.members.length - other.members.length ||
    firstDifference(one.members.map(keyOf).sort(byText), other.members.map(keyOf).sort(byText), byText);
  return difference < 0;
}

function expiries({ members }: RankedSet): number[] {
  const coupons = members.filter(({ takesSlot }) => takesSlot);
  return coupons
    .map(({ expiresAtMs }) => expiresAtMs)
    .sort((left, right) => (left === right ? 0 : left - right));
}

function firstDifference<Item>(
  ours: readonly Item[],
  theirs: readonly Item[],
  compare: (one: Item, other: Item) => number,
): number {
  for (const [at, our] of ours.entries()) {
    const their = theirs[at];
    const difference = their === undefined ? 1 : compare(our, their);
    if (difference !== 0) return difference;
  }
  return 0;
}
