import { type Sql, withDeadline } from '../../database/client.ts';

/** A ref that no promotion has and none will get. */
export async function nextRef(sql: Sql, deadlineMs: number): Promise<number> {
  const [row] = await withDeadline(
    sql<{ ref: number }[]>`select nextval('promotion_ref')::integer as ref`,
    deadlineMs,
  );
  if (row === undefined) throw new Error('the sequence promotion_ref gave no value');
  return row.ref;
}
