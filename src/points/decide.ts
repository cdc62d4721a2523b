/** Deciding on what was read: read, plan, send; and again when something has changed in between. */
import type { Refusal } from '../domain/refusal.ts';
import type { Outcome, Transaction } from '../ledger/transaction.ts';
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
 * Looks and carries out until a decision holds. Every round in which somebody else was faster is one in which somebody
 * got on, and each round minds the deadline. Throws what `look` and `ledger.transact` throw.
 */
export async function decide<Answer>(
  { ledger }: Pick<PointsPorts, 'ledger'>,
  deadlineMs: number,
  look: () => Promise<Decision<Answer>>,
): Promise<Answer> {
  for (;;) {
    const decision = await look();
    if ('answer' in decision) return decision.answer;
    const { plan } = decision;
    const outcome = await ledger.transact(plan.transaction, deadlineMs);
    if (outcome.kind === 'done') return plan.done(outcome.nowMs);
    // An attempt whose answer got lost has done it: the next look finds what it left.
    if (outcome.kind === 'replayed') continue;
    const refusal = await plan.stopped?.(outcome);
    if (refusal !== undefined) throw refusal;
  }
}
