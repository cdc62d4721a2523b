/** Segments of the log that have had their time leave it, one statement each. */
import { type Sql, withDeadline } from '../database/client.ts';
import { Refusal } from '../domain/refusal.ts';
import type { PartitionId } from './ledger-port.ts';
import { PROJECTED_PER_LOOK } from './limits.ts';

/** A segment: entries `fromSeq` up to, not including, `toSeq`. */
export interface LogSegment {
  /** Name of its table. */
  readonly name: string;
  readonly id: PartitionId;
  readonly fromSeq: number;
  readonly toSeq: number;
}

/** What became of a segment; the migration that makes `archive_detach_log_segment` says what each means. */
export type Detachment =
  | 'detached'
  | 'young'
  | 'needed'
  | 'unarchived'
  | 'quarantined'
  | 'unprojected'
  | 'follows'
  | 'gone'
  /** The locks could not be had in time; it is tried again another time. */
  | 'busy';

const LOCK_NOT_AVAILABLE = '55P03';

/** All segments of the log, each partition's in their order. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
export async function readLogSegments(sql: Sql, deadlineMs: number): Promise<LogSegment[]> {
  const rows = sql<
    { segment: string; generation: number; partition: number; from_seq: string; to_seq: string }[]
  >`
    SELECT segment, generation, partition, from_seq, to_seq FROM archive_log_segments()
    ORDER BY generation, partition, from_seq`;
  return (await withDeadline(rows, deadlineMs)).map(
    ({ segment, generation, partition, from_seq, to_seq }) => ({
      name: segment,
      id: { generation, partition },
      fromSeq: Number(from_seq),
      toSeq: Number(to_seq),
    }),
  );
}

/** The time of the newest entry of a segment, ms since the epoch; undefined when it has none. */
export async function newestTimeOf(
  sql: Sql,
  { id: { generation, partition }, fromSeq, toSeq }: LogSegment,
  deadlineMs: number,
): Promise<number | undefined> {
  const rows = sql<{ entry_time: Date }[]>`
    SELECT entry_time FROM event_log
    WHERE generation = ${generation} AND partition = ${partition} AND seq >= ${fromSeq} AND seq < ${toSeq}
    ORDER BY seq DESC LIMIT 1`;
  return (await withDeadline(rows, deadlineMs))[0]?.entry_time.getTime();
}

/** Whether every entry of a segment is projected; looks at so many at a time that no statement takes long. */
export async function isProjected(
  sql: Sql,
  { id: { generation, partition }, fromSeq, toSeq }: LogSegment,
  deadlineMs: () => number,
): Promise<boolean> {
  for (let seq = fromSeq; seq < toSeq; seq += PROJECTED_PER_LOOK) {
    const waiting = sql`
      SELECT FROM event_log
      WHERE generation = ${generation} AND partition = ${partition}
        AND seq >= ${seq} AND seq < ${Math.min(seq + PROJECTED_PER_LOOK, toSeq)} AND NOT projected LIMIT 1`;
    if ((await withDeadline(waiting, deadlineMs())).length > 0) return false;
  }
  return true;
}

/**
 * Takes a segment out of the log unless something speaks against it. @param limits entries from `belowSeq` on are still read,
 * and those from `beforeMs` on are kept
 */
export async function detachLogSegment(
  sql: Sql,
  { name }: LogSegment,
  limits: { readonly beforeMs: number; readonly belowSeq: number },
  deadlineMs: number,
): Promise<Detachment> {
  const rows = sql<{ became: Detachment }[]>`
    SELECT archive_detach_log_segment(${name}, ${new Date(limits.beforeMs)}, ${limits.belowSeq}) AS became`;
  try {
    return (await withDeadline(rows, deadlineMs))[0]?.became ?? 'gone';
  } catch (error) {
    if (isLockTimeout(error)) return 'busy';
    throw error;
  }
}

/** To other callers a lock that cannot be had says that the database cannot serve. */
function isLockTimeout(error: unknown): boolean {
  const cause: unknown = error instanceof Refusal ? error.detail.cause : error;
  return cause instanceof Error && 'code' in cause && cause.code === LOCK_NOT_AVAILABLE;
}
