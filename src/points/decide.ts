/** Deciding on what was read: read, plan, send; and again when something has changed in between. */
import type { Refusal } from '../domain/refusal.ts';
import { isOutdated, isStillSo } from '../ledger/still-so.ts';
import type { Outcome, Step, Transaction } from '../ledger/transaction.ts';
import type { PointsPorts } from './points-ports.ts';

/** An outcome that has changed nothing. */
export type Stopped = Exclude<Outcome, { kind: 'done' | 'replayed' }>;

/** A transaction, and what its outcomes mean. */
export interface Plan<Answer> {
  readonly transaction: Transaction;
  done(nowMs: number): Answer;
  /** Why it stopped there; undefined: something had changed, read and plan again. */
  stopped?(outcome: Stopped): Refusal | undefined | Promise<Refusal | undefined>;
}

/** What a look at the records leads to. */
export type Decision<Answer> = { readonly answer: Answer } | { readonly plan: Plan<Answer> };

/**
 * Looks and carries out until a decision holds. What a look answers or refuses for good counts only once what it has seen is
 * as safe as a write: it adds steps that hold what it read to `seen`. One that adds none only shows something. Every round in which somebody else was faster is one in which somebody
 * got on, and each round minds the deadline. Throws what `look` and `ledger.transact` throw.
 */
export async function decide<Answer>(
  { ledger }: Pick<PointsPorts, 'ledger'>,
  deadlineMs: number,
  look: (seen: Step[]) => Promise<Decision<Answer>>,
): Promise<Answer> {
  for (;;) {
    const seen: Step[] = [];
    const decision = await look(seen).catch(async (error: unknown) => {
      if (await isOutdated(error, ledger, seen, deadlineMs)) return undefined;
      throw error;
    });
    if (decision === undefined) continue;
    if ('answer' in decision) {
      if (await isStillSo(ledger, seen, deadlineMs)) return decision.answer;
      continue;
    }
    const { plan } = decision;
    const outcome = await ledger.transact(plan.transaction, deadlineMs);
    if (outcome.kind === 'done') return plan.done(outcome.nowMs);
    // An attempt whose answer got lost has done it: the next look finds what it left.
    if (outcome.kind === 'replayed') continue;
    const refusal = await plan.stopped?.(outcome);
    if (refusal !== undefined) throw refusal;
  }
}
