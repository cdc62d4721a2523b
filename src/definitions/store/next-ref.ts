import { type Sql, withDeadline } from '../../database/client.ts';

/**
 * A ref that no promotion has and none will get. A Postgres that was restored to an older state counts from an older number: what
 * the ledger has is passed over. Every partition has every promotion, so it is enough to look at one.
 */
export async function nextRef(sql: Sql, deadlineMs: number): Promise<number> {
  for (;;) {
    const [row] = await withDeadline(
      sql<{ ref: number; isTaken: boolean }[]>`
        with next as materialized (select nextval('promotion_ref')::integer as ref)
        select next.ref, exists (
          select from ledger_field f join ledger_generation g on g.generation = f.generation and g.state = 'current'
          where f.partition = 0 and f.target = 'promotion' and f.id = next.ref::text
        ) as "isTaken"
        from next`,
      deadlineMs,
    );
    if (row === undefined) throw new Error('the sequence promotion_ref gave no value');
    if (!row.isTaken) return row.ref;
  }
}
