/** What leases need of the ledger; each call ends by its deadline (absolute, ms) and throws when its outcome is unknown. */

import type { LeaseCall, LeaseMovement, ObtainEnd } from '../../telemetry/lease-metrics.ts';
import type { Outcome, RecordName, Transaction } from '../transaction.ts';
import type { Fields } from './lease-shape.ts';

/** See the module's comment. */
export interface LeasePorts {
  /** How many partitions the ledger has. */
  readonly partitions: number;
  /** Some fields of a pool, which lies in the promotion's home partition. */
  readPool(on: RecordName, fields: readonly Buffer[], deadlineMs: number): Promise<Fields>;
  /** Some fields of a record of a partition. */
  readPartition(
    partition: number,
    on: RecordName,
    fields: readonly Buffer[],
    deadlineMs: number,
  ): Promise<Fields>;
  /** Carries out a transaction in a partition; once it answers, the write is as durable as the ledger makes any. */
  transactAt(partition: number, transaction: Transaction, deadlineMs: number): Promise<Outcome>;
  /** Brings the promotion's definition to all partitions. Throws PROMOTION_NOT_FOUND. */
  ensureDefined(promotionRef: number, deadlineMs: number): Promise<void>;
  /** Waits so many milliseconds. */
  pause(ms: number): Promise<void>;
  nowMs(): number;
  /** Between 0 and 1; pauses of those who met are to differ. */
  random(): number;
  /** Counts calls. */
  called(call: LeaseCall, count: number): void;
  /** Counts units. */
  moved(movement: LeaseMovement, units: number): void;
}

/** What coordinators need beside what their runs do. */
export interface CoordinatorPorts extends LeasePorts {
  /** How old "nothing is left" may be when it is said again, ms. */
  readonly hintMs: number;
  /** Counts how askers were answered. */
  ended(end: ObtainEnd): void;
}
