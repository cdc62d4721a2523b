import type { LiveDefinition } from '../domain/live-definition.ts';

/**
 * What definitions need of the ledger and of the archive, as interfaces of this plane. The composition root passes in the
 * real ones; deadlines are absolute, in epoch milliseconds.
 */

/** Counters of one promotion as the ledger has them now. */
export interface Stock {
  readonly ref: number;
  /** What stock is judged by. */
  readonly issued: number;
  /** Coupons issued beside them whose stock came back when they were revoked; absent = none. */
  readonly returned?: number;
}

/** A promotion as the ledger keeps it beside Postgres. */
export interface StoredBody {
  readonly ref: number;
  readonly version: number;
  readonly body: Uint8Array;
}

/** The live ledger, as far as definitions use it. Every call throws a LEDGER_* refusal when it cannot answer. */
export interface DefinitionLedger {
  /**
   * Brings a definition to every partition. Version-monotonic and idempotent: where this version or a newer one is already,
   * nothing is written. The sequence numbers are, by partition, those of the entries with the record's last definition.
   */
  define(
    definition: LiveDefinition,
    deadlineMs: number,
  ): Promise<{ readonly seqs: readonly number[]; readonly issued: number }>;
  /** Counters in the order asked; a promotion the ledger does not know counts zero. */
  readStock(refs: readonly number[], deadlineMs: number): Promise<readonly Stock[]>;
  /** Every promotion the ledger has, for a start while Postgres is down. */
  readDefinitionBodies(deadlineMs: number): Promise<readonly StoredBody[]>;
}

/** How far the archive has come. */
export interface ArchiveProgress {
  /** By partition, the `seq` of its last archived entry; −1 while nothing of it has been archived. */
  readCursors(deadlineMs: number): Promise<readonly number[]>;
  /** Coupons ever issued of each promotion, as far as they are archived; a promotion without any is left out. */
  readIssued(refs: readonly number[], deadlineMs: number): Promise<ReadonlyMap<number, number>>;
}
