import { plainArray } from '../../database/array-literal.ts';
import { type Sql, withDeadline } from '../../database/client.ts';
import { type BodyRow, type StoredPromotion, storedPromotion } from './stored-promotion.ts';

/** Nobody else tries a row that was taken before this; a process that dies with it delays it by no more. */
const LEASE = '500 milliseconds';

/** True while the ledger has not confirmed the promotion's last version. */
export async function isDeliveryPending(sql: Sql, ref: number, deadlineMs: number): Promise<boolean> {
  const rows = await withDeadline(sql`select from definition_outbox where ref = ${ref}`, deadlineMs);
  return rows.length > 0;
}

/** Undelivered promotions in their current version, at most `limit`, taken for this process alone for a moment. */
export async function takeUndelivered(
  sql: Sql,
  limit: number,
  deadlineMs: number,
): Promise<StoredPromotion[]> {
  const rows = await withDeadline(
    sql<BodyRow[]>`
      with taken as (
        update definition_outbox o
        set next_attempt_at = now() + ${LEASE}::interval
        from (
          select ref, partition
          from definition_outbox
          where next_attempt_at <= now()
          order by next_attempt_at
          limit ${limit}
          for update skip locked
        ) due
        where o.ref = due.ref and o.partition = due.partition
        returning o.ref
      )
      select v.body
      from taken
      join promotion p on p.ref = taken.ref
      join promotion_version v on v.ref = p.ref and v.version = p.version`,
    deadlineMs,
  );
  return rows.map(storedPromotion);
}

/** Changes the ledger has not confirmed. */
export async function countUndelivered(sql: Sql, deadlineMs: number): Promise<number> {
  const [row] = await withDeadline(
    sql<{ pending: number }[]>`select count(*)::integer as pending from definition_outbox`,
    deadlineMs,
  );
  return row?.pending ?? 0;
}

/**
 * Writes down that every partition of the ledger has this version of a promotion, and in which entry. The outbox has one row
 * for all of them: a change that only some have is delivered to all once more, which does nothing where it is.
 */
export async function confirmDelivery(
  sql: Sql,
  delivered: { readonly ref: number; readonly version: number; readonly seqs: readonly number[] },
  deadlineMs: number,
): Promise<void> {
  const { ref, version, seqs } = delivered;
  await withDeadline(
    sql`
      with confirmed as (
        insert into definition_delivery as d (ref, partition, version, seq)
        select ${ref}, place - 1, ${version}, seq
        from unnest(${plainArray(seqs)}::bigint[]) with ordinality as delivered (seq, place)
        on conflict (ref, partition) do update
        set version = excluded.version, seq = excluded.seq
        where d.version <= excluded.version
      )
      delete from definition_outbox where ref = ${ref} and version <= ${version}`,
    deadlineMs,
  );
}
