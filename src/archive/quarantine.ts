import type { Sql } from '../database/client.ts';
import type { ArchiveClient } from './archive-client.ts';
import { type DecodedEntry, decodeStreamEntry } from './decoded-entry.ts';
import { UnprojectableError } from './event-place.ts';
import { classified, type Fence, RefusedBatchError } from './flush.ts';
import { ProjectionFold } from './fold-projection.ts';
import type { PartitionId } from './ledger-port.ts';
import { REPROJECT_EVENTS } from './limits.ts';
import type { Projection } from './projection.ts';
import { refuseClash, writeProjection } from './write-projection.ts';

/** The subjects whose later events must queue, and how many events wait. */
export interface OpenQuarantine {
  readonly subjects: ReadonlySet<string>;
  readonly events: number;
}

/** Reads what waits in the partition's quarantine. */
export async function readOpenQuarantine(
  sql: Sql,
  { generation, partition }: PartitionId,
): Promise<OpenQuarantine> {
  const records = await sql<{ subject: string; events: string }[]>`
    SELECT subject, count(*) AS events FROM quarantine
    WHERE generation = ${generation} AND partition = ${partition} AND settled_at IS NULL GROUP BY subject`;
  const subjects = records.map((record) => record.subject).filter((subject) => subject !== '');
  return {
    subjects: new Set(subjects),
    events: records.reduce((sum, record) => sum + Number(record.events), 0),
  };
}

interface WaitingEvent {
  readonly seq: string;
  readonly event_index: number;
  readonly subject: string;
  readonly payload: Buffer;
}

/**
 * Tries the events in quarantine again, oldest first, and settles those that can be projected now: after a repair of the
 * data or with a release that understands them. A subject whose event still fails keeps its later ones waiting. Only the
 * process with the lease may do this. Answers with the number of events settled.
 */
export async function reproject(client: ArchiveClient, fence: Fence): Promise<number> {
  const waiting = await client.run((sql) => readWaiting(sql, fence.id));
  const stuck = new Set<string>();
  let settled = 0;
  for (const event of waiting) {
    if (stuck.has(event.subject)) continue;
    if (await reprojectEvent(client, fence, event)) settled += 1;
    else stuck.add(event.subject);
  }
  return settled;
}

function readWaiting(sql: Sql, { generation, partition }: PartitionId) {
  return sql<WaitingEvent[]>`
    SELECT seq, event_index, subject, payload
    FROM quarantine JOIN event_log USING (generation, partition, seq)
    WHERE generation = ${generation} AND partition = ${partition} AND settled_at IS NULL
    ORDER BY seq, event_index LIMIT ${REPROJECT_EVENTS}`;
}

async function reprojectEvent(client: ArchiveClient, fence: Fence, event: WaitingEvent): Promise<boolean> {
  try {
    const rows = projectionOf(
      decodeStreamEntry({ seq: Number(event.seq), payload: event.payload }),
      event.event_index,
    );
    const [outcome] = await client.run((sql) => settleStatement(sql, fence, event, rows));
    return outcome?.['settled'] === 1;
  } catch (error) {
    const cause = classified(error);
    if (cause instanceof RefusedBatchError || cause instanceof UnprojectableError) return false;
    throw cause;
  }
}

/** The rows of one event, or of all events of an entry that could not be read before. */
function projectionOf(entry: DecodedEntry, eventIndex: number): Projection {
  if (entry.kind === 'corrupt') throw new UnprojectableError(entry.fault);
  const fold = new ProjectionFold();
  entry.entry.events.forEach((event, index) => {
    if (eventIndex >= 0 && index !== eventIndex) return;
    fold.add(event, { seq: entry.seq, eventIndex: index, timeMs: entry.entry.timeMs });
  });
  return fold.result();
}

function settleStatement(sql: Sql, { id, lease }: Fence, event: WaitingEvent, rows: Projection) {
  const { generation, partition } = id;
  return sql`
    WITH cur AS (
      UPDATE ledger_cursor SET updated_at = clock_timestamp()
      WHERE generation = ${generation} AND partition = ${partition} AND epoch = ${lease.epoch}
      RETURNING 1
    ),
    ${writeProjection(sql, id, rows)},
    settled AS (
      UPDATE quarantine SET settled_at = clock_timestamp()
      WHERE generation = ${generation} AND partition = ${partition} AND seq = ${event.seq}
        AND event_index = ${event.event_index} AND settled_at IS NULL AND EXISTS (SELECT 1 FROM cur)
      RETURNING 1
    ),
    marked AS (
      UPDATE event_log SET projected = true
      WHERE generation = ${generation} AND partition = ${partition} AND seq = ${event.seq}
        AND EXISTS (SELECT 1 FROM cur) AND NOT EXISTS (
          SELECT 1 FROM quarantine
          WHERE generation = ${generation} AND partition = ${partition} AND seq = ${event.seq}
            AND event_index <> ${event.event_index} AND settled_at IS NULL)
    )
    SELECT (SELECT count(*)::integer FROM settled) AS settled, ${refuseClash(sql, rows)}`;
}
