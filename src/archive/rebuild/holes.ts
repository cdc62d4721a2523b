/** Entries that are in no log, as `ledger_hole` tells of them. */
import type { Sql } from '../../database/client.ts';
import { decodeStreamEntry } from '../decoded-entry.ts';
import type { LeaseKeeper } from '../lease-keeper.ts';
import type { LedgerAdmin, PartitionId } from '../ledger-port.ts';

/** Entries that are in no log, and the events in them. */
export interface Hole {
  readonly from: number;
  readonly to: number;
  readonly events: number;
}

/** A hole, and where the log tells all again; undefined while that is not so. */
export interface NotedHole extends Hole {
  readonly carriedSeq: number | undefined;
}

/** The partitions with a hole after which the log does not tell all yet. */
export async function openHoles(sql: Sql, generation: number): Promise<ReadonlySet<number>> {
  const rows = await sql<{ partition: number }[]>`
    SELECT DISTINCT partition FROM ledger_hole WHERE generation = ${generation} AND carried_seq IS NULL`;
  return new Set(rows.map(({ partition }) => partition));
}

/** All holes of a partition, oldest first. */
export async function readHoles(sql: Sql, { generation, partition }: PartitionId): Promise<NotedHole[]> {
  const rows = await sql<{ from_seq: string; to_seq: string; events: string; carried_seq: string | null }[]>`
    SELECT from_seq, to_seq, events, carried_seq FROM ledger_hole
    WHERE generation = ${generation} AND partition = ${partition} ORDER BY id`;
  return rows.map(({ from_seq, to_seq, events, carried_seq }) => ({
    from: Number(from_seq),
    to: Number(to_seq),
    events: Number(events),
    carriedSeq: carried_seq === null ? undefined : Number(carried_seq),
  }));
}

/**
 * Moves the cursor to just before the oldest entry Redis has kept and notes what it passes over, in one statement; undefined
 * when nothing is missing.
 */
export async function skipHole(
  sql: Sql,
  keeper: LeaseKeeper,
  ledger: LedgerAdmin,
): Promise<Hole | undefined> {
  const { generation, partition } = keeper.terms.id;
  const { seq, epoch, eventsTotal } = await keeper.require();
  const [first] = await ledger.readEntries(((await ledger.firstSeq()) ?? 0) - 1, 1);
  if (first === undefined || first.seq <= seq + 1) return undefined;
  const decoded = decodeStreamEntry(first);
  const before =
    decoded.kind === 'read' ? decoded.entry.eventsTotal - decoded.entry.events.length : eventsTotal;
  const hole: Hole = { from: seq + 1, to: first.seq - 1, events: before - eventsTotal };
  await sql`
    WITH moved AS (
      UPDATE ledger_cursor SET seq = ${hole.to}, events_total = ${before}, entry_payload = NULL
      WHERE generation = ${generation} AND partition = ${partition} AND epoch = ${epoch} AND seq = ${seq}
      RETURNING 1
    )
    INSERT INTO ledger_hole (generation, partition, from_seq, to_seq, events)
    SELECT ${generation}::integer, ${partition}::integer, ${hole.from}::bigint, ${hole.to}::bigint, ${hole.events}::bigint FROM moved`;
  await keeper.confirm();
  return hole;
}

/** Notes that from an entry on the log tells all again; also when nothing was missing before it. */
export async function settleHoles(
  sql: Sql,
  { generation, partition }: PartitionId,
  cursorSeq: number,
  carriedSeq: number,
): Promise<void> {
  const settled = await sql`
    UPDATE ledger_hole SET carried_seq = ${carriedSeq}
    WHERE generation = ${generation} AND partition = ${partition} AND carried_seq IS NULL RETURNING 1`;
  if (settled.length > 0) return;
  await sql`
    INSERT INTO ledger_hole (generation, partition, from_seq, to_seq, events, carried_seq)
    VALUES (${generation}, ${partition}, ${cursorSeq + 1}, ${cursorSeq}, 0, ${carriedSeq})`;
}
