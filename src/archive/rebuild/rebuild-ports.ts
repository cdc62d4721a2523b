/** What rebuilds work with, and how they say that they cannot. */
import type { Sql } from '../../database/client.ts';
import type { RebuildTarget } from '../../ledger/rebuild-target.ts';
import type { ArchiveClient } from '../archive-client.ts';
import type { LedgerAdmin, PartitionId } from '../ledger-port.ts';

/** What a rebuild works with. */
export interface RebuildPorts {
  /** Reads; statements may take long. */
  readonly sql: Sql;
  /** Holds the partitions, so that no archive process works on them meanwhile. */
  readonly client: ArchiveClient;
  /** A partition in Redis. */
  target(partition: number): RebuildTarget;
  /** The same as the archive sees it, as one of so many. */
  ledger(id: PartitionId, partitions: number): LedgerAdmin;
  /** Processes of the product that are connected to Redis, by the names of their connections; this one is not among them. */
  connected(): Promise<readonly string[]>;
  /** Names this process among all that may hold a partition; unique. */
  readonly owner: string;
  /** Hears a line about how far it is. */
  say(line: string): void;
  readonly nowMs: () => number;
}

/** The rebuild cannot be, as things are; nothing was changed. The message says what to do. */
export class RebuildRefused extends Error {
  override readonly name = 'RebuildRefused';
}
