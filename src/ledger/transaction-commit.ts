/**
 * Group commit of transactions: those that arrive while a call is under way travel together as the next one, on connections
 * of their own, so that what ends an order never waits behind claims.
 *
 * What may go wrong is dealt with as in `group-commit.ts`: late ones are dropped unsent, a call without an answer is made
 * again until the deadlines, a script that fails is run one by one. A transaction that was carried out by a call whose
 * answer got lost finds, when it is sent again, what it left behind: its maker hears `replayed` or `differs`, reads again
 * and recognises its own work.
 */
import { Refusal, type RefusalReason } from '../domain/refusal.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { currentSpan } from '../telemetry/tracing/current-span.ts';
import type { Waits } from '../telemetry/tracing/traced-work.ts';
import type { PartitionKeys } from './keys.ts';
import * as limits from './limits.ts';
import { type Attempted, OpenAttempts } from './open-attempts.ts';
import { RetryDelay } from './retry-delay.ts';
import { ScriptFailure } from './script-runner.ts';
import { tracedScript } from './script-span.ts';
import type { ServerClock } from './server-clock.ts';
import type { Outcome, Transaction } from './transaction.ts';
import { encodeTransactions } from './transaction-codec.ts';
import { decodeTransactionsReply, type Refused, type TransactionsReply } from './transaction-reply.ts';
import { TurnEnd } from './turn-end.ts';

/** What the group commit needs from outside. */
export interface TransactionPorts {
  readonly keys: PartitionKeys;
  /** Transactions that may wait; more are refused at once. */
  readonly queueLimit: number;
  readonly metrics: Metrics;
  run(keys: readonly string[], args: readonly (string | Buffer)[]): Promise<CallReply>;
  /** Longest wait for a reply, ms: an attempt that lands later is of no use. */
  readonly attemptMs: number;
  /** Events not archived at which transactions that open something are refused. */
  backlogLimitEvents(): number;
  /** False while what the ledger acknowledges could be lost and the operator wants writes refused then. */
  isDurable(): boolean;
  readonly clock: ServerClock;
  /** Reports a transaction that cannot be carried out; somebody must look. */
  reportBroken(cause: string): void;
  nowMs(): number;
}

/** A script's reply, and whether as many replicas as configured have what it wrote. */
export interface CallReply {
  readonly reply: unknown;
  readonly isReplicated: boolean;
}

interface Waiting extends Attempted, Waits {
  readonly transaction: Transaction;
  readonly deadlineMs: number;
  readonly costUs: number;
  readonly settle: (answer: Outcome | Refusal) => void;
}

const REFUSALS: Readonly<Record<Refused, readonly [RefusalReason, string]>> = {
  late: ['DEADLINE_EXCEEDED', 'the deadline passed before the ledger decided'],
  backlog: ['ARCHIVE_BACKLOG', 'the archive lags too far behind for new writes'],
  corrupt: ['INTERNAL', 'a record of the ledger cannot be read'],
};

/** The transactions of one partition on their way to the ledger. */
export class TransactionCommit {
  private readonly ports: TransactionPorts;
  private queue: Waiting[] = [];
  private callsInFlight = 0;
  private sent = 0;
  private readonly turnEnd = new TurnEnd(() => this.pump());
  private readonly retryDelay = new RetryDelay();
  private readonly attempts: OpenAttempts<Waiting>;
  private obstacle: RefusalReason | undefined;
  private idle: PromiseWithResolvers<void> | undefined;

  constructor(ports: TransactionPorts) {
    this.ports = ports;
    this.attempts = new OpenAttempts({
      attemptMs: ports.attemptMs,
      clock: ports.clock,
      nowMs: () => ports.nowMs(),
      putBack: (waiting) => this.putBack(waiting),
    });
  }

  /** Transactions waiting for a call. */
  get waiting(): number {
    return this.queue.length;
  }

  /** Transactions sent and not yet answered. */
  get inFlight(): number {
    return this.sent;
  }

  /** Carries out a transaction; rejects with a refusal. Its caller minds the deadline while it travels. */
  submit(transaction: Transaction, deadlineMs: number): Promise<Outcome> {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const settle = (answer: Outcome | Refusal): void =>
      answer instanceof Refusal ? reject(answer) : resolve(answer);
    const costUs = limits.TRANSACTION_COST_US + limits.STEP_COST_US * transaction.steps.length;
    if (!this.ports.isDurable()) {
      settle(new Refusal('DURABILITY_UNMET', 'the ledger would not keep this write'));
    } else if (this.queue.length >= this.ports.queueLimit) {
      settle(new Refusal('LEDGER_OVERLOADED', 'too many writes wait for the ledger'));
    } else {
      this.queue.push({ transaction, deadlineMs, costUs, settle, unknownUntilMs: 0, span: currentSpan() });
      this.turnEnd.schedule();
    }
    return promise;
  }

  /** Resolves when every transaction taken so far has its answer. */
  async drain(): Promise<void> {
    if (this.isIdle()) return;
    this.idle ??= Promise.withResolvers<void>();
    await this.idle.promise;
  }

  private isIdle(): boolean {
    return this.queue.length === 0 && this.callsInFlight === 0 && this.attempts.items.size === 0;
  }

  private pump(): void {
    while (this.maySend()) {
      const batch = this.take();
      if (batch.length > 0) void this.send(batch);
    }
    if (!this.isIdle()) return;
    this.idle?.resolve();
    this.idle = undefined;
  }

  private maySend(): boolean {
    if (this.queue.length === 0 || this.retryDelay.isPausing) return false;
    return this.callsInFlight < limits.TRANSACTION_CALLS_IN_FLIGHT;
  }

  /** The next transactions up to the cost of one call, without those whose time is up. */
  private take(): Waiting[] {
    const nowMs = this.ports.nowMs();
    let costUs = 0;
    let taken = 0;
    for (const { costUs: more } of this.queue) {
      if (taken > 0 && costUs + more > limits.BATCH_COST_LIMIT_US) break;
      costUs += more;
      taken += 1;
    }
    const next = this.queue.splice(0, taken);
    for (const waiting of next) if (waiting.deadlineMs < nowMs) this.expire(waiting);
    return next.filter(({ deadlineMs }) => deadlineMs >= nowMs);
  }

  /** Never rejects: every failure ends in an answer or another attempt. */
  private async send(batch: readonly Waiting[]): Promise<void> {
    this.callsInFlight += 1;
    this.sent += batch.length;
    const attemptUntilMs = this.attempts.endMs();
    const outcome = await this.call(batch, attemptUntilMs).catch((error: unknown) =>
      error instanceof ScriptFailure ? error : new ScriptFailure('script', String(error)),
    );
    this.callsInFlight -= 1;
    this.sent -= batch.length;
    if (outcome instanceof ScriptFailure) this.fail(batch, outcome, attemptUntilMs);
    else if (outcome === undefined) this.findClosed(batch);
    else this.receive(batch, outcome);
    this.pump();
  }

  private async call(batch: readonly Waiting[], attemptUntilMs: number) {
    const { ports } = this;
    const { leastOffsetMs } = ports.clock;
    const timed = batch.map(({ transaction, deadlineMs }) => ({
      transaction,
      serverDeadlineMs: Math.min(deadlineMs + leastOffsetMs, attemptUntilMs),
    }));
    const { keys, args } = encodeTransactions(timed, ports.keys, ports.backlogLimitEvents());
    const sentAtMs = ports.nowMs();
    const startMs = performance.now();
    const { reply, isReplicated } = await tracedScript('transact', batch, () => ports.run(keys, args));
    const tookMs = performance.now() - startMs;
    ports.metrics.scriptSeconds.observe(tookMs / 1000);
    ports.metrics.ledgerBatchItems.observe(batch.length);
    const decoded = decodeTransactionsReply(reply, batch.length);
    if (decoded !== undefined) ports.clock.learn(decoded.nowMs, sentAtMs, tookMs);
    return decoded && { ...decoded, isReplicated };
  }

  private receive(batch: readonly Waiting[], reply: TransactionsReply & { isReplicated: boolean }): void {
    this.obstacle = undefined;
    this.retryDelay.reset();
    this.ports.metrics.ledgerBacklogEvents.value = reply.backlogEvents;
    this.ports.metrics.ledgerPartitionOpen.value = 1;
    for (const [index, waiting] of batch.entries()) {
      const outcome = reply.outcomes[index];
      if (outcome === undefined) continue;
      if (!this.isHeld(waiting, outcome, reply.nowMs))
        waiting.settle(this.answerOf(outcome, reply.isReplicated));
    }
  }

  private isHeld(waiting: Waiting, outcome: Outcome | Refused, serverNowMs: number): boolean {
    const isDone = typeof outcome !== 'string' && (outcome.kind === 'done' || outcome.kind === 'replayed');
    if (isDone) return false;
    const { deadlineMs } = waiting;
    return this.attempts.hold(waiting, { deadlineMs, isLate: outcome === 'late', serverNowMs });
  }

  private putBack(waiting: Waiting): void {
    this.queue.unshift(waiting);
    this.pump();
  }

  private answerOf(outcome: Outcome | Refused, isReplicated: boolean): Outcome | Refusal {
    if (typeof outcome === 'string') {
      if (outcome === 'corrupt') this.ports.reportBroken('a record cannot be read');
      return new Refusal(...REFUSALS[outcome]);
    }
    const isPromised = outcome.kind === 'done' || outcome.kind === 'replayed';
    if (isPromised && !isReplicated)
      return new Refusal('DURABILITY_UNMET', 'too few replicas have confirmed this write');
    return outcome;
  }

  private fail(batch: readonly Waiting[], failure: ScriptFailure, attemptUntilMs: number): void {
    if (failure.kind === 'unreachable') this.attempts.lost(batch, attemptUntilMs);
    if (failure.kind === 'script') {
      this.ports.metrics.ledgerScriptErrors.value += 1;
      this.runAlone(batch, failure);
    } else if (failure.kind === 'memory') {
      const refusal = new Refusal('LEDGER_OUT_OF_MEMORY', 'the ledger is out of memory', { cause: failure });
      for (const { settle } of batch) settle(refusal);
    } else {
      this.retryLater(batch, 'LEDGER_UNAVAILABLE', 'connection');
    }
  }

  private runAlone(batch: readonly Waiting[], failure: ScriptFailure): void {
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      this.ports.reportBroken(failure.message);
      only.settle(new Refusal('INTERNAL', 'the ledger cannot carry this out', { cause: failure }));
      return;
    }
    this.ports.metrics.ledgerRetries.child('failed_batch').value += 1;
    void this.sendEach(batch);
  }

  private async sendEach(batch: readonly Waiting[]): Promise<void> {
    for (const waiting of batch) await this.send([waiting]);
  }

  private findClosed(batch: readonly Waiting[]): void {
    this.ports.metrics.ledgerPartitionOpen.value = 0;
    this.retryLater(batch, 'LEDGER_CLOSED', 'closed');
  }

  private retryLater(
    batch: readonly Waiting[],
    obstacle: RefusalReason,
    cause: 'closed' | 'connection',
  ): void {
    this.ports.metrics.ledgerRetries.child(cause).value += 1;
    this.obstacle = obstacle;
    this.queue = [...batch, ...this.queue];
    this.retryDelay.begin(() => this.pump());
  }

  /** A transaction whose time is up hears what stood in its way, if anything did. */
  private expire({ settle }: Waiting): void {
    const reason = this.obstacle ?? 'DEADLINE_EXCEEDED';
    settle(new Refusal(reason, 'the deadline passed before the ledger could be asked'));
  }
}
