import { LRUCache } from 'lru-cache';
import { Refusal } from '../domain/refusal.ts';
import type { RuleSetChange } from '../domain/rule-set-change.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { PendingEvaluation } from './pending-evaluation.ts';
import { ReplayPool, type ReplayPorts } from './replay-pool.ts';
import { type EvaluationSettings, type GenerationPorts, RuleGeneration } from './rule-generation.ts';
import type { RuleReport } from './rule-report.ts';

/** What evaluations need from outside. */
export interface EvaluatorPorts {
  readonly settings: EvaluationSettings;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Longest time of a replay, in milliseconds. */
  readonly replayTimeoutMs: number;
  readonly loadRules: ReplayPorts['loadRules'];
  /** What threads run; the product's own workers unless a test has others. */
  readonly workerFiles?: { readonly live: URL; readonly replay: URL };
}

/** Faults remembered so that each is logged once, however many threads meet it. */
const FAULTS_REMEMBERED = 10_000;

const WORKER_FILES = {
  live: new URL('./worker.ts', import.meta.url),
  replay: new URL('./replay-worker.ts', import.meta.url),
};

const NO_RULES = new Refusal('EVALUATION_FAILED', 'The rules are not loaded yet');

/** All evaluations of a process: the rules handed to worker threads, and the requests. */
export class Evaluator {
  private readonly ports: EvaluatorPorts;
  private readonly replays: ReplayPool;
  private readonly faults = new LRUCache<string, true>({ max: FAULTS_REMEMBERED });
  private current: RuleGeneration | undefined;
  /** Takes over when its threads are ready. */
  private next: RuleGeneration | undefined;
  private isRenewing = false;
  private isClosed = false;

  constructor(ports: EvaluatorPorts) {
    const { settings, replayTimeoutMs: timeoutMs, loadRules, workerFiles = WORKER_FILES } = ports;
    this.ports = ports;
    this.replays = new ReplayPool({
      workerFile: workerFiles.replay,
      workerData: { couponsPerOrder: settings.couponsPerOrder },
      timeoutMs,
      loadRules,
      failed: (error) => this.reportFailure(error),
    });
  }

  /** False until worker threads have a rule set. */
  get isReady(): boolean {
    return this.current?.hasThread === true;
  }

  /**
   * Begins with a whole rule set, oldest change first. Resolves when worker threads have it; what they had serves until then,
   * and goes on serving when it cannot be taken.
   */
  async replaceRules(rules: Iterable<RuleSetChange>): Promise<void> {
    if (this.isClosed) return;
    const next = this.generationOf(rules);
    if (next === undefined) return;
    const abandoned = this.next;
    this.next = next;
    void abandoned?.close();
    await next.whenReady();
    if (this.next !== next) return;
    const before = this.current;
    this.current = next;
    this.next = undefined;
    void before?.close();
  }

  /** Hands changes to the workers, oldest first; they take them between requests. */
  takeChanges(changes: readonly RuleSetChange[]): void {
    this.current?.take(changes);
    this.next?.take(changes);
    if (this.current?.isOutdated === true) void this.renew(this.current);
  }

  /** Takes a request, which is settled sooner or later unless its caller gives it up. */
  submit(item: PendingEvaluation, isHeavy: boolean): void {
    if (this.current === undefined) item.refused(NO_RULES);
    else this.current.submit(item, isHeavy);
  }

  /** Takes a request to be decided by an earlier rule set. */
  replay(item: PendingEvaluation, version: number, deadlineMs: number): void {
    this.replays.submit(item, version, deadlineMs);
  }

  /** Serves what was taken, then ends the threads. */
  async close(): Promise<void> {
    this.isClosed = true;
    const { current, next } = this;
    this.next = undefined;
    await Promise.all([current?.close(), next?.close(), this.replays.close()]);
  }

  /** Goes on with a log without the outdated versions. */
  private async renew(outdated: RuleGeneration): Promise<void> {
    if (this.isRenewing || this.next !== undefined) return;
    this.isRenewing = true;
    const rules = await outdated.rulesInForce();
    this.isRenewing = false;
    if (this.current === outdated && this.next === undefined) await this.replaceRules(rules.all());
  }

  private generationOf(rules: Iterable<RuleSetChange>): RuleGeneration | undefined {
    try {
      return new RuleGeneration(rules, this.generationPorts());
    } catch (error) {
      this.reportFailure(error);
      return undefined;
    }
  }

  private generationPorts(): GenerationPorts {
    const { settings, metrics, workerFiles = WORKER_FILES } = this.ports;
    return {
      settings,
      metrics,
      workerFile: workerFiles.live,
      reported: (report) => this.reportFaults(report),
      failed: (error) => this.reportFailure(error),
    };
  }

  private reportFaults({ faults }: RuleReport): void {
    for (const fault of faults) {
      const key = `${fault.promotionId}/${fault.version}/${fault.field}`;
      if (this.faults.has(key)) continue;
      this.faults.set(key, true);
      this.ports.metrics.ruleSetFaults.value += 1;
      this.ports.logger.error(
        { event: LOG_EVENTS.ruleFault, ...fault },
        'a promotion cannot be used; its last good version goes on serving',
      );
    }
  }

  private reportFailure(error: unknown): void {
    if (this.isClosed) return;
    this.ports.logger.error(
      { event: LOG_EVENTS.evaluationFailed, err: error },
      'an evaluation was cut off, or rules could not be taken',
    );
  }
}
