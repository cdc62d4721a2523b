/** One partition of the ledger as a process uses it: its claims, its transactions, its single writes, its reads, its clock. */
import type { CouponValue } from '../domain/coupon.ts';
import type { LiveDefinition } from '../domain/live-definition.ts';
import { Refusal } from '../domain/refusal.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import { Gauge } from '../telemetry/metric.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { tracedWork } from '../telemetry/tracing/traced-work.ts';
import { type ArchivedCoupons, NO_ARCHIVE } from './archived-coupons.ts';
import { withoutReplicas } from './claim-batch.ts';
import type { ClaimsAsidePorts } from './claims-aside.ts';
import { type DefineTarget, type Delivery, define } from './define.ts';
import { DURABILITY_UNREAD } from './durability.ts';
import { GroupCommit } from './group-commit.ts';
import { hideCoupon } from './hide-coupon.ts';
import { type PartitionKeys, partitionKeys } from './keys.ts';
import type { LedgerNode } from './ledger-node.ts';
import * as limits from './limits.ts';
import { nobodyServes, type PartitionConnection } from './partition-connection.ts';
import type { PartitionNodes } from './partition-nodes.ts';
import { PartitionReads } from './partition-reads.ts';
import type { ScriptConnections } from './script-connections.ts';
import { runReplicatedScript, runScript, ScriptFailure, type ScriptName } from './script-runner.ts';
import { scriptStart } from './script-span.ts';
import { ServerClock } from './server-clock.ts';
import type { Topology } from './topology.ts';
import { type CallReply, TransactionCommit } from './transaction-commit.ts';

/** How the writes of a partition are acknowledged and bounded. */
export interface PartitionSettings {
  readonly commandTimeoutMs: number;
  /** Writes of each kind that may wait at once. */
  readonly queueLimit: number;
  readonly claimBacklogEvents: number;
  readonly reservationBacklogEvents: number;
  readonly replicas: number;
  readonly durabilityFallback: 'refuse' | 'degrade';
}

/** Connections that scripts run on. */
type Lane = 'claims' | 'transactions' | 'writes';

/** What a partition needs from outside. */
export interface LedgerPartitionPorts {
  readonly partition: number;
  readonly settings: PartitionSettings;
  readonly topology: Topology;
  readonly nodes: PartitionNodes<LedgerNode>;
  readonly metrics: Metrics;
  readonly logger: Logger;
  defineMissing(promotionRef: number): Promise<boolean>;
  readonly obtainUnits: ClaimsAsidePorts['obtainUnits'];
  readonly archived: ArchivedCoupons | undefined;
  nowMs(): number;
}

/** One partition; see the module's comment. Its methods throw {@link ScriptFailure} and what the driver throws. */
export class LedgerPartition {
  readonly reads: PartitionReads;
  readonly claims: GroupCommit;
  readonly transactions: TransactionCommit;
  readonly clock = new ServerClock();
  /** 1 when the last call found the partition open; see the metrics. */
  readonly open: Gauge;
  readonly backlog: Gauge;
  private readonly ports: LedgerPartitionPorts;
  private readonly keys: PartitionKeys;
  private isReplicated = true;

  constructor(ports: LedgerPartitionPorts) {
    const { partition, topology, metrics } = ports;
    this.ports = ports;
    this.keys = partitionKeys(partition, topology.partitions);
    this.reads = new PartitionReads(this.reader(), this.keys);
    this.open = topology.partitions === 1 ? metrics.ledgerPartitionOpen : new Gauge();
    this.backlog = topology.partitions === 1 ? metrics.ledgerBacklogEvents : new Gauge();
    this.open.value = 1;
    const own = { ...metrics, ledgerPartitionOpen: this.open, ledgerBacklogEvents: this.backlog };
    this.claims = this.claimCommit(own);
    this.transactions = this.transactionCommit(own);
  }

  /** Delivers a definition to the server and to as many replicas as are configured; idempotent. */
  async define(
    definition: LiveDefinition,
    lease: Pick<DefineTarget, 'hasPool' | 'closesLease'>,
  ): Promise<Delivery> {
    const target = { ...lease, keys: this.keys };
    return await define((...call) => this.runSingle(...call), target, definition);
  }

  /**
   * Hides a coupon of a user, with as many replicas as are configured. An answer that it was late tells the server's clock, which a
   * process that claims nothing has from nowhere else: if the deadline is still ahead by that, it is tried again.
   */
  async hide(userId: string, fieldHex: string, deadlineMs: number): Promise<CouponValue> {
    for (;;) {
      const serverDeadlineMs = deadlineMs + this.clock.leastOffsetMs;
      const [sentAtMs, startMs] = [this.ports.nowMs(), performance.now()];
      const request = { userId, fieldHex, serverDeadlineMs };
      const answer = await hideCoupon((...call) => this.runSingle(...call), this.keys, request);
      if ('coupon' in answer) return answer.coupon;
      this.clock.learn(answer.lateAtMs, sentAtMs, performance.now() - startMs);
      if (deadlineMs + this.clock.leastOffsetMs < answer.lateAtMs)
        throw new Refusal('DEADLINE_EXCEEDED', 'the deadline passed before the ledger decided');
    }
  }

  /** Resolves when everything taken so far has its answer. */
  async drain(): Promise<void> {
    await Promise.all([this.claims.drain(), this.transactions.drain()]);
  }

  private reader(): PartitionConnection {
    return { redis: () => this.node().reader, failed: (error) => this.ports.topology.failed(error) };
  }

  private node(): LedgerNode {
    const { nodes, partition } = this.ports;
    const node = nodes.of(partition);
    if (node === undefined) throw nobodyServes(partition);
    return node;
  }

  private isDurable(): boolean {
    return this.ports.nodes.of(this.ports.partition)?.durability.isDurable ?? false;
  }

  /** Where servers come and go, one that has only just come into the picture is asked what it keeps before it gets a write. */
  private isYetToTell(): boolean {
    const { topology, nodes, partition } = this.ports;
    return (
      topology.kind !== 'single' &&
      (nodes.of(partition)?.durability ?? DURABILITY_UNREAD) === DURABILITY_UNREAD
    );
  }

  private claimCommit(metrics: Metrics): GroupCommit {
    const {
      partition,
      settings,
      logger,
      defineMissing,
      obtainUnits,
      archived = NO_ARCHIVE,
      nowMs,
    } = this.ports;
    return new GroupCommit({
      keys: this.keys,
      queueLimit: settings.queueLimit,
      metrics,
      runClaims: (keys, args) => this.runClaims(keys, args),
      attemptMs: settings.commandTimeoutMs,
      settings: () => ({
        backlogLimitEvents: settings.claimBacklogEvents,
        durability: this.isDurable() ? 'honest' : settings.durabilityFallback,
      }),
      clock: this.clock,
      defineMissing,
      obtainUnits,
      archived: (couponId, seq, deadlineMs) => archived.coupon({ couponId, partition, seq }, deadlineMs),
      reportBroken: (promotionRef, cause) =>
        logger.error(
          { event: LOG_EVENTS.ledgerScriptFailed, partition, promotionRef, cause },
          'a claim cannot be decided',
        ),
      nowMs,
    });
  }

  private transactionCommit(metrics: Metrics): TransactionCommit {
    const { partition, settings, logger, nowMs } = this.ports;
    return new TransactionCommit({
      keys: this.keys,
      queueLimit: settings.queueLimit,
      metrics,
      run: (keys, args) => this.runTransactions(keys, args),
      attemptMs: settings.commandTimeoutMs,
      backlogLimitEvents: () => settings.reservationBacklogEvents,
      isDurable: () => this.isDurable() || this.isYetToTell() || settings.durabilityFallback === 'degrade',
      clock: this.clock,
      reportBroken: (cause) =>
        logger.error(
          { event: LOG_EVENTS.ledgerScriptFailed, partition, cause },
          'a transaction cannot be carried out',
        ),
      nowMs,
    });
  }

  private async runClaims(keys: readonly string[], args: readonly (string | Buffer)[]): Promise<unknown> {
    const answer = await this.runConfirmed('claims', 'claim', keys, args);
    if (!answer.isReplicated) withoutReplicas(answer.reply, this.ports.settings.durabilityFallback);
    return answer.reply;
  }

  private async runTransactions(
    keys: readonly string[],
    args: readonly (string | Buffer)[],
  ): Promise<CallReply> {
    const answer = await this.runConfirmed('transactions', 'transact', keys, args);
    const isReplicated = answer.isReplicated || this.ports.settings.durabilityFallback === 'degrade';
    return { ...answer, isReplicated };
  }

  /**
   * Runs a script that is a write of its own. Too few replicas are as good as no answer, since all of these may be made again;
   * unless the operator chose to go on with less.
   */
  private async runSingle(
    script: ScriptName,
    keys: readonly string[],
    args: readonly (string | Buffer | number)[],
  ): Promise<unknown> {
    const run = () => this.runConfirmed('writes', script, keys, args);
    const { reply, isReplicated } = await tracedWork(() => scriptStart(script, 1), run);
    if (isReplicated || this.ports.settings.durabilityFallback === 'degrade') return reply;
    throw new ScriptFailure('unreachable', 'too few replicas have confirmed this write');
  }

  /** Runs a script and waits for as many replicas as are configured. */
  private async runConfirmed(
    lane: Lane,
    script: ScriptName,
    keys: readonly string[],
    args: readonly (string | Buffer | number)[],
  ): Promise<CallReply> {
    try {
      if (this.isYetToTell())
        throw new ScriptFailure('unreachable', 'the server has not told yet what it keeps');
      const answer = await this.runOn(this.node()[lane], this.replicaWaitMs(lane), script, keys, args);
      this.noteReplicas(answer.isReplicated);
      return answer;
    } catch (error) {
      this.ports.topology.failed(error);
      throw error;
    }
  }

  /** Claims and transactions wait together; single writes would wait one after the other for replicas that nobody insists on. */
  private replicaWaitMs(lane: Lane): number {
    const { commandTimeoutMs, durabilityFallback } = this.ports.settings;
    const isInVain = lane === 'writes' && durabilityFallback === 'degrade' && !this.isReplicated;
    return isInVain ? limits.MISSED_REPLICAS_WAIT_MS : Math.floor(commandTimeoutMs / 2);
  }

  /** Counts calls that too few replicas confirmed, and logs when that begins and ends. */
  private noteReplicas(isReplicated: boolean): void {
    const { metrics, logger, partition, settings } = this.ports;
    if (!isReplicated) metrics.ledgerUnreplicatedCalls.value += 1;
    if (isReplicated === this.isReplicated) return;
    this.isReplicated = isReplicated;
    const line = { event: LOG_EVENTS.ledgerDurability, partition, isReplicated, replicas: settings.replicas };
    if (isReplicated) logger.info(line, 'as many replicas as are configured confirm writes again');
    else
      logger.warn(line, 'too few replicas confirm writes: DURABLE promotions do not get what they ask for');
  }

  private async runOn(
    connections: ScriptConnections,
    timeoutMs: number,
    script: ScriptName,
    keys: readonly string[],
    args: readonly (string | Buffer | number)[],
  ): Promise<CallReply> {
    const { replicas } = this.ports.settings;
    return await connections.run(async (redis) => {
      if (replicas === 0) return { reply: await runScript(redis, script, keys, args), isReplicated: true };
      const answer = await runReplicatedScript(redis, script, keys, args, { count: replicas, timeoutMs });
      return { reply: answer.reply, isReplicated: answer.replicas >= replicas };
    });
  }
}
