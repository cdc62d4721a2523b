/**
 * Several candidates of one promotion share what its limits leave. The search for the best combination looks at each of them
 * by itself, so the shares are given out before it: to those the caller named, in that order, then to those that save most alone, of
 * equal ones to those that end sooner.
 */
import type { Failure } from '../domain/decision.ts';
import { type LiveLimit, usesLeft } from '../domain/live-limit.ts';
import { applyAlone } from './apply.ts';
import type { Candidate } from './candidate.ts';
import type { CheckedContender } from './check/judge.ts';
import { compareBySooner } from './combine/application-order.ts';
import { divideBySelection } from './combine/own-selection.ts';
import type { Selection } from './evaluation-input.ts';
import type { PreparedCart } from './prepared-cart.ts';

/** What an order may use. */
interface OrderTerms {
  readonly selection: Selection;
  readonly couponsPerOrder: number;
}

/** What becomes of a candidate that shares its promotion's limits with others. */
type Share =
  | { readonly failure: Failure }
  | { readonly budgetLeftMinor: number; readonly failure?: undefined };

/** The contenders with what is left for each; a candidate for which nothing is left is out. */
export function ration(
  checked: readonly CheckedContender[],
  cart: PreparedCart,
  limits: ReadonlyMap<number, LiveLimit>,
  terms: OrderTerms,
): readonly CheckedContender[] {
  if (limits.size === 0) return checked;
  const shares = new Map<Candidate, Share>();
  for (const [ref, sharing] of sharingByRef(checked, cart, limits, terms.selection)) {
    const limit = limits.get(ref);
    if (limit !== undefined) share(sharing, limit, terms.couponsPerOrder, cart, shares);
  }
  return shares.size === 0 ? checked : checked.map((each) => withShare(each, shares));
}

function withShare(checked: CheckedContender, shares: ReadonlyMap<Candidate, Share>): CheckedContender {
  const { contender, candidate } = checked;
  const found = candidate && shares.get(candidate);
  if (candidate === undefined || found === undefined) return checked;
  if (found.failure !== undefined) return { contender, failure: found.failure };
  return { contender, candidate: { ...candidate, budgetLeftMinor: found.budgetLeftMinor } };
}

/** Candidates that give something alone, by their promotion, where it has limits and there are several. */
function sharingByRef(
  checked: readonly CheckedContender[],
  cart: PreparedCart,
  limits: ReadonlyMap<number, LiveLimit>,
  selection: Selection,
): Map<number, Candidate[]> {
  const limited = checked.flatMap(({ candidate }) =>
    candidate !== undefined && limits.has(refOf(candidate)) ? candidate : [],
  );
  const counts = Map.groupBy(limited, refOf);
  const savings = new Map<Candidate, number>();
  for (const candidate of limited) {
    if ((counts.get(refOf(candidate))?.length ?? 0) < 2) continue;
    const alone = applyAlone(candidate, cart);
    if (alone.failure === undefined) savings.set(candidate, alone.savedMinor);
  }
  const { named, others } = divideBySelection([...savings.keys()], selection);
  const savingOf = (candidate: Candidate): number => savings.get(candidate) ?? 0;
  const ranked = others.toSorted(
    (left, right) => savingOf(right) - savingOf(left) || compareBySooner(left, right),
  );
  return Map.groupBy([...named, ...ranked], refOf);
}

function refOf({ promotion }: Candidate): number {
  return promotion.definition.ref;
}

function share(
  sharing: readonly Candidate[],
  { uses, userUses, budget }: LiveLimit,
  couponsPerOrder: number,
  cart: PreparedCart,
  shares: Map<Candidate, Share>,
): void {
  const takers = sharing.filter(({ takesSlot }) => takesSlot).length;
  const together = sharing.length - takers + Math.min(takers, couponsPerOrder);
  if (together < 2) return;
  const byAnybody = uses === undefined ? Infinity : usesLeft(uses);
  const byUser = userUses === undefined ? Infinity : usesLeft(userUses);
  const usable = Math.min(byAnybody, byUser);
  const kept = usable < together ? sharing.slice(0, usable) : sharing;
  const allowed = (byAnybody <= byUser ? uses : userUses)?.allowed ?? 0;
  const reason = byAnybody <= byUser ? 'USES_EXHAUSTED' : 'USER_USES_EXHAUSTED';
  for (const candidate of sharing.slice(kept.length)) {
    shares.set(candidate, { failure: { reason, needed: allowed, seen: allowed } });
  }
  if (budget !== undefined) shareBudget(kept, budget.leftMinor, cart, shares);
}

/** Each may take what it takes alone, as long as there is something left of the budget; so together they keep it. */
function shareBudget(
  sharing: readonly Candidate[],
  budgetLeftMinor: number,
  cart: PreparedCart,
  shares: Map<Candidate, Share>,
): void {
  let leftMinor = budgetLeftMinor;
  for (const candidate of sharing) {
    if (candidate.budgetLeftMinor === Infinity) continue;
    const mostMinor = Math.min(candidate.budgetLeftMinor, leftMinor);
    const alone = applyAlone({ ...candidate, budgetLeftMinor: mostMinor }, cart);
    if (alone.failure?.reason === 'BUDGET_EXCEEDED') shares.set(candidate, { failure: alone.failure });
    if (alone.failure !== undefined || alone.savedMinor === 0) continue;
    shares.set(candidate, { budgetLeftMinor: alone.savedMinor });
    leftMinor -= alone.savedMinor;
  }
}
