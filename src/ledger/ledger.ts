/**
 * The live ledger: everything that must be atomic, on one Redis or on several masters.
 *
 * What belongs to a user lives in the user's partition, and each partition on the server that holds it now (`topology.ts`).
 * Writes go through connections of their own, reads through another, so that a long read never waits in front of a claim. A
 * failed call becomes a refusal whose outcome is "unknown"; claims are tried again until their deadline (`group-commit.ts`).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CouponValue } from '../domain/coupon.ts';
import type { LiveDefinition } from '../domain/live-definition.ts';
import { Refusal } from '../domain/refusal.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { tracedWork } from '../telemetry/tracing/traced-work.ts';
import type { ArchivedCoupons } from './archived-coupons.ts';
import { Attempts } from './attempts.ts';
import type { ClaimRequest } from './claim-operation.ts';
import type { Durability } from './durability.ts';
import { homePartition, partitionOf } from './keys.ts';
import { deliverDefinition } from './leases/deliver-definition.ts';
import { LedgerLeases } from './leases/ledger-leases.ts';
import { LedgerPartition, type PartitionSettings } from './ledger-partition.ts';
import { LedgerServers, type ServerSettings } from './ledger-servers.ts';
import { CLOSE_MS } from './limits.ts';
import type { EntryPlace } from './partition-reads.ts';
import { LedgerReads } from './reads.ts';
import { READ_START } from './script-span.ts';
import type { Connect } from './topology.ts';
import { type Outcome, type RecordName, type Transaction, userOfTransaction } from './transaction.ts';

/** Settings of the ledger's client side; those of a partition hold for all of them together. */
export interface LedgerSettings extends Omit<ServerSettings, 'partitions'>, PartitionSettings {
  /** Number of partitions; 1 when it is not stated. */
  readonly partitions?: number;
}

/** What the ledger needs from outside. */
export interface LedgerPorts {
  readonly settings: LedgerSettings;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Brings the definition of a promotion whose record is missing; false when there is no such promotion. */
  defineMissing(promotionRef: number): Promise<boolean>;
  /** Tells when coupons are archived, for the level LEDGER; absent: such claims are never known to be. */
  readonly archived?: ArchivedCoupons;
  nowMs(): number;
  /** Opens a connection under a name; absent: one over the network. The simulation brings its own. */
  readonly connect?: Connect;
}

/** What a definition's delivery to every partition did. */
export interface Deliveries {
  /** False when every partition had this version or a later one. */
  readonly applied: boolean;
  /** Of each partition, the number of the entry with the record's last definition. */
  readonly seqs: readonly number[];
  /** Coupons issued so far, in all of them. */
  readonly issued: number;
}

/** The ledger as a process uses it; close it with `close()` after draining. */
export class Ledger {
  readonly reads: LedgerReads;
  /** Units of promotions, which partitions share. */
  readonly leases: LedgerLeases;
  /** How many partitions there are. */
  readonly partitions: number;
  private readonly ports: LedgerPorts;
  private readonly attempts: Attempts;
  private readonly servers: LedgerServers;
  private readonly all: readonly LedgerPartition[];
  private readonly first: LedgerPartition;

  constructor(ports: LedgerPorts) {
    const { settings, metrics } = ports;
    const { partitions = 1 } = settings;
    this.ports = ports;
    this.attempts = new Attempts(ports.nowMs);
    this.partitions = partitions;
    this.servers = new LedgerServers({ ...ports, settings: { ...settings, partitions } });
    this.leases = new LedgerLeases(this, metrics, ports.nowMs);
    this.all = Array.from({ length: partitions }, (_, partition) => this.createPartition(partition));
    this.first = this.partitionAt(0);
    this.reads = new LedgerReads(this.all.map(({ reads }) => reads));
    metrics.ledgerQueueItems.source = () =>
      this.sum(({ claims, transactions }) => claims.waiting + transactions.waiting);
    metrics.ledgerInflight.source = () =>
      this.sum(({ claims, transactions }) => claims.inFlight + transactions.inFlight);
    metrics.ledgerBacklogLimitEvents.value = settings.claimBacklogEvents;
    if (partitions > 1) this.showExtremes();
  }

  /** Waits for the servers, up to `timeoutMs`, and reads what they keep. One that is away is not an error: calls say so. */
  async start(timeoutMs: number): Promise<void> {
    await this.servers.start(timeoutMs);
  }

  /** What the servers keep, as last read: the least of them. */
  get durability(): Durability {
    return this.servers.durability;
  }

  /** Takes a claim; its listener hears one answer by the deadline. */
  claim(request: ClaimRequest): void {
    const partition = this.partitions === 1 ? this.first : this.ofUser(request.userId);
    partition.claims.submit(request);
  }

  /**
   * Carries out a transaction of one user, all of it or nothing. Throws LEDGER_*, DURABILITY_UNMET, ARCHIVE_BACKLOG,
   * DEADLINE_EXCEEDED or INTERNAL; after each of these but the backlog, the outcome is unknown.
   */
  async transact(transaction: Transaction, deadlineMs: number): Promise<Outcome> {
    const partition = this.partitions === 1 ? this.first : this.ofUser(userOfTransaction(transaction));
    return await this.attempts.within(deadlineMs, partition.transactions.submit(transaction, deadlineMs));
  }

  /**
   * Carries out a transaction in a partition that its steps do not tell: one about a promotion, not about a user. Throws as
   * {@link transact} does.
   */
  async transactAt(partition: number, transaction: Transaction, deadlineMs: number): Promise<Outcome> {
    const { transactions } = this.partitionAt(partition);
    return await this.attempts.within(deadlineMs, transactions.submit(transaction, deadlineMs));
  }

  /** All fields of records of one partition by name (latin1), in the order asked. Throws a LEDGER_* refusal. */
  async recordsAt(
    partition: number,
    names: readonly RecordName[],
    deadlineMs: number,
  ): Promise<Map<string, Buffer>[]> {
    return await this.readAgain(deadlineMs, () => this.partitionAt(partition).reads.records(names));
  }

  /** Some fields of a record of one partition, in the order asked; null where there is none. Throws a LEDGER_* refusal. */
  async fieldsAt(
    partition: number,
    on: RecordName,
    fields: readonly Buffer[],
    deadlineMs: number,
  ): Promise<readonly (Buffer | null)[]> {
    const { reads } = this.partitionAt(partition);
    return (await this.readAgain(deadlineMs, () => reads.fields([{ on, fields }])))[0] ?? [];
  }

  /** The oldest entry that the stream of one partition still has; undefined when it is empty. Throws a LEDGER_* refusal. */
  async oldestEntryAt(partition: number, deadlineMs: number): Promise<EntryPlace | undefined> {
    return await this.readAgain(deadlineMs, () => this.partitionAt(partition).reads.oldestEntry());
  }

  /** The partition that holds everything of a user. */
  partitionOf(userId: string): number {
    return partitionOf(userId, this.partitions);
  }

  /**
   * Brings a promotion's definition where its record is missing. Throws PROMOTION_NOT_FOUND, DEADLINE_EXCEEDED,
   * ARCHIVE_UNAVAILABLE or LEDGER_*; it may come all the same when others wait for it too.
   */
  async ensureDefined(promotionRef: number, deadlineMs: number): Promise<void> {
    if (!(await this.attempts.within(deadlineMs, this.ports.defineMissing(promotionRef))))
      throw new Refusal('PROMOTION_NOT_FOUND', 'There is no such promotion');
  }

  /** The ledger's clock now, ms since the epoch, as near as the last reply of a server tells. */
  nowMs(): number {
    const clocks = this.all.map(({ clock }) => clock);
    const newest = clocks.reduce((one, other) => (other.heardAtMs > one.heardAtMs ? other : one));
    return Math.round(this.ports.nowMs() + newest.offsetMs);
  }

  /**
   * Delivers a definition to every partition, and to as many replicas as are configured; idempotent. Throws a LEDGER_* refusal
   * unless all of them are known to have it.
   */
  async define(definition: LiveDefinition, deadlineMs: number): Promise<Deliveries> {
    const home = homePartition(definition.ref, this.partitions);
    const deliveries = await deliverDefinition(definition, this.partitions, (partition, closesLease) => {
      const lease = { hasPool: this.partitions > 1 && partition === home, closesLease };
      return this.attempts.repeat(deadlineMs, deadlineMs, () =>
        this.partitionAt(partition).define(definition, lease),
      );
    });
    return {
      applied: deliveries.some(({ applied }) => applied),
      seqs: deliveries.map(({ seq }) => seq),
      issued: deliveries.reduce((sum, { issued }) => sum + issued, 0),
    };
  }

  /** Hides a coupon of a user. Throws COUPON_NOT_FOUND, COUPON_STILL_USABLE or a LEDGER_* refusal. */
  async hide(userId: string, fieldHex: string, deadlineMs: number): Promise<CouponValue> {
    const partition = this.ofUser(userId);
    return await this.attempts.repeat(deadlineMs, deadlineMs, () =>
      partition.hide(userId, fieldHex, deadlineMs),
    );
  }

  /**
   * Runs a read by its deadline; failures become refusals. What it sees may be lost with its server, and all but `records` are
   * answered by one that is not open too: good for showing, and for deciding what a transaction then holds to be as read.
   * Who answers "done before" or refuses for good by a read alone asks `isStillSo` (`still-so.ts`) first.
   */
  async read<Answer>(deadlineMs: number, read: (reads: LedgerReads) => Promise<Answer>): Promise<Answer> {
    return await this.readAgain(deadlineMs, () => read(this.reads));
  }

  /**
   * Answers everything that was taken, then closes the connections. Who has no answer after {@link CLOSE_MS} gets none: the
   * outcome is unknown, as after a crash.
   */
  async close(): Promise<void> {
    this.servers.stopWatching();
    const drained = Promise.all(this.all.map((partition) => partition.drain()));
    const isDrained = await Promise.race([drained.then(() => true), sleep(CLOSE_MS, false, { ref: false })]);
    if (!isDrained) {
      const line = { event: LOG_EVENTS.ledgerLeft, limitMs: CLOSE_MS };
      this.ports.logger.warn(line, 'calls to the ledger were under way when it was closed');
    }
    this.servers.close();
  }

  private createPartition(partition: number): LedgerPartition {
    const { settings, metrics, logger, defineMissing, archived, nowMs } = this.ports;
    // The users of all partitions are as many; a partition may get somewhat more than its share of them.
    const share = this.partitions === 1 ? 1 : 2 / this.partitions;
    const queueLimit = Math.max(1, Math.ceil(settings.queueLimit * share));
    return new LedgerPartition({
      partition,
      settings: { ...settings, queueLimit },
      topology: this.servers.topology,
      nodes: this.servers.nodes,
      metrics,
      logger,
      defineMissing,
      obtainUnits: this.leases.ofClaims(partition),
      archived,
      nowMs,
    });
  }

  private partitionAt(partition: number): LedgerPartition {
    const found = this.all[partition];
    if (found === undefined) throw new RangeError(`no partition ${partition}`);
    return found;
  }

  private ofUser(userId: string): LedgerPartition {
    return this.partitionAt(partitionOf(userId, this.partitions));
  }

  private sum(count: (partition: LedgerPartition) => number): number {
    return this.all.reduce((total, partition) => total + count(partition), 0);
  }

  /** With several partitions a scrape shows whether all are open, and the longest backlog. */
  private showExtremes(): void {
    const { ledgerPartitionOpen, ledgerBacklogEvents } = this.ports.metrics;
    ledgerPartitionOpen.source = () => Math.min(...this.all.map(({ open }) => open.value));
    ledgerBacklogEvents.source = () => Math.max(...this.all.map(({ backlog }) => backlog.value));
  }

  /**
   * Reads again while a partition is on its way to another server, for half of the time there is: the caller may have another
   * way. On one server nothing moves, and who asks hears at once that it is away.
   */
  private readAgain<Answer>(deadlineMs: number, read: () => Promise<Answer>): Promise<Answer> {
    return tracedWork(READ_START, () => this.readUntilAnswered(deadlineMs, read));
  }

  private async readUntilAnswered<Answer>(deadlineMs: number, read: () => Promise<Answer>): Promise<Answer> {
    const { topology } = this.servers;
    if (topology.kind === 'single') return await this.attempts.within(deadlineMs, read());
    const nowMs = this.ports.nowMs();
    return await this.attempts.repeat(nowMs + (deadlineMs - nowMs) / 2, deadlineMs, async () => {
      try {
        return await read();
      } catch (error) {
        topology.failed(error);
        throw error;
      }
    });
  }
}
