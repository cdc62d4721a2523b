/** What a rebuild of Redis would do, partition by partition, and what stands against it. Looks only. */
import type { Sql } from '../../database/client.ts';
import type { PartitionLook } from '../../ledger/rebuild-target.ts';
import { readCursorPayload } from '../lease.ts';
import type { PartitionId } from '../ledger-port.ts';
import { type RebuildPorts, RebuildRefused } from './rebuild-ports.ts';

/**
 * What is to be done with a partition. `whole`: Redis has the archive's last entry, and whatever came after it, so the
 * gatekeeper will do. `new`: there is nothing yet. `lost`: Redis has nothing of it. `other`: Redis has something else.
 */
export type PartitionState = 'whole' | 'new' | 'lost' | 'other';

/** A partition, in Redis and in the archive. */
export interface PartitionPlan {
  readonly id: PartitionId;
  readonly state: PartitionState;
  readonly look: PartitionLook;
  /** The archive's last entry; −1 = none. */
  readonly cursorSeq: number;
  readonly eventsTotal: number;
  readonly payload: Buffer | undefined;
}

/** How much the projections hold for a partition. */
export interface ArchivedCounts {
  readonly coupons: number;
  readonly fields: number;
}

/** Looks at every partition of a generation. */
export async function planPartitions(
  ports: RebuildPorts,
  { generation, partitions }: { readonly generation: number; readonly partitions: number },
): Promise<PartitionPlan[]> {
  const plans: PartitionPlan[] = [];
  for (let partition = 0; partition < partitions; partition += 1)
    plans.push(await planPartition(ports, { generation, partition }));
  return plans;
}

async function planPartition(ports: RebuildPorts, id: PartitionId): Promise<PartitionPlan> {
  const { sql } = ports;
  const target = ports.target(id.partition);
  const look = await target.look();
  const [cursor] = await sql<{ seq: string; events_total: string }[]>`
    SELECT seq, events_total FROM ledger_cursor
    WHERE generation = ${id.generation} AND partition = ${id.partition}`;
  const cursorSeq = Number(cursor?.seq ?? -1);
  const payload = cursorSeq < 0 ? undefined : await readCursorPayload(sql, id);
  const live = cursorSeq < 0 ? undefined : await target.entry(id.generation, cursorSeq);
  const state = stateOf(look, cursorSeq, payload !== undefined && live?.equals(payload) === true);
  return { id, state, look, cursorSeq, eventsTotal: Number(cursor?.events_total ?? 0), payload };
}

function stateOf(look: PartitionLook, cursorSeq: number, hasCursorEntry: boolean): PartitionState {
  if (!look.hasKeys) return cursorSeq < 0 ? 'new' : 'lost';
  return hasCursorEntry || (cursorSeq < 0 && (look.firstSeq ?? 0) === 0) ? 'whole' : 'other';
}

/** Throws {@link RebuildRefused} when an event waits in quarantine: the projections lack what it did. */
export async function requireNoQuarantine(sql: Sql, generation: number): Promise<void> {
  const [row] = await sql<{ events: string }[]>`
    SELECT count(*) AS events FROM quarantine WHERE generation = ${generation} AND settled_at IS NULL`;
  const events = Number(row?.events ?? 0);
  if (events === 0) return;
  throw new RebuildRefused(
    `${events} events wait in quarantine, so the projections lack what they did: repair what the database has against ` +
      'them, let an archive process settle them, and try again',
  );
}

/** Counts what the projections hold for a partition. */
export async function countArchived(
  sql: Sql,
  { generation, partition }: PartitionId,
): Promise<ArchivedCounts> {
  const [row] = await sql<{ coupons: string; fields: string }[]>`
    SELECT
      (SELECT count(*) FROM coupon WHERE generation = ${generation} AND partition = ${partition} AND NOT retired) AS coupons,
      (SELECT count(*) FROM ledger_field
       WHERE generation = ${generation} AND partition = ${partition} AND NOT retired) AS fields`;
  return { coupons: Number(row?.coupons ?? 0), fields: Number(row?.fields ?? 0) };
}
