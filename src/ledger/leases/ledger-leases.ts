/** Leases on the real ledger: units of promotions for the partitions of users, over partitions as a process reaches them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '../../domain/refusal.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { ClaimsAsidePorts } from '../claims-aside.ts';
import { homePartition } from '../keys.ts';
import type { Outcome, RecordName, Transaction } from '../transaction.ts';
import { LeaseCoordinator } from './lease-coordinator.ts';
import type { CoordinatorPorts } from './lease-ports.ts';
import type { LeaseOutcome } from './lease-run.ts';
import type { Fields } from './lease-shape.ts';
import { SOLD_OUT_HINT_MS } from './limits.ts';
import type { UsageCounter } from './usage-lease.ts';

/** The partitions of a ledger, as far as leases need them; each call ends by its deadline. */
export interface LeasedPartitions {
  readonly partitions: number;
  /** The partition that holds everything of a user. */
  partitionOf(userId: string): number;
  /** Some fields of a record of a partition, in the order asked. */
  fieldsAt(
    partition: number,
    on: RecordName,
    fields: readonly Buffer[],
    deadlineMs: number,
  ): Promise<readonly (Buffer | null)[]>;
  transactAt(partition: number, transaction: Transaction, deadlineMs: number): Promise<Outcome>;
  ensureDefined(promotionRef: number, deadlineMs: number): Promise<void>;
}

/** What asking for units came to: some are there now, unless others are faster; or nothing is left. */
export type Obtained =
  | { readonly kind: 'granted' }
  /** `limit` units there are in all partitions, `used` of them in use; unknown where there is one partition. */
  | { readonly kind: 'exhausted'; readonly limit?: number; readonly used?: number };

type LedgerMetrics = Pick<Metrics, 'leaseCalls' | 'leaseUnits' | 'leaseEnds'>;

/** See the module's comment. Where there is one partition, what it has is all there is. */
export class LedgerLeases {
  private readonly ledger: LeasedPartitions;
  private readonly coordinator: LeaseCoordinator | undefined;

  /** @param nowMs the process's own clock, which deadlines are told by */
  constructor(ledger: LeasedPartitions, metrics: LedgerMetrics, nowMs: () => number) {
    this.ledger = ledger;
    if (ledger.partitions > 1) this.coordinator = new LeaseCoordinator(portsOf(ledger, metrics, nowMs));
  }

  /**
   * Gets a coupon of a promotion for the partition of a user, where by this version of the definition none is left. Throws
   * LEDGER_UNAVAILABLE when it cannot be known whether any is left elsewhere.
   */
  async obtainStock(promotionRef: number, version: number, userId: string): Promise<Obtained> {
    const partition = this.ledger.partitionOf(userId);
    return obtained(await this.coordinator?.obtainStock({ promotionRef, partition, version, wanted: 1 }));
  }

  /**
   * Gets so many uses, or so much money, of a promotion for the partition of a user. Throws LEDGER_UNAVAILABLE when it cannot
   * be known whether that many are left.
   */
  async obtainUses(counter: UsageCounter, units: number, userId: string): Promise<Obtained> {
    const partition = this.ledger.partitionOf(userId);
    return obtained(await this.coordinator?.obtainUses({ counter, partition, units }));
  }

  /** How the claims of a partition get units; undefined where it is the only one. */
  ofClaims(partition: number): ClaimsAsidePorts['obtainUnits'] {
    const { coordinator } = this;
    return (
      coordinator &&
      ((promotionRef, version, wanted) =>
        coordinator.obtainStock({ promotionRef, partition, version, wanted }))
    );
  }
}

function obtained(outcome: LeaseOutcome | undefined): Obtained {
  if (outcome?.kind === 'unavailable')
    throw new Refusal('LEDGER_UNAVAILABLE', 'what is left cannot be known', { cause: outcome.cause });
  return outcome ?? { kind: 'exhausted' };
}

function portsOf(ledger: LeasedPartitions, metrics: LedgerMetrics, nowMs: () => number): CoordinatorPorts {
  const read = async (
    partition: number,
    on: RecordName,
    fields: readonly Buffer[],
    deadlineMs: number,
  ): Promise<Fields> => named(fields, await ledger.fieldsAt(partition, on, fields, deadlineMs));
  return {
    partitions: ledger.partitions,
    hintMs: SOLD_OUT_HINT_MS,
    readPool: (on, fields, deadlineMs) =>
      read(homePartition(Number(on.id), ledger.partitions), on, fields, deadlineMs),
    readPartition: read,
    transactAt: (partition, transaction, deadlineMs) => ledger.transactAt(partition, transaction, deadlineMs),
    ensureDefined: (promotionRef, deadlineMs) => ledger.ensureDefined(promotionRef, deadlineMs),
    pause: async (ms) => {
      await sleep(ms);
    },
    nowMs,
    random: Math.random,
    called: (call, count) => {
      metrics.leaseCalls.child(call).value += count;
    },
    moved: (movement, units) => {
      metrics.leaseUnits.child(movement).value += units;
    },
    ended: (end) => {
      metrics.leaseEnds.child(end).value += 1;
    },
  };
}

function named(fields: readonly Buffer[], values: readonly (Buffer | null)[]): Fields {
  const found = new Map<string, Buffer>();
  fields.forEach((field, index) => {
    const value = values[index];
    if (value) found.set(field.toString('latin1'), value);
  });
  return found;
}
