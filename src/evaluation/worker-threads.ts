import type { Worker } from 'node:worker_threads';
import { move, Piscina } from 'piscina';
import { REVIVE_AFTER_MS, REVIVE_LIMIT_MS } from './limits.ts';
import { isRuleReport, type RuleReport } from './rule-report.ts';
import { runWithin } from './run-within.ts';

/** What threads are started with. */
export interface ThreadSettings {
  readonly workerFile: URL;
  readonly threads: number;
  /** Tasks that may be with one thread: with two, it finds the next one when it is done and need not wait to be given it. */
  readonly batchesPerThread: number;
  /** How far the threads stand back behind others; 0 to 19. */
  readonly niceness: number;
  readonly workerData: unknown;
}

/** What happens to threads. */
export interface ThreadEvents {
  /** A thread has caught up with the rules; a new one can take its first task now. */
  reported(report: RuleReport): void;
  /** A thread ended before it was told to; another one is starting. */
  lost(): void;
  /** Something went wrong outside of any task. */
  failed(error: unknown): void;
}

/**
 * Worker threads of one kind, by piscina. A thread serves one task after the other, and gets none before it has reported that it has the
 * rules. Its event loop stays free while it waits (`atomics: 'disabled'`), because it follows the rules by itself then.
 */
export class WorkerThreads {
  private readonly pool: Piscina<unknown, Uint8Array>;
  private readonly settings: ThreadSettings;
  private readonly events: ThreadEvents;
  /** The rule-set version each thread reported last. */
  private readonly versions = new WeakMap<Worker, number>();
  private isClosing = false;

  constructor(settings: ThreadSettings, events: ThreadEvents) {
    const { workerFile, threads, batchesPerThread, niceness, workerData } = settings;
    this.settings = settings;
    this.events = events;
    this.pool = new Piscina({
      filename: workerFile.href,
      minThreads: threads,
      maxThreads: threads,
      concurrentTasksPerWorker: batchesPerThread,
      atomics: 'disabled',
      niceIncrement: niceness,
      recordTiming: false,
      workerData,
    });
    this.pool.on('message', (message: unknown) => this.hear(message));
    this.pool.on('error', (error: unknown) => events.failed(error));
    this.pool.on('workerDestroy', () => this.lose());
  }

  /** Threads that have the rules. */
  get ready(): number {
    return this.pool.threads.filter((thread) => this.versions.has(thread)).length;
  }

  /** The oldest rule-set version a thread has; 0 when none is ready. */
  get oldestVersion(): number {
    const versions = this.pool.threads.flatMap((thread) => this.versions.get(thread) ?? []);
    return versions.length === 0 ? 0 : Math.min(...versions);
  }

  /**
   * Runs one task. The memory of `task` is handed over. The promise is broken when the thread dies, when the task takes longer
   * than `timeoutMs` with what is before it, which ends the thread, or when the pool closes.
   */
  async run(task: Buffer<ArrayBuffer>, timeoutMs: number): Promise<Uint8Array> {
    return await runWithin(this.pool, move(task), timeoutMs);
  }

  /** Ends the threads at once; tasks that run are broken off. */
  async close(): Promise<void> {
    this.isClosing = true;
    await this.pool.destroy();
  }

  /** Piscina replaces a thread that dies, but gives up on those that die while they start. */
  private lose(): void {
    if (this.isClosing) return;
    this.events.lost();
    setTimeout(() => {
      if (this.isClosing || this.pool.threads.length >= this.settings.threads) return;
      this.run(Buffer.allocUnsafeSlow(0), REVIVE_LIMIT_MS).catch((error: unknown) =>
        this.events.failed(error),
      );
    }, REVIVE_AFTER_MS).unref();
  }

  private hear(message: unknown): void {
    if (!isRuleReport(message)) return;
    const thread = this.pool.threads.find(({ threadId }) => threadId === message.threadId);
    if (thread !== undefined) this.versions.set(thread, message.version);
    this.events.reported(message);
  }
}
