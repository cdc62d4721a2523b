/**
 * Decisions by earlier versions of the rules. They are rare, and compiling a whole rule set takes seconds, so they have a thread
 * of their own that exists only while it is used, and run one at a time.
 */

import { LRUCache } from 'lru-cache';
import { Piscina } from 'piscina';
import { Refusal } from '../domain/refusal.ts';
import type { RuleSetChange } from '../domain/rule-set-change.ts';
import { sharedWork } from '../telemetry/tracing/traced-work.ts';
import { taskStart } from './evaluation-span.ts';
import { REPLAY_IDLE_MS, REPLAY_QUEUE_LIMIT, REPLAYED_RULE_SETS_KEPT } from './limits.ts';
import type { PendingEvaluation } from './pending-evaluation.ts';
import { decodeResult } from './result-format.ts';
import { RuleLog } from './rule-log.ts';
import { runWithin } from './run-within.ts';
import { settle } from './settle.ts';
import { encodeTask } from './task-format.ts';

/** What a replay needs. */
export interface ReplayPorts {
  readonly workerFile: URL;
  readonly workerData: unknown;
  /** Longest time of one replay, compiling included, in milliseconds. */
  readonly timeoutMs: number;
  /** The promotions as of a rule-set version; undefined when there never was such a version. Throws a refusal when that is not known. */
  readonly loadRules: (version: number, deadlineMs: number) => Promise<readonly RuleSetChange[] | undefined>;
  failed(error: unknown): void;
}

/** What the worker for replays gets. */
export interface ReplayTask {
  readonly batch: Uint8Array;
  readonly version: number;
  /** A log that holds the rules of that version. */
  readonly rules: SharedArrayBuffer;
}

const OVERLOADED = new Refusal('EVALUATION_OVERLOADED', 'Too many replays are waiting');
const FAILED = new Refusal('EVALUATION_FAILED', 'The evaluation was ended before it had an answer');
const UNKNOWN = new Refusal('RULE_SET_VERSION_NOT_FOUND', 'No rule set ever had this version');

/** The thread for replays and those who wait for it. */
export class ReplayPool {
  private readonly ports: ReplayPorts;
  private readonly pool: Piscina<ReplayTask, Uint8Array>;
  private readonly rules = new LRUCache<number, SharedArrayBuffer>({ max: REPLAYED_RULE_SETS_KEPT });
  private waiting = 0;
  private last: Promise<void> = Promise.resolve();

  constructor(ports: ReplayPorts) {
    this.ports = ports;
    this.pool = new Piscina({
      filename: ports.workerFile.href,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: REPLAY_IDLE_MS,
      atomics: 'disabled',
      recordTiming: false,
      workerData: ports.workerData,
    });
    this.pool.on('error', (error: unknown) => ports.failed(error));
  }

  /** Decides `item` by an earlier rule set; settles it by its own, and never throws. */
  submit(item: PendingEvaluation, version: number, deadlineMs: number): void {
    if (this.waiting >= REPLAY_QUEUE_LIMIT) {
      item.refused(OVERLOADED);
      return;
    }
    this.waiting += 1;
    const replay = (): Promise<void> => this.replay(item, version, deadlineMs);
    this.last = this.last.then(() => sharedWork([item], () => taskStart('replay', 1), replay));
  }

  /** Ends the thread at once. */
  async close(): Promise<void> {
    await this.pool.destroy();
  }

  private async replay(item: PendingEvaluation, version: number, deadlineMs: number): Promise<void> {
    try {
      if (item.isSettled) return;
      const rules = await this.rulesOf(version, deadlineMs);
      const task = { batch: encodeTask([item]), version, rules };
      const [timed] = decodeResult(await runWithin(this.pool, task, this.ports.timeoutMs));
      if (timed !== undefined) settle(item, timed.outcome);
    } catch (error) {
      if (!(error instanceof Refusal)) this.ports.failed(error);
      if (!item.isSettled) item.refused(error instanceof Refusal ? error : FAILED);
    } finally {
      this.waiting -= 1;
    }
  }

  private async rulesOf(version: number, deadlineMs: number): Promise<SharedArrayBuffer> {
    const known = this.rules.get(version);
    if (known !== undefined) return known;
    const changes = await this.ports.loadRules(version, deadlineMs);
    if (changes === undefined) throw UNKNOWN;
    const log = new RuleLog();
    for (const change of changes) log.append(change);
    log.publish();
    this.rules.set(version, log.memory);
    return log.memory;
  }
}
