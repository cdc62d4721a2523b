import { type Sql, withDeadline } from '../../database/client.ts';

/**
 * Takes the lead when nobody has it or its holder has not renewed in time; the epoch of the lead, or undefined when somebody
 * leads. One clock decides: that of Postgres.
 */
export async function takeLead(
  sql: Sql,
  owner: string,
  leaseMs: number,
  deadlineMs: number,
): Promise<number | undefined> {
  const rows = sql<{ epoch: string }[]>`
    UPDATE job_leader
    SET epoch = epoch + 1, owner = ${owner}, lease_until = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
    WHERE owner IS NULL OR owner = ${owner} OR lease_until < clock_timestamp()
    RETURNING epoch`;
  const [row] = await withDeadline(rows, deadlineMs);
  return row === undefined ? undefined : Number(row.epoch);
}

/** Keeps the lead; false when another process has it. */
export async function renewLead(
  sql: Sql,
  epoch: number,
  leaseMs: number,
  deadlineMs: number,
): Promise<boolean> {
  const rows = sql`
    UPDATE job_leader SET lease_until = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
    WHERE epoch = ${epoch} RETURNING epoch`;
  return (await withDeadline(rows, deadlineMs)).length > 0;
}

/** Gives the lead back, so that the next process need not wait for the lease to lapse. */
export async function giveBackLead(sql: Sql, epoch: number, deadlineMs: number): Promise<void> {
  const statement = sql`UPDATE job_leader SET owner = NULL, lease_until = NULL WHERE epoch = ${epoch}`;
  await withDeadline(statement, deadlineMs);
}
