/** A user's transactions of points, as the archive has them. */
import { type Sql, withDeadline } from '../database/client.ts';
import type { PointsEntry, PointsEntryType } from '../domain/points-entry.ts';

interface Row {
  readonly number: string;
  readonly points: string;
  readonly balance_after: string;
  readonly type: PointsEntryType;
  readonly reason: string;
  readonly reference_type: string;
  readonly reference_id: string;
  readonly at: Date;
}

/**
 * Up to `limit` transactions with a number below `below` (undefined = the newest ones), newest first. Throws
 * ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED.
 */
export async function readPointsEntries(
  sql: Sql,
  userId: string,
  below: number | undefined,
  limit: number,
  deadlineMs: number,
): Promise<PointsEntry[]> {
  const rows = sql<Row[]>`
    SELECT number, points, balance_after, type, reason, reference_type, reference_id, at FROM points_entry
    WHERE user_id = ${userId} ${below === undefined ? sql`` : sql`AND number < ${below}`}
    ORDER BY number DESC LIMIT ${limit}`;
  return (await withDeadline(rows, deadlineMs)).map((row) => ({
    number: Number(row.number),
    points: Number(row.points),
    balanceAfter: Number(row.balance_after),
    type: row.type,
    reason: row.reason,
    referenceType: row.reference_type,
    referenceId: row.reference_id,
    atMs: row.at.getTime(),
  }));
}
