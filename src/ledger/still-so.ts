/** Answering from what was read alone: only once it is as safe as the answer to a write. */
import { CorruptRecordError } from '../domain/record-json.ts';
import { REASONS, Refusal } from '../domain/refusal.ts';
import type { Ledger } from './ledger.ts';
import type { Step } from './transaction.ts';

/**
 * Whether records are still as they were read, asked as a write is: of an open partition, and with as many replicas as writes
 * are answered by. What another attempt wrote may be on the first server only, and an answer made of it could be lost with
 * that server; what a server does not hold that has just taken over, it may be about to get back. Nothing is written. Throws
 * what `ledger.transact` throws: nothing may be answered then.
 *
 * @param seen steps that hold fields of one user to what was read of them; when there are none, nothing is asked
 */
export async function isStillSo(
  ledger: Pick<Ledger, 'transact'>,
  seen: readonly Step[],
  deadlineMs: number,
): Promise<boolean> {
  if (seen.length === 0) return true;
  // The event is never written: these steps change nothing.
  const outcome = await ledger.transact({ event: 'order_noted', opensNew: false, steps: seen }, deadlineMs);
  return outcome.kind === 'done';
}

/**
 * Whether what was thrown refuses for good by something that is no longer so, or found records that contradict each other because
 * they were read one after the other and something happened in between: look again. Whatever else was thrown says itself that
 * its outcome is unknown. Throws as {@link isStillSo} does.
 */
export async function isOutdated(
  error: unknown,
  ledger: Pick<Ledger, 'transact'>,
  seen: readonly Step[],
  deadlineMs: number,
): Promise<boolean> {
  const isFinal = error instanceof Refusal && REASONS[error.reason].outcome === 'noEffect';
  if (!isFinal && !(error instanceof CorruptRecordError)) return false;
  return !(await isStillSo(ledger, seen, deadlineMs));
}
