/** Facts about users in Postgres: a copy of what the ledger holds, to find users by. */
import { textArray } from '../database/array-literal.ts';
import { type Sql, withDeadline } from '../database/client.ts';
import type { StoredFacts } from '../domain/user-facts.ts';

/** No revision of facts is above it, so what it marks stays. */
const LAST_REVISION = Number.MAX_SAFE_INTEGER;

/** Month × 100 + day of a birthday; null when there is none. */
function birthdayKey(birthday: string | undefined): number | null {
  return birthday === undefined || birthday === ''
    ? null
    : Number(birthday.slice(5, 7) + birthday.slice(8, 10));
}

/** Copies the facts unless a newer copy is there. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
export async function copyUserFacts(
  sql: Sql,
  userId: string,
  facts: StoredFacts,
  deadlineMs: number,
): Promise<void> {
  const { revision, tags = [], level = '', registeredAtMs, ordersCompleted, birthday } = facts;
  const registeredAt = registeredAtMs === undefined ? null : new Date(registeredAtMs);
  const attributes = JSON.stringify(Object.fromEntries(facts.attributes));
  await withDeadline(
    sql`
      insert into user_facts as u (user_id, revision, tags, level, registered_at, orders_completed, birthday,
        birthday_key, attributes)
      values (${userId}, ${revision}, ${textArray(tags)}::text[], ${level}, ${registeredAt},
        ${ordersCompleted ?? null}, ${birthday ?? ''}, ${birthdayKey(birthday)}, ${attributes}::text::jsonb)
      on conflict (user_id) do update
      set revision = excluded.revision, tags = excluded.tags, level = excluded.level,
        registered_at = excluded.registered_at, orders_completed = excluded.orders_completed,
        birthday = excluded.birthday, birthday_key = excluded.birthday_key, attributes = excluded.attributes,
        updated_at = now()
      where u.revision < excluded.revision`,
    deadlineMs,
  );
}

/** Empties the copy for good: what is left says that there was somebody, and no later copy fills it again. */
export async function forgetUserFacts(sql: Sql, userId: string, deadlineMs: number): Promise<void> {
  const nobody: StoredFacts = {
    revision: LAST_REVISION,
    attributes: new Map(),
    orders: undefined,
    statedAtMs: new Map(),
    wholeAtMs: 0,
  };
  await copyUserFacts(sql, userId, nobody, deadlineMs);
}
