/** Answering from what was read alone: only once it is as safe as the answer to a write. */
import type { Ledger } from '../ledger/ledger.ts';
import { expectHead, type OrderRecords } from './read-order.ts';

/**
 * Whether the order is still as it was read, asked as a write is: of an open partition, and with as many replicas as writes
 * are answered by. What another attempt wrote may be on the first server only, and an answer made of it could be lost with
 * that server. Throws DURABILITY_UNMET and those of the ledger; nothing is written.
 */
export async function isConfirmed(
  ledger: Pick<Ledger, 'transact'>,
  records: OrderRecords,
  deadlineMs: number,
): Promise<boolean> {
  const transaction = { event: 'reserved', opensNew: false, steps: [expectHead(records)] } as const;
  const outcome = await ledger.transact(transaction, deadlineMs);
  return outcome.kind === 'done';
}
