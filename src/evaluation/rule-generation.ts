import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RuleSetChange } from '../domain/rule-set-change.ts';
import type { EvaluationPoolName } from '../telemetry/evaluation-pool-metrics.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { EvaluationPool } from './evaluation-pool.ts';
import {
  HEAVY_NICENESS,
  LIGHT_BATCHES_PER_THREAD,
  RULE_LOG_BYTES,
  RULE_LOG_CROWDED_SHARE,
  RULE_LOG_LIVE_SHARE,
  RULE_LOG_REPLACED_FROM_BYTES,
} from './limits.ts';
import type { PendingEvaluation } from './pending-evaluation.ts';
import { RuleLog, RuleLogReader } from './rule-log.ts';
import type { RuleReport } from './rule-report.ts';
import { LIGHT_BATCH, SINGLE_REQUEST } from './waiting-line.ts';

/** How evaluations are set up. */
export interface EvaluationSettings {
  /** Worker threads for ordinary requests, and for those that would delay them. */
  readonly threads: number;
  readonly heavyThreads: number;
  /** Requests that may wait for each kind of threads. */
  readonly queueLimit: number;
  /** Time one batch may take in a worker, in milliseconds. */
  readonly timeoutMs: number;
  /** Coupons and codes one order may use when the request does not say. */
  readonly couponsPerOrder: number;
}

/** What a worker thread is started with. */
export interface WorkerSettings {
  readonly rules: SharedArrayBuffer;
  readonly couponsPerOrder: number;
}

/** What a generation needs. */
export interface GenerationPorts {
  readonly settings: EvaluationSettings;
  /** What the threads run. */
  readonly workerFile: URL;
  readonly metrics: Metrics;
  reported(report: RuleReport): void;
  failed(error: unknown): void;
}

/** Changes read from a log between two turns of the event loop. */
const CHANGES_PER_TURN = 1_000;

/** The promotions of a log that are in force. */
export class RulesInForce {
  private readonly reader: RuleLogReader;
  private readonly byRef = new Map<number, RuleSetChange>();

  constructor(log: SharedArrayBuffer) {
    this.reader = new RuleLogReader(log);
  }

  /** Looks through some of what was not looked through; false when nothing is left. */
  advance(): boolean {
    for (const change of this.reader.read(CHANGES_PER_TURN)) {
      this.byRef.delete(change.ref);
      if (!change.isDeleted) this.byRef.set(change.ref, change);
    }
    return this.reader.isBehind;
  }

  /** All of them, oldest change first, up to the end of the log at this moment. */
  all(): Iterable<RuleSetChange> {
    while (this.advance());
    return this.byRef.values();
  }
}

/**
 * One log of rules and the pools that follow it. A log only grows, so now and then, when most of it is outdated, another
 * generation with a new log takes over.
 */
export class RuleGeneration {
  private readonly ports: GenerationPorts;
  private readonly log = new RuleLog();
  /** Bytes in the log of each promotion that is in force, by ref. */
  private readonly sizes = new Map<number, number>();
  private liveBytes = 0;
  private readonly light: EvaluationPool;
  private readonly heavy: EvaluationPool;

  /** Starts the threads; `rules` is the whole rule set, oldest change first. */
  constructor(rules: Iterable<RuleSetChange>, ports: GenerationPorts) {
    this.ports = ports;
    this.take(rules);
    const { threads, heavyThreads } = ports.settings;
    this.light = this.pool('light', {
      threads,
      batchesPerThread: LIGHT_BATCHES_PER_THREAD,
      bounds: LIGHT_BATCH,
      niceness: 0,
    });
    this.heavy = this.pool('heavy', {
      threads: heavyThreads,
      batchesPerThread: 1,
      bounds: SINGLE_REQUEST,
      niceness: HEAVY_NICENESS,
    });
  }

  /** Resolves when every thread for ordinary requests has the rules. */
  async whenReady(): Promise<void> {
    await this.light.whenReady();
  }

  /** Whether any thread has the rules. */
  get hasThread(): boolean {
    return this.light.hasThread || this.heavy.hasThread;
  }

  /** Hands changes to the workers, oldest first. */
  take(changes: Iterable<RuleSetChange>): void {
    for (const change of changes) this.append(change);
    this.log.publish();
  }

  /** Takes a request. Light ones go to the heavy threads while no other thread is there. */
  submit(item: PendingEvaluation, isHeavy: boolean): void {
    const pool = isHeavy || (!this.light.hasThread && this.heavy.hasThread) ? this.heavy : this.light;
    pool.submit(item);
  }

  /** Whether a log without the outdated versions should go on: most of this one is outdated, or it is getting full. */
  get isOutdated(): boolean {
    const { size } = this.log;
    const liveShare = this.liveBytes / size;
    const isCrowded = size > RULE_LOG_BYTES / 2 && liveShare < RULE_LOG_CROWDED_SHARE;
    return isCrowded || (size > RULE_LOG_REPLACED_FROM_BYTES && liveShare < RULE_LOG_LIVE_SHARE);
  }

  /** Looks through the log for what is in force, while other work goes on. */
  async rulesInForce(): Promise<RulesInForce> {
    const rules = new RulesInForce(this.log.memory);
    while (rules.advance()) await nextTurn();
    return rules;
  }

  /** Serves what waits, then ends the threads. */
  async close(): Promise<void> {
    await Promise.all([this.light.close(), this.heavy.close()]);
  }

  private append(change: RuleSetChange): void {
    const size = this.log.append(change);
    const { ref, isDeleted } = change;
    this.liveBytes -= this.sizes.get(ref) ?? 0;
    this.sizes.delete(ref);
    if (isDeleted) return;
    this.sizes.set(ref, size);
    this.liveBytes += size;
  }

  private pool(
    name: EvaluationPoolName,
    kind: Pick<
      ConstructorParameters<typeof EvaluationPool>[0],
      'threads' | 'batchesPerThread' | 'bounds' | 'niceness'
    >,
  ): EvaluationPool {
    const { settings, workerFile, metrics, reported, failed } = this.ports;
    const { queueLimit, timeoutMs, couponsPerOrder } = settings;
    const workerData: WorkerSettings = { rules: this.log.memory, couponsPerOrder };
    const pool = new EvaluationPool({
      ...kind,
      name,
      queueLimit,
      timeoutMs,
      workerFile,
      workerData,
      metrics,
      reported,
      failed,
    });
    metrics.evaluationWaiting.child(name).source = () => pool.waiting;
    metrics.evaluationRuleSetVersion.child(name).source = () => pool.oldestVersion;
    return pool;
  }
}
