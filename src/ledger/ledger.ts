/**
 * The live ledger: everything that must be atomic, on one Redis.
 *
 * Writes go through one connection, reads through another, so that a long read never waits in front of a claim. A failed
 * call becomes a refusal whose outcome is "unknown"; claims are tried again until their deadline (see `group-commit.ts`).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { CouponValue } from '../domain/coupon.ts';
import type { LiveDefinition } from '../domain/live-definition.ts';
import { Refusal, type RefusalReason } from '../domain/refusal.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type ArchivedCoupons, NO_ARCHIVE } from './archived-coupons.ts';
import { withoutReplicas } from './claim-batch.ts';
import type { ClaimRequest } from './claim-operation.ts';
import { awaitReady, connectLedger, type LedgerConnectionSettings } from './connection.ts';
import { type Delivery, define } from './define.ts';
import { DURABILITY_UNREAD, type Durability, readDurability } from './durability.ts';
import { GroupCommit } from './group-commit.ts';
import { hideCoupon } from './hide-coupon.ts';
import { type PartitionKeys, partitionKeys } from './keys.ts';
import * as limits from './limits.ts';
import { LedgerReads } from './reads.ts';
import { ScriptConnections } from './script-connections.ts';
import {
  runReplicatedScript,
  runScript,
  ScriptFailure,
  type ScriptFailureKind,
  type ScriptName,
  scriptFailure,
} from './script-runner.ts';
import { ServerClock } from './server-clock.ts';
import type { Outcome, RecordName, Transaction } from './transaction.ts';
import { type CallReply, TransactionCommit } from './transaction-commit.ts';

/** Settings of the ledger's client side. */
export interface LedgerSettings extends LedgerConnectionSettings {
  /** Claims that may wait at once. */
  readonly queueLimit: number;
  /** Events not yet archived at which new claims are refused. */
  readonly claimBacklogEvents: number;
  /** Events not yet archived at which reservations, grants and exchanges are refused. */
  readonly reservationBacklogEvents: number;
  /** Replicas that must have a DURABLE claim before it is answered. */
  readonly replicas: number;
  /** What DURABLE promotions get while the server is not durable or too few replicas answer. */
  readonly durabilityFallback: 'refuse' | 'degrade';
  /** The operator vouches for `appendfsync always` where the server does not show its settings. */
  readonly isFsyncVouchedFor: boolean;
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
  connect?(settings: LedgerConnectionSettings, name: string): Redis;
}

const FAILURE_REASONS: Readonly<Record<ScriptFailureKind, RefusalReason>> = {
  unreachable: 'LEDGER_UNAVAILABLE',
  busy: 'LEDGER_UNAVAILABLE',
  memory: 'LEDGER_OUT_OF_MEMORY',
  script: 'INTERNAL',
};

/** Refusals that may be gone in a moment. */
const RETRIED: ReadonlySet<RefusalReason> = new Set(['LEDGER_CLOSED', 'LEDGER_UNAVAILABLE']);

/** The refusal for a call that got no answer. */
function refusalFor(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const failure = error instanceof ScriptFailure ? error : scriptFailure(error);
  return new Refusal(FAILURE_REASONS[failure.kind], 'the ledger did not answer', { cause: failure });
}

/** The ledger as a process uses it; close it with `close()` after draining. */
export class Ledger {
  readonly reads: LedgerReads;
  private readonly ports: LedgerPorts;
  private readonly keys: PartitionKeys = partitionKeys(0);
  /** Definitions and single writes. */
  private readonly writer: Redis;
  private readonly claimConnections: ScriptConnections;
  private readonly transactionConnections: ScriptConnections;
  private readonly reader: Redis;
  private readonly claims: GroupCommit;
  private readonly transactions: TransactionCommit;
  private readonly serverClock = new ServerClock();
  private current: Durability = DURABILITY_UNREAD;
  private durabilityTimer: NodeJS.Timeout | undefined;

  constructor(ports: LedgerPorts) {
    this.ports = ports;
    this.writer = this.connect('hongbao-ledger-write');
    this.reader = this.connect('hongbao-ledger-read');
    this.claimConnections = this.connections('hongbao-ledger-claim', limits.BATCHES_IN_FLIGHT);
    this.transactionConnections = this.connections(
      'hongbao-ledger-transact',
      limits.TRANSACTION_CALLS_IN_FLIGHT,
    );
    this.reads = new LedgerReads(this.reader, this.keys);
    this.claims = this.claimCommit();
    this.transactions = this.transactionCommit();
    ports.metrics.ledgerQueueItems.source = () => this.claims.waiting + this.transactions.waiting;
    ports.metrics.ledgerInflight.source = () => this.claims.inFlight + this.transactions.inFlight;
  }

  /** Waits for the server, up to `timeoutMs`, and reads what it keeps. A server that is away is not an error: calls say so. */
  async start(timeoutMs: number): Promise<void> {
    await awaitReady(this.writer, timeoutMs);
    await this.checkDurability();
    this.durabilityTimer = setInterval(() => void this.checkDurability(), limits.DURABILITY_CHECK_MS);
    this.writer.on('ready', () => void this.checkDurability());
  }

  /** What the server keeps, as last read. */
  get durability(): Durability {
    return this.current;
  }

  /** Takes a claim; its listener hears one answer by the deadline. */
  claim(request: ClaimRequest): void {
    this.claims.submit(request);
  }

  /**
   * Carries out a transaction, all of it or nothing. Throws LEDGER_*, DURABILITY_UNMET, ARCHIVE_BACKLOG, DEADLINE_EXCEEDED or
   * INTERNAL; after each of these but the backlog, the outcome is unknown.
   */
  async transact(transaction: Transaction, deadlineMs: number): Promise<Outcome> {
    return await this.within(deadlineMs, this.transactions.submit(transaction, deadlineMs));
  }

  /**
   * Carries out a transaction in a partition that its steps do not tell: one about a promotion, not about a user. Throws as
   * {@link transact} does.
   */
  async transactAt(_partition: number, transaction: Transaction, deadlineMs: number): Promise<Outcome> {
    return await this.within(deadlineMs, this.transactions.submit(transaction, deadlineMs));
  }

  /** All fields of records of one partition by name (latin1), in the order asked. Throws a LEDGER_* refusal. */
  async recordsAt(
    _partition: number,
    names: readonly RecordName[],
    deadlineMs: number,
  ): Promise<Map<string, Buffer>[]> {
    return await this.within(deadlineMs, this.reads.records(names));
  }

  /** Brings a promotion's definition where its record is missing. Throws PROMOTION_NOT_FOUND. */
  async ensureDefined(promotionRef: number): Promise<void> {
    if (!(await this.ports.defineMissing(promotionRef)))
      throw new Refusal('PROMOTION_NOT_FOUND', 'There is no such promotion');
  }

  /** The ledger's clock now, ms since the epoch, as near as the last reply tells. */
  nowMs(): number {
    return Math.round(this.ports.nowMs() + this.serverClock.offsetMs);
  }

  /** Delivers a definition; idempotent. Throws a LEDGER_* refusal when that cannot be known to have happened. */
  async define(definition: LiveDefinition, deadlineMs: number): Promise<Delivery> {
    return await this.persist(deadlineMs, () => define(this.writer, this.keys, definition));
  }

  /** Hides a coupon of a user. Throws COUPON_NOT_FOUND, COUPON_STILL_USABLE or a LEDGER_* refusal. */
  async hide(userId: string, fieldHex: string, deadlineMs: number): Promise<CouponValue> {
    const serverDeadlineMs = deadlineMs + this.serverClock.offsetMs;
    return await this.persist(deadlineMs, () =>
      hideCoupon(this.writer, this.keys, { userId, fieldHex, serverDeadlineMs }),
    );
  }

  /** Runs a read by its deadline; failures become refusals. */
  async read<Answer>(deadlineMs: number, read: (reads: LedgerReads) => Promise<Answer>): Promise<Answer> {
    return await this.within(deadlineMs, read(this.reads));
  }

  /** Answers everything that was taken, then closes the connections. */
  async close(): Promise<void> {
    clearInterval(this.durabilityTimer);
    await Promise.all([this.claims.drain(), this.transactions.drain()]);
    this.writer.disconnect();
    this.claimConnections.disconnect();
    this.transactionConnections.disconnect();
    this.reader.disconnect();
  }

  private connect(name: string): Redis {
    const { settings, connect = connectLedger } = this.ports;
    const redis = connect(settings, name);
    redis.on('error', (error: Error) =>
      this.ports.logger.warn(
        { event: LOG_EVENTS.ledgerConnection, connection: name, cause: error.message },
        'no connection to the ledger',
      ),
    );
    return redis;
  }

  private batchSettings(): { backlogLimitEvents: number; durability: 'honest' | 'refuse' | 'degrade' } {
    const { claimBacklogEvents, durabilityFallback } = this.ports.settings;
    return {
      backlogLimitEvents: claimBacklogEvents,
      durability: this.current.isDurable ? 'honest' : durabilityFallback,
    };
  }

  private connections(name: string, count: number): ScriptConnections {
    return new ScriptConnections(Array.from({ length: count }, () => this.connect(name)));
  }

  private claimCommit(): GroupCommit {
    const { settings, metrics, logger, defineMissing, archived, nowMs } = this.ports;
    return new GroupCommit({
      keys: this.keys,
      queueLimit: settings.queueLimit,
      metrics,
      runClaims: (keys, args) => this.runClaims(keys, args),
      settings: () => this.batchSettings(),
      clock: this.serverClock,
      defineMissing,
      archived: (couponId, seq, deadlineMs) =>
        (archived ?? NO_ARCHIVE).coupon({ couponId, partition: 0, seq }, deadlineMs),
      reportBroken: (promotionRef, cause) =>
        logger.error(
          { event: LOG_EVENTS.ledgerScriptFailed, promotionRef, cause },
          'a claim cannot be decided',
        ),
      nowMs,
    });
  }

  private transactionCommit(): TransactionCommit {
    const { settings, metrics, logger, nowMs } = this.ports;
    return new TransactionCommit({
      keys: this.keys,
      queueLimit: settings.queueLimit,
      metrics,
      run: (keys, args) => this.runTransactions(keys, args),
      backlogLimitEvents: () => settings.reservationBacklogEvents,
      isDurable: () => this.current.isDurable || settings.durabilityFallback === 'degrade',
      clock: this.serverClock,
      reportBroken: (cause) =>
        logger.error({ event: LOG_EVENTS.ledgerScriptFailed, cause }, 'a transaction cannot be carried out'),
      nowMs,
    });
  }

  private async runClaims(keys: readonly string[], args: readonly (string | Buffer)[]): Promise<unknown> {
    const answer = await this.runConfirmed(this.claimConnections, 'claim', keys, args);
    if (!answer.isReplicated) withoutReplicas(answer.reply, this.ports.settings.durabilityFallback);
    return answer.reply;
  }

  private async runTransactions(
    keys: readonly string[],
    args: readonly (string | Buffer)[],
  ): Promise<CallReply> {
    const answer = await this.runConfirmed(this.transactionConnections, 'transact', keys, args);
    return {
      ...answer,
      isReplicated: answer.isReplicated || this.ports.settings.durabilityFallback === 'degrade',
    };
  }

  /** Runs a script and waits for as many replicas as are configured. */
  private async runConfirmed(
    connections: ScriptConnections,
    script: ScriptName,
    keys: readonly string[],
    args: readonly (string | Buffer)[],
  ): Promise<CallReply> {
    const { replicas, commandTimeoutMs } = this.ports.settings;
    return await connections.run(async (redis) => {
      if (replicas === 0) return { reply: await runScript(redis, script, keys, args), isReplicated: true };
      const wait = { count: replicas, timeoutMs: Math.floor(commandTimeoutMs / 2) };
      const answer = await runReplicatedScript(redis, script, keys, args, wait);
      return { reply: answer.reply, isReplicated: answer.replicas >= replicas };
    });
  }

  private async checkDurability(): Promise<void> {
    const { settings, metrics, logger } = this.ports;
    const read = await readDurability(this.writer, settings.isFsyncVouchedFor).catch(() => this.current);
    if (read.isDurable !== this.current.isDurable || this.current === DURABILITY_UNREAD) {
      const line = { event: LOG_EVENTS.ledgerDurability, isDurable: read.isDurable, reason: read.reason };
      if (read.isDurable) logger.info(line, 'the ledger keeps what it acknowledges');
      else logger.warn(line, 'the ledger is not durable: DURABLE promotions do not get what they ask for');
    }
    this.current = read;
    metrics.ledgerDurable.value = read.isDurable ? 1 : 0;
  }

  /** Makes an idempotent write again while the ledger is closed or away and the deadline has not passed. */
  private async persist<Answer>(deadlineMs: number, write: () => Promise<Answer>): Promise<Answer> {
    for (let delayMs = limits.RETRY_FIRST_MS; ; delayMs = Math.min(delayMs * 2, limits.RETRY_LONGEST_MS)) {
      try {
        return await this.within(deadlineMs, write());
      } catch (error) {
        const isLate = this.ports.nowMs() + delayMs >= deadlineMs;
        if (isLate || !(error instanceof Refusal) || !RETRIED.has(error.reason)) throw error;
      }
      await sleep(delayMs);
    }
  }

  private within<Answer>(deadlineMs: number, call: Promise<Answer>): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const leftMs = Math.max(0, deadlineMs - this.ports.nowMs());
    const timer = setTimeout(
      () => reject(new Refusal('DEADLINE_EXCEEDED', 'the ledger did not answer in time')),
      leftMs,
    );
    call.then(
      (answer) => {
        clearTimeout(timer);
        resolve(answer);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(refusalFor(error));
      },
    );
    return promise;
  }
}
