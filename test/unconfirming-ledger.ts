/** A ledger whose reads answer while its writes are not confirmed by as many replicas as are configured. */
import { Refusal } from '../src/domain/refusal.ts';
import type { Ledger } from '../src/ledger/ledger.ts';

/** The same ledger, none of whose writes is vouched for: the outcome of each is unknown. */
export function unconfirming(ledger: Ledger): Ledger {
  const value = () =>
    Promise.reject(new Refusal('DURABILITY_UNMET', 'too few replicas have confirmed this write'));
  return Object.create(ledger, { transact: { value }, transactAt: { value } });
}
