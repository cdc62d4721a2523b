/** Changing what is known about a user: in the ledger, where decisions read it, then in the copy users are found by. */
import { encodeUserFacts, NO_FACTS, type StoredFacts } from '../domain/user-facts.ts';
import { isErased, noSuchUser, sameErasure, userExists } from '../ledger/erased-user.ts';
import { changed, unchanged } from '../ledger/held-fields.ts';
import { ACCOUNT_FIELDS } from '../ledger/record-fields.ts';
import { isStillSo } from '../ledger/still-so.ts';
import { accountOf, type Step } from '../ledger/transaction.ts';
import type { EventPorts } from './event-ports.ts';
import { factsIn } from './stored-facts.ts';
import { copyUserFacts } from './user-facts-table.ts';

/** The facts after a change, and whether it was one. */
export interface ChangedFacts {
  readonly facts: StoredFacts;
  readonly isChanged: boolean;
}

/** Steps that hold an account's facts to what was read and write the next ones; none when nothing changes. */
export function factsSteps(
  userId: string,
  account: ReadonlyMap<string, Buffer>,
  next: StoredFacts,
): readonly Step[] {
  const value = Buffer.from(encodeUserFacts(next));
  const steps = changed(accountOf(userId), ACCOUNT_FIELDS.facts.bytes, account, value);
  return steps.length === 0 ? [] : [userExists(userId), ...steps];
}

/**
 * Changes the facts and copies them. `change` gives the object it was given when there is nothing to change; it is asked
 * again when others were faster. Throws USER_NOT_FOUND for an erased user, LEDGER_*, ARCHIVE_UNAVAILABLE.
 */
export async function changeFacts(
  ports: Pick<EventPorts, 'ledger' | 'sql'>,
  userId: string,
  change: (facts: StoredFacts) => StoredFacts,
  deadlineMs: number,
): Promise<ChangedFacts> {
  const { ledger, sql } = ports;
  for (;;) {
    const [account = new Map<string, Buffer>()] = await ledger.read(deadlineMs, (reads) =>
      reads.records([accountOf(userId)]),
    );
    const seen = [
      sameErasure(userId, account),
      unchanged(accountOf(userId), ACCOUNT_FIELDS.facts.bytes, account),
    ];
    if (isErased(account)) {
      if (await isStillSo(ledger, seen, deadlineMs)) throw noSuchUser();
      continue;
    }
    const known = factsIn(account) ?? NO_FACTS;
    const next = change(known);
    const isChanged = next !== known;
    const steps = isChanged ? factsSteps(userId, account, next) : [];
    // What was known before is an answer too, and held to what was read of it.
    const wanted = steps.length > 0 ? steps : seen;
    const transaction = { event: 'facts_changed', opensNew: false, steps: wanted } as const;
    if ((await ledger.transact(transaction, deadlineMs)).kind !== 'done') continue;
    // Also when nothing changed: an attempt that was cut off may have left the copy behind.
    await copyUserFacts(sql, userId, next, deadlineMs);
    return { facts: next, isChanged };
  }
}
