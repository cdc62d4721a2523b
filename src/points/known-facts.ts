/** What an exchange may believe about a user: what the caller asserts, and what the shop told before for the rest. */
import { decodeUserFacts } from '../domain/user-facts.ts';
import type { ClaimFacts } from '../ledger/claim-operation.ts';
import { ACCOUNT_FIELDS } from '../ledger/record-fields.ts';
import type { RecordMap } from './account-points.ts';

/** The facts of a decision; undefined when nothing is known. An empty list of asserted tags says nothing. */
export function knownFacts(asserted: ClaimFacts | undefined, account: RecordMap): ClaimFacts | undefined {
  const bytes = account.get(ACCOUNT_FIELDS.facts.name);
  if (bytes === undefined) return asserted;
  const { tags = [], registeredAtMs, ordersCompleted } = decodeUserFacts(bytes);
  const stored = {
    ...(registeredAtMs !== undefined && { registeredAtMs }),
    ...(ordersCompleted !== undefined && { ordersCompleted }),
  };
  if (asserted === undefined) return { ...stored, tags };
  return { ...stored, ...asserted, tags: asserted.tags.length > 0 ? asserted.tags : tags };
}
