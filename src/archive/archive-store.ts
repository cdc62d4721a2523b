import type { Fence } from './flush.ts';
import type { Lease, Level } from './lease.ts';
import type { PartitionId, StreamEntry } from './ledger-port.ts';
import type { FoldedBatch } from './projection.ts';
import type { OpenQuarantine } from './quarantine.ts';

/**
 * What the archiver, the gatekeeper and the lease keeper need from Postgres, one statement each. Every call ends within a
 * time-out of its own; after an error that is none of those named here the outcome is unknown, and the cursor must be read
 * again. `ArchiveClient` carries them out; the simulation has a store of its own.
 */
export interface ArchiveStore {
  /** Makes the partition's cursor row when it is new. */
  ensureCursor(id: PartitionId): Promise<void>;
  /** Takes the partition and raises its epoch; undefined while another process holds it. */
  takeLease(id: PartitionId, owner: string, leaseMs: number): Promise<Lease | undefined>;
  /** Keeps the partition, and reads its cursor; undefined when another process has taken it. Notes the level on the way. */
  renewLease(
    id: PartitionId,
    epoch: number,
    leaseMs: number,
    level: Level | undefined,
  ): Promise<Lease | undefined>;
  /** Lets the next process in. */
  giveBackLease(id: PartitionId, epoch: number): Promise<void>;
  /** The bytes of the entry at the cursor; undefined when nothing is archived yet. */
  readCursorPayload(id: PartitionId): Promise<Buffer | undefined>;
  /** At most `limit` entries of the log after number `after`, in order. */
  readLog(id: PartitionId, after: number, limit: number): Promise<StreamEntry[]>;
  /**
   * Writes a batch and moves the cursor, all of it or nothing; false when the cursor is not where the fence says. Throws
   * `ForkError` and `RefusedBatchError`.
   */
  flush(fence: Fence, batch: FoldedBatch): Promise<boolean>;
  /** Tries a batch and undoes it; what the database has against it, undefined when nothing. */
  tryFlush(fence: Fence, batch: FoldedBatch): Promise<string | undefined>;
  /** What waits in quarantine. */
  readOpenQuarantine(id: PartitionId): Promise<OpenQuarantine>;
  /** Tries the events in quarantine again; answers with how many could be settled. */
  reproject(fence: Fence): Promise<number>;
  /** Makes the segments that the next entries and coupons will fall into. */
  ensureSegments(id: PartitionId, seq: number, nowMs: number): Promise<void>;
}
