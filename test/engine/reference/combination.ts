/** Every legal set of promotions is tried; the best one is the answer. */
import type { Failure } from '../../../src/domain/decision.ts';
import type { EvaluationInput } from '../../../src/engine/evaluation-input.ts';
import { after, applyTo, byTurn, type Remains, sourceText, type Usable, untouched } from './application.ts';
import { plainCode } from './contenders.ts';
import type { Given } from './effect-turn.ts';
import { byCodeUnits, type ExactCart } from './exact-cart.ts';
import { sum } from './exact-money.ts';

/** A promotion of a set, with what it gives there. */
export interface Application {
  readonly usable: Usable;
  readonly given: Given;
}

/** A legal set, applied in order. */
export type Chosen = readonly Application[];

/** A usable candidate that is not in the chosen set, and why. */
export interface Dropped {
  readonly usable: Usable;
  readonly failure: Failure & { readonly conflictsWith?: readonly string[] };
}

/** Whether a candidate counts towards the coupons an order may use. */
export function takesSlot({ source }: Usable): boolean {
  return source.kind !== 'automatic';
}

function stackabilityOf({ definition }: Usable) {
  return definition.rules.find((rule) => rule.kind === 'stackability');
}

/** Whether two promotions may be applied to one order. */
export function arePair(one: Usable, other: Usable): boolean {
  const [ours, theirs] = [stackabilityOf(one), stackabilityOf(other)];
  if (ours?.mode === 'alone' || theirs?.mode === 'alone') return false;
  if (ours?.excludedKinds.includes(other.definition.effect.kind)) return false;
  if (theirs?.excludedKinds.includes(one.definition.effect.kind)) return false;
  return !ours?.exclusiveGroups.some((group) => theirs?.exclusiveGroups.includes(group));
}

/** The best set that contains all of `given`, or undefined when those cannot be applied together. */
function bestSet(
  candidates: readonly Usable[],
  must: readonly Usable[],
  cart: ExactCart,
  slots: number,
): Chosen | undefined {
  const inOrder = candidates.toSorted(byTurn);
  let best: Chosen | undefined;
  const extend = (at: number, chosen: Chosen, remains: Remains): void => {
    const usable = inOrder[at];
    if (usable === undefined) {
      if (best === undefined || compareSets(chosen, best) < 0) best = chosen;
      return;
    }
    if (!must.includes(usable)) extend(at + 1, chosen, remains);
    const isFull = takesSlot(usable) && chosen.filter((each) => takesSlot(each.usable)).length >= slots;
    if (isFull || !chosen.every((each) => arePair(each.usable, usable))) return;
    const { given } = applyTo(remains, usable, cart);
    if (given !== undefined) extend(at + 1, [...chosen, { usable, given }], after(remains, given));
  };
  extend(0, [], untouched(cart));
  return best;
}

/** Negative when the first set is better. */
export function compareSets(one: Chosen, other: Chosen): number {
  return (
    compareLarger(savedBy(one), savedBy(other)) ||
    giftUnits(other) - giftUnits(one) ||
    compareLarger(pointsOf(one), pointsOf(other)) ||
    expiries(one).length - expiries(other).length ||
    compareLists(expiries(one), expiries(other), (left, right) => (left === right ? 0 : left - right)) ||
    one.length - other.length ||
    compareLists(idsOf(one), idsOf(other), byCodeUnits)
  );
}

function compareLarger(one: bigint, other: bigint): number {
  return Number(other - one);
}

function savedBy(set: Chosen): bigint {
  return sum(set.map(({ given }) => sum(given.lineOff) + given.shippingOff));
}

function pointsOf(set: Chosen): bigint {
  return sum(set.map(({ given }) => given.points));
}

function giftUnits(set: Chosen): number {
  return set.flatMap(({ given }) => given.gifts).reduce((units, { quantity }) => units + quantity, 0);
}

function expiries(set: Chosen): number[] {
  const takers = set.filter(({ usable }) => takesSlot(usable));
  return takers
    .map(({ usable }) => usable.expiresAtMs)
    .sort((one, other) => (one === other ? 0 : one - other));
}

function idsOf(set: Chosen): string[] {
  return set.map(({ usable }) => `${usable.promotionId}\u0000${sourceText(usable)}`).sort(byCodeUnits);
}

function compareLists<Item>(
  one: readonly Item[],
  other: readonly Item[],
  compare: (left: Item, right: Item) => number,
): number {
  for (const [at, item] of one.entries()) {
    const against = other[at];
    const result = against === undefined ? 1 : compare(item, against);
    if (result !== 0) return result;
  }
  return one.length - other.length;
}

function notCombinable(usable: Usable, conflictsWith: readonly string[]): Dropped {
  return { usable, failure: { reason: 'NOT_COMBINABLE', conflictsWith: [...new Set(conflictsWith)] } };
}

/** The candidates that stay when those that win by priority have removed what they exclude. */
function withoutOutranked(usable: readonly Usable[]): { staying: Usable[]; removed: Dropped[] } {
  const ranked = usable.toSorted(
    (one, other) =>
      other.definition.priority - one.definition.priority ||
      byCodeUnits(one.promotionId, other.promotionId) ||
      byCodeUnits(sourceText(one), sourceText(other)),
  );
  const removed: Dropped[] = [];
  const isOut = (each: Usable): boolean => removed.some((drop) => drop.usable === each);
  for (const [rank, winner] of ranked.entries()) {
    if (isOut(winner) || stackabilityOf(winner)?.choice !== 'first_by_priority') continue;
    for (const loser of ranked.slice(rank + 1)) {
      if (isOut(loser) || arePair(winner, loser)) continue;
      removed.push(notCombinable(loser, [winner.promotionId]));
    }
  }
  return { staying: ranked.filter((each) => !isOut(each)), removed };
}

/** The named coupons and codes in the order named, as far as each keeps the set legal. */
function namedOf(usable: readonly Usable[], { selection }: EvaluationInput): Usable[] {
  if (selection.kind === 'best') return [];
  const names = [
    ...selection.couponIds.map((id) => `coupon ${id}`),
    ...selection.codes.map((code) => `code ${plainCode(code)}`),
  ];
  return [...new Set(names)].flatMap(
    (name) => usable.find((each) => `${each.source.kind} ${sourceText(each)}` === name) ?? [],
  );
}

/** The set that applies, and why every other candidate does not. */
export function combine(
  usable: readonly Usable[],
  cart: ExactCart,
  input: EvaluationInput,
): { chosen: Chosen; dropped: Dropped[] } {
  const named = namedOf(usable, input);
  const isNotSelected = (each: Usable): boolean =>
    input.selection.kind === 'own' && takesSlot(each) && !named.includes(each);
  const { staying, removed } = withoutOutranked(usable.filter((each) => !isNotSelected(each)));
  const slots = input.couponsPerOrder;
  const must: Usable[] = [];
  for (const each of named.filter((one) => staying.includes(one))) {
    if (bestSet([...must, each], [...must, each], cart, slots) !== undefined) must.push(each);
  }
  const searched =
    input.selection.kind === 'best'
      ? staying
      : staying.filter((each) => !takesSlot(each) || must.includes(each));
  const chosen = bestSet(searched, must, cart, slots) ?? [];
  return {
    chosen,
    dropped: usable.flatMap((each) => reasonFor(each, chosen, removed, isNotSelected(each), slots) ?? []),
  };
}

function reasonFor(
  usable: Usable,
  chosen: Chosen,
  removed: readonly Dropped[],
  isNotSelected: boolean,
  slots: number,
): Dropped | undefined {
  if (chosen.some((each) => each.usable === usable)) return undefined;
  if (isNotSelected) return { usable, failure: { reason: 'NOT_SELECTED' } };
  const against = chosen
    .filter((each) => !arePair(each.usable, usable))
    .map((each) => each.usable.promotionId);
  if (against.length > 0) return notCombinable(usable, against);
  const outranked = removed.find((drop) => drop.usable === usable);
  if (outranked !== undefined) return outranked;
  const isFull = takesSlot(usable) && chosen.filter((each) => takesSlot(each.usable)).length >= slots;
  return { usable, failure: { reason: isFull ? 'COUPON_COUNT_EXCEEDED' : 'BETTER_COMBINATION' } };
}
