/**
 * Requests that arrive while the workers are busy travel together as the next batch, as claims do to the ledger: the busier,
 * the fuller the batches, and the cheaper the hop for each.
 */
import { Refusal } from '../domain/refusal.ts';
import type { EvaluationPoolName } from '../telemetry/evaluation-pool-metrics.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { sharedWork } from '../telemetry/tracing/traced-work.ts';
import { taskStart } from './evaluation-span.ts';
import type { PendingEvaluation } from './pending-evaluation.ts';
import { decodeResult, type TimedOutcome } from './result-format.ts';
import type { RuleReport } from './rule-report.ts';
import { settle } from './settle.ts';
import { encodeTask } from './task-format.ts';
import { type BatchBounds, type Waiting, WaitingLine } from './waiting-line.ts';
import { type ThreadSettings, WorkerThreads } from './worker-threads.ts';

/** What a pool is made of. */
export interface PoolPorts extends ThreadSettings {
  readonly name: EvaluationPoolName;
  readonly bounds: BatchBounds;
  /** Requests that may wait; more are refused at once. */
  readonly queueLimit: number;
  /** Time a batch may take, in milliseconds, twice that when another one is before it; then its thread is ended and replaced. */
  readonly timeoutMs: number;
  readonly metrics: Metrics;
  /** A thread reported its rules. */
  reported(report: RuleReport): void;
  /** A thread died, hung or failed; goes to the log. */
  failed(error: unknown): void;
}

/** A batch without a result. */
interface FallenBatch {
  readonly batch: readonly Waiting[];
  /** Number among all batches sent. */
  readonly order: number;
  readonly error: unknown;
}

const MS_PER_SECOND = 1_000;
const US_PER_SECOND = 1_000_000;

const OVERLOADED = new Refusal('EVALUATION_OVERLOADED', 'Too many carts are waiting to be evaluated');
const FAILED = new Refusal('EVALUATION_FAILED', 'The evaluation was ended before it had an answer');
const CLOSED = new Refusal('SHUTTING_DOWN', 'This server is stopping');

function refuseAll(requests: readonly Waiting[], refusal: Refusal): void {
  for (const { item } of requests) if (!item.isSettled) item.refused(refusal);
}

/** Some worker threads and the requests that wait for them. */
export class EvaluationPool {
  private readonly ports: PoolPorts;
  private readonly line: WaitingLine;
  private readonly threads: WorkerThreads;
  private readonly firstReady = Promise.withResolvers<void>();
  private readonly running = new Set<Promise<void>>();
  /** Batches that are with the threads, and all that were ever sent. */
  private travelling = 0;
  private sent = 0;
  private readonly fallen: FallenBatch[] = [];
  private isScheduled = false;
  private isClosed = false;

  constructor(ports: PoolPorts) {
    this.ports = ports;
    this.line = new WaitingLine(ports.bounds);
    this.threads = new WorkerThreads(ports, {
      reported: (report) => this.hear(report),
      lost: () => {
        ports.metrics.evaluationWorkerRestarts.child(ports.name).value += 1;
      },
      failed: (error) => ports.failed(error),
    });
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.line.size;
  }

  /** Whether a thread could take a request, now or when it is free. */
  get hasThread(): boolean {
    return this.threads.ready > 0;
  }

  /** Resolves when every thread of the first set has the rules. */
  async whenReady(): Promise<void> {
    await this.firstReady.promise;
  }

  /** Takes a request; it is settled sooner or later, unless the caller gives it up. */
  submit(item: PendingEvaluation): void {
    if (this.isClosed) {
      item.refused(CLOSED);
    } else if (this.line.size >= this.ports.queueLimit) {
      item.refused(OVERLOADED);
    } else {
      this.line.push(item, performance.now());
      this.schedule();
    }
  }

  /** The oldest rule-set version a thread decides by; 0 while there is no thread. */
  get oldestVersion(): number {
    return this.threads.oldestVersion;
  }

  /** Serves what waits as long as there is a thread to do it, then ends the threads. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.dispatch();
    while (this.running.size > 0) await Promise.allSettled(this.running);
    refuseAll(this.line.clear(), CLOSED);
    await this.threads.close();
  }

  private hear(report: RuleReport): void {
    if (this.threads.ready >= this.ports.threads) this.firstReady.resolve();
    this.ports.reported(report);
    this.dispatch();
  }

  /** After the current turn's I/O, so that requests which arrived together travel together. */
  private schedule(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.dispatch();
    });
  }

  private dispatch(): void {
    if (this.line.size === 0) return;
    const free = this.threads.ready * this.ports.batchesPerThread - this.travelling;
    for (let place = 0; place < free; place += 1) {
      const batch = this.line.take();
      if (batch.length === 0) return;
      this.send(batch);
    }
  }

  private send(batch: readonly Waiting[]): void {
    const { name, metrics } = this.ports;
    const nowMs = performance.now();
    const wait = metrics.evaluationQueueSeconds.child(name);
    for (const { sinceMs } of batch) wait.observe((nowMs - sinceMs) / MS_PER_SECOND);
    metrics.evaluationBatchItems.child(name).observe(batch.length);
    this.sent += 1;
    const run = this.run(batch, this.sent).finally(() => this.running.delete(run));
    this.running.add(run);
  }

  /** The next batch leaves before the answers of this one are given, so that the threads work while they are. */
  private async run(batch: readonly Waiting[], order: number): Promise<void> {
    const items = batch.map(({ item }) => item);
    try {
      const start = () => taskStart(this.ports.name, items.length);
      const result = await sharedWork(items, start, () => this.travel(encodeTask(items)));
      this.settleAll(items, decodeResult(result));
    } catch (error) {
      this.fallen.push({ batch, order, error });
      if (this.fallen.length === 1) setImmediate(() => this.settleFallen());
    }
  }

  private async travel(task: Buffer<ArrayBuffer>): Promise<Uint8Array> {
    const isBehind = this.travelling >= this.threads.ready;
    this.travelling += 1;
    try {
      return await this.threads.run(task, this.ports.timeoutMs * (isBehind ? 2 : 1));
    } finally {
      this.travelling -= 1;
      this.dispatch();
    }
  }

  /**
   * Batches that fell in one turn were with one thread. It serves them in order, so the first of them is what ended it, and
   * is refused; the others had not been looked at and wait again.
   */
  private settleFallen(): void {
    const [first, ...others] = this.fallen.splice(0).sort((left, right) => left.order - right.order);
    if (first === undefined) return;
    this.ports.failed(first.error);
    refuseAll(first.batch, this.isClosed ? CLOSED : FAILED);
    const untouched = others.flatMap(({ batch }) => batch);
    if (this.isClosed) refuseAll(untouched, CLOSED);
    else for (const { item, sinceMs } of untouched) this.line.push(item, sinceMs);
    this.dispatch();
  }

  private settleAll(items: readonly PendingEvaluation[], outcomes: readonly TimedOutcome[]): void {
    const seconds = this.ports.metrics.evaluationSeconds.child(this.ports.name);
    for (const [index, item] of items.entries()) {
      const timed = outcomes[index];
      if (timed === undefined) throw new Error('a batch came back with fewer outcomes than requests');
      seconds.observe(timed.microseconds / US_PER_SECOND);
      item.span?.set('hongbao.evaluation.worker_microseconds', Math.round(timed.microseconds));
      settle(item, timed.outcome);
    }
  }
}
