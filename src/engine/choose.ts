import { type Application, applyInOrder } from './apply.ts';
import type { Candidate } from './candidate.ts';
import { type CheckedContender, judge } from './check/judge.ts';
import { type Combination, combine, type DroppedCandidate } from './combine/combine.ts';
import { chooseQuickly, type LeftOut, type QuickChoice } from './combine/quick-choice.ts';
import type { EvaluationInput } from './evaluation-input.ts';
import type { PreparedCart } from './prepared-cart.ts';

/** Which candidates apply, what each gives where it stands, and what became of the others. */
export interface Choice {
  /** Everybody who asked, with the last of their checks done. */
  readonly contenders: readonly CheckedContender[];
  readonly combination: Combination;
  readonly applications: readonly Application[];
}

/** Chooses the best legal combination: at once where it is obvious, otherwise by a search among those that give something alone. */
export function choose(
  checked: readonly CheckedContender[],
  cart: PreparedCart,
  input: EvaluationInput,
): Choice {
  const quick =
    input.selection.kind === 'best'
      ? chooseQuickly(candidatesOf(checked), cart, input.couponsPerOrder)
      : undefined;
  if (quick !== undefined) return obviousChoice(checked, quick);
  const contenders = checked.map((each) => judge(each, cart));
  const combination = combine(candidatesOf(contenders), cart, input);
  return { contenders, combination, applications: applyInOrder(combination.chosen, cart) };
}

function candidatesOf(contenders: readonly CheckedContender[]): Candidate[] {
  const candidates: Candidate[] = [];
  for (const { candidate } of contenders) if (candidate !== undefined) candidates.push(candidate);
  return candidates;
}

function obviousChoice(checked: readonly CheckedContender[], { applications, leftOut }: QuickChoice): Choice {
  const chosen = applications.map(({ candidate }) => candidate);
  const dropped = leftOut.flatMap((each) => droppedOf(each) ?? []);
  const contenders = leftOut.some(({ failure }) => failure !== undefined)
    ? failing(checked, leftOut)
    : checked;
  return { contenders, combination: { chosen, dropped, isProvenOptimal: true }, applications };
}

/** Whoever takes the only slot keeps the others out; of an exclusive group the one that saves most does. */
function droppedOf(out: LeftOut): DroppedCandidate | undefined {
  if (out.failure !== undefined) return undefined;
  const { candidate, winner } = out;
  if (candidate.promotion.stacking.exclusiveGroups.size === 0) {
    return { candidate, reason: 'COUPON_COUNT_EXCEEDED' };
  }
  return { candidate, reason: 'NOT_COMBINABLE', conflictsWith: [winner.promotion.definition.id] };
}

function failing(checked: readonly CheckedContender[], leftOut: readonly LeftOut[]): CheckedContender[] {
  const failures = new Map(leftOut.map(({ candidate, failure }) => [candidate, failure]));
  return checked.map((each) => {
    const failure = each.candidate === undefined ? undefined : failures.get(each.candidate);
    return failure === undefined ? each : { contender: each.contender, failure };
  });
}
