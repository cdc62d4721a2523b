/** Who still reads the log, and from where on, as far as Postgres knows. */
import { type Sql, withDeadline } from '../../database/client.ts';
import { decodeCursor, type FeedPosition } from '../../feed/cursor.ts';

/** A reader of the feed whose place is stored. */
export interface StoredReader {
  /** `webhook <id>` or `reader <name>`. */
  readonly name: string;
  readonly position: FeedPosition;
}

/** All of them; a webhook that is switched off misses nothing, so that it counts. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
export async function readStoredReaders(sql: Sql, deadlineMs: number): Promise<StoredReader[]> {
  const rows = sql<{ name: string; cursor: string }[]>`
    SELECT 'webhook ' || id AS name, cursor FROM webhook WHERE deleted_at IS NULL
    UNION ALL SELECT 'reader ' || name, cursor FROM feed_reader`;
  return (await withDeadline(rows, deadlineMs)).map(({ name, cursor }) => ({
    name,
    position: decodeCursor(cursor),
  }));
}
