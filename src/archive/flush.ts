import { bytesArray, plainArray } from '../database/array-literal.ts';
import type { Sql } from '../database/client.ts';
import { violatedUniqueConstraint } from '../database/database-faults.ts';
import type { ArchiveClient } from './archive-client.ts';
import type { Lease } from './lease.ts';
import type { PartitionId } from './ledger-port.ts';
import type { FoldedBatch, LogRow } from './projection.ts';
import {
  COUPON_CLASH,
  refuseClash,
  refuseTrial,
  TRIAL_PASSED,
  writeProjection,
  writeQuarantine,
} from './write-projection.ts';

/** An entry with the same number and other bytes is archived already: two histories of one partition exist. */
export class ForkError extends Error {
  override readonly name = 'ForkError';
}

/** The database will never take this batch as it is; some event of it must go to quarantine. */
export class RefusedBatchError extends Error {
  override readonly name = 'RefusedBatchError';
}

/** Which cursor a statement may move, from where, and for how long it renews the lease. */
export interface Fence {
  readonly id: PartitionId;
  readonly lease: Lease;
  readonly leaseMs: number;
}

/**
 * Writes a batch and moves the cursor past it in one statement: all of it or nothing, once however often it is sent.
 *
 * Answers false when nothing was written because the cursor is not where the lease says, or the lease is another's.
 * Throws {@link ForkError}, {@link RefusedBatchError}, or the driver's error; after the latter the outcome is unknown
 * and the cursor must be read again before the batch is sent again.
 */
export async function flushBatch(client: ArchiveClient, fence: Fence, batch: FoldedBatch): Promise<boolean> {
  try {
    const [outcome] = await client.run((sql) => flushStatement(sql, fence, batch, false));
    return outcome?.['moved'] === 1;
  } catch (error) {
    throw classified(error);
  }
}

/**
 * Tries a batch and undoes it. Answers undefined when it would have been written, otherwise what the database has against
 * it. Other errors are thrown as by {@link flushBatch}.
 */
export async function tryBatch(
  client: ArchiveClient,
  fence: Fence,
  batch: FoldedBatch,
): Promise<string | undefined> {
  try {
    await client.run((sql) => flushStatement(sql, fence, batch, true));
    return undefined;
  } catch (error) {
    if (sqlState(error) === TRIAL_PASSED) return undefined;
    const cause = classified(error);
    if (cause instanceof RefusedBatchError) return cause.message;
    throw cause;
  }
}

function flushStatement(sql: Sql, { id, lease, leaseMs }: Fence, batch: FoldedBatch, isTrial: boolean) {
  const last = lastOf(batch.log);
  return sql`
    WITH cur AS (
      UPDATE ledger_cursor SET seq = ${last.seq}, events_total = ${batch.eventsTotal}, entry_payload = ${last.payload},
        lease_until = clock_timestamp() + ${leaseMs} * interval '1 millisecond', updated_at = clock_timestamp()
      WHERE generation = ${id.generation} AND partition = ${id.partition}
        AND epoch = ${lease.epoch} AND seq = ${lease.seq}
      RETURNING 1
    ),
    written_log AS (${writeLog(sql, id, batch.log)}),
    ${writeProjection(sql, id, batch)},
    written_quarantine AS (${writeQuarantine(sql, id, batch.quarantine)})
    SELECT (SELECT count(*)::integer FROM cur) AS moved, ${refuseClash(sql, batch)},
      ${refuseTrial(sql, isTrial)}`;
}

function writeLog(sql: Sql, { generation, partition }: PartitionId, rows: readonly LogRow[]) {
  return sql`
    INSERT INTO event_log (generation, partition, seq, entry_time, event_count, payload, projected)
    SELECT ${generation}::integer, ${partition}::integer, seq, to_timestamp(decided / 1000.0), events, payload, projected
    FROM unnest(
      ${plainArray(rows.map((row) => row.seq))}::bigint[],
      ${plainArray(rows.map((row) => row.timeMs))}::bigint[],
      ${plainArray(rows.map((row) => row.eventCount))}::integer[],
      ${bytesArray(rows.map((row) => row.payload))}::bytea[],
      ${plainArray(rows.map((row) => row.isProjected))}::boolean[]
    ) AS row (seq, decided, events, payload, projected)
    WHERE EXISTS (SELECT 1 FROM cur)
    RETURNING 1`;
}

function lastOf(log: readonly LogRow[]): LogRow {
  const last = log.at(-1);
  if (last === undefined) throw new RangeError('an empty batch has nothing to write');
  return last;
}

/** Data errors, and our own refusal: what the same bytes would meet again for ever. */
const REFUSED_STATES = /^(22...|23...)$/;

/** Turns the driver's error into what the archiver must do about it. */
export function classified(error: unknown): unknown {
  const state = sqlState(error);
  if (state === undefined || !(error instanceof Error)) return error;
  const clash = violatedUniqueConstraint(error);
  if (clash?.startsWith('event_log')) return new ForkError(error.message, { cause: error });
  if (state === COUPON_CLASH || REFUSED_STATES.test(state)) {
    return new RefusedBatchError(error.message, { cause: error });
  }
  return error;
}

function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
