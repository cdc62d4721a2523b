import type { Sql } from '../database/client.ts';
import type { PartitionId } from './ledger-port.ts';

/** How far the partition is archived, as its owner sees it. */
export interface Cursor {
  /** Number of the last archived entry; -1 = none yet. */
  readonly seq: number;
  /** Events up to and including that entry. */
  readonly eventsTotal: number;
}

/** The right to move a partition's cursor: a statement that names another epoch changes nothing. */
export interface Lease extends Cursor {
  readonly epoch: number;
}

/** The stream ended at the cursor at a time of its server, ms since the epoch: what was recorded until then is archived. */
export interface Level {
  readonly seq: number;
  readonly atMs: number;
}

interface CursorRecord {
  readonly seq: string;
  readonly events_total: string;
  readonly epoch: string;
}

function leaseOf(record: CursorRecord | undefined): Lease | undefined {
  if (record === undefined) return undefined;
  return { seq: Number(record.seq), eventsTotal: Number(record.events_total), epoch: Number(record.epoch) };
}

/** Makes the partition's cursor row when it is new. */
export async function ensureCursor(sql: Sql, { generation, partition }: PartitionId): Promise<void> {
  await sql`
    INSERT INTO ledger_cursor (generation, partition) VALUES (${generation}, ${partition})
    ON CONFLICT (generation, partition) DO NOTHING`;
}

/**
 * Takes the partition when nobody holds it, or its holder has not renewed in time; undefined when somebody does. Taking
 * it raises the epoch, so a holder that comes back late finds its statements without effect. One clock decides:
 * Postgres's, read after any wait for the row.
 */
export async function takeLease(
  sql: Sql,
  { generation, partition }: PartitionId,
  owner: string,
  leaseMs: number,
): Promise<Lease | undefined> {
  const [record] = await sql<CursorRecord[]>`
    UPDATE ledger_cursor
    SET epoch = epoch + 1, owner = ${owner}, lease_until = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
    WHERE generation = ${generation} AND partition = ${partition}
      AND (owner IS NULL OR owner = ${owner} OR lease_until < clock_timestamp())
    RETURNING seq, events_total, epoch`;
  return leaseOf(record);
}

/** Keeps the partition, and reads the cursor again; undefined when another process has taken it. Notes the level on the way. */
export async function renewLease(
  sql: Sql,
  { generation, partition }: PartitionId,
  epoch: number,
  leaseMs: number,
  level?: Level,
): Promise<Lease | undefined> {
  const [record] = await sql<CursorRecord[]>`
    UPDATE ledger_cursor SET lease_until = clock_timestamp() + ${leaseMs} * interval '1 millisecond',
      level_at = CASE WHEN seq = ${level?.seq ?? null}::bigint
        THEN greatest(level_at, to_timestamp(${level?.atMs ?? null}::bigint / 1000.0)) ELSE level_at END
    WHERE generation = ${generation} AND partition = ${partition} AND epoch = ${epoch}
    RETURNING seq, events_total, epoch`;
  return leaseOf(record);
}

/** Gives the partition back, so that the next process need not wait for the lease to lapse. */
export async function giveBackLease(
  sql: Sql,
  { generation, partition }: PartitionId,
  epoch: number,
): Promise<void> {
  await sql`
    UPDATE ledger_cursor SET owner = NULL, lease_until = NULL
    WHERE generation = ${generation} AND partition = ${partition} AND epoch = ${epoch}`;
}

/** The bytes of the entry at the cursor; undefined when nothing is archived yet. */
export async function readCursorPayload(
  sql: Sql,
  { generation, partition }: PartitionId,
): Promise<Buffer | undefined> {
  const [record] = await sql<{ entry_payload: Buffer | null }[]>`
    SELECT entry_payload FROM ledger_cursor WHERE generation = ${generation} AND partition = ${partition}`;
  return record?.entry_payload ?? undefined;
}
