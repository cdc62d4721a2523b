/** What the ledger knows about a user. */
import { decidingTags, decodeUserFacts, type StoredFacts } from '../domain/user-facts.ts';
import type { ClaimFacts } from '../ledger/claim-operation.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ACCOUNT_FIELDS } from '../ledger/record-fields.ts';
import { accountOf } from '../ledger/transaction.ts';

/** The facts in an account's record; undefined when nothing was ever told about the user. */
export function factsIn(account: ReadonlyMap<string, Buffer>): StoredFacts | undefined {
  const bytes = account.get(ACCOUNT_FIELDS.facts.name);
  return bytes === undefined ? undefined : decodeUserFacts(bytes);
}

/** Reads what is known about a user; undefined when nothing is. Throws LEDGER_* or DEADLINE_EXCEEDED. */
export async function storedFacts(
  ledger: Pick<Ledger, 'read'>,
  userId: string,
  deadlineMs: number,
): Promise<StoredFacts | undefined> {
  const [account] = await ledger.read(deadlineMs, (reads) => reads.records([accountOf(userId)]));
  return account && factsIn(account);
}

/** The facts as claims take them. */
export function claimFactsOf(facts: StoredFacts): ClaimFacts {
  const { registeredAtMs, ordersCompleted } = facts;
  return {
    tags: decidingTags(facts) ?? [],
    ...(registeredAtMs !== undefined && { registeredAtMs }),
    ...(ordersCompleted !== undefined && { ordersCompleted }),
  };
}
