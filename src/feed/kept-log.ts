/** What the feed can still be read from: a place is good as long as the log has what comes after it. */
import { type Sql, withDeadline } from '../database/client.ts';
import { encodeCursor, type FeedPosition, invalidCursor, type LogPlace, WHOLE_ENTRY } from './cursor.ts';

/** What is there of the logs of one generation, by partition. */
export interface KeptLogs {
  readonly logs: ReadonlyMap<number, { readonly first: number; readonly last: number }>;
  /** The newest notice; 0 = none. */
  readonly notice: number;
}

/** Reads the first and the last entry of each log of a generation. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
export async function readKeptLogs(sql: Sql, generation: number, deadlineMs: number): Promise<KeptLogs> {
  const rows = sql<
    { partition: number | null; last: string | null; first: string | null; notice: string | null }[]
  >`
    SELECT partition, seq AS last, notice, (
        SELECT seq FROM event_log
        WHERE event_log.generation = ${generation} AND event_log.partition = ledger_cursor.partition
        ORDER BY seq LIMIT 1) AS first
    FROM (SELECT max(id) AS notice FROM coupon_notice) notices
    LEFT JOIN ledger_cursor ON generation = ${generation}`;
  const found = await withDeadline(rows, deadlineMs);
  const logs = new Map<number, { first: number; last: number }>();
  for (const { partition, last, first } of found) {
    if (partition === null) continue;
    const end = Number(last ?? -1);
    logs.set(partition, { first: Number(first ?? end + 1), last: end });
  }
  return { logs, notice: Number(found[0]?.notice ?? 0) };
}

/** The entry that has to be there next: the one the place is in the middle of, or the one after it. */
export function neededSeq({ seq, index }: LogPlace): number {
  return index === WHOLE_ENTRY ? seq + 1 : seq;
}

/**
 * Throws CURSOR_INVALID unless the log has all that comes after the place. The refusal names, as `oldest_cursor`, the place
 * nearest to it from which on the feed is whole.
 */
export function requireWhole(position: FeedPosition, { logs }: KeptLogs): void {
  const places = position.logs.map((place, log): LogPlace => {
    const first = logs.get(log)?.first ?? 0;
    return neededSeq(place) >= first ? place : { seq: first - 1, index: WHOLE_ENTRY, part: 0 };
  });
  if (places.every((place, log) => place === position.logs[log])) return;
  const oldest = encodeCursor({ ...position, logs: places });
  throw invalidCursor(`what came after it is no longer kept; the oldest cursor that works is ${oldest}`, {
    oldest_cursor: oldest,
  });
}
