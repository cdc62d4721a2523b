/** The pools with a worker that does what the request says: who waits, who shares, who pays when a thread dies. SPEC C1. */

import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import type { Refusal } from '../../src/domain/refusal.ts';
import type { RuleSetChange } from '../../src/domain/rule-set-change.ts';
import type { VersionName } from '../../src/engine/rule-table.ts';
import { Evaluator } from '../../src/evaluation/evaluator.ts';
import { BATCH_REQUESTS } from '../../src/evaluation/limits.ts';
import type { PendingEvaluation } from '../../src/evaluation/pending-evaluation.ts';
import type { EvaluationSettings } from '../../src/evaluation/rule-generation.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';

const TRIAL = new URL('../evaluation/trial-worker.ts', import.meta.url);
const SETTINGS: EvaluationSettings = {
  threads: 1,
  heavyThreads: 1,
  queueLimit: 1_000,
  timeoutMs: 20_000,
  couponsPerOrder: 1,
};

const evaluators: Evaluator[] = [];
afterEach(() => Promise.all(evaluators.splice(0).map((evaluator) => evaluator.close())));

const change = (ruleSetVersion: number): RuleSetChange => ({
  ref: ruleSetVersion,
  ruleSetVersion,
  isDeleted: false,
  body: new Uint8Array(100),
});

async function evaluatorOf(settings: Partial<EvaluationSettings> = {}) {
  const metrics = createMetrics({ version: 'test', node: 'test' });
  const evaluator = new Evaluator({
    settings: { ...SETTINGS, ...settings },
    metrics,
    logger: pino({ level: 'silent' }),
    replayTimeoutMs: 20_000,
    loadRules: async () => undefined,
    workerFiles: { live: TRIAL, replay: TRIAL },
  });
  evaluators.push(evaluator);
  await evaluator.replaceRules([change(1)]);
  return { evaluator, metrics };
}

type Answer = string | Refusal | readonly VersionName[];

/** A request of a test; `answer` is kept with what became of it. */
class Trial implements PendingEvaluation {
  readonly kind = 'evaluate_cart';
  readonly areFactsBelieved = false;
  readonly nowMs = 0;
  readonly wallet = new Uint8Array();
  readonly bodies = [];
  readonly lookedUp = [];
  readonly request: Uint8Array;
  isSettled = false;
  private readonly settled = Promise.withResolvers<Answer>();

  constructor(request: string, size = 0) {
    this.request = Buffer.from(request.padEnd(size));
  }

  get answer(): Promise<Answer> {
    return this.settled.promise;
  }

  answered(response: Uint8Array): void {
    this.settle(Buffer.from(response).toString());
  }

  refused(refusal: Refusal): void {
    this.settle(refusal);
  }

  needs(versions: readonly VersionName[]): void {
    this.settle(versions);
  }

  private settle(answer: Answer): void {
    this.isSettled = true;
    this.settled.resolve(answer);
  }
}

function ask(evaluator: Evaluator, request: string, size = 0): Promise<Answer> {
  const trial = new Trial(request, size);
  evaluator.submit(trial, false);
  return trial.answer;
}

function askHeavy(evaluator: Evaluator, request: string): Promise<Answer> {
  const trial = new Trial(request);
  evaluator.submit(trial, true);
  return trial.answer;
}

const refusalWith = (reason: string) => expect.objectContaining({ reason });

describe('batches', () => {
  it('answers every request of a batch by itself', async () => {
    const { evaluator } = await evaluatorOf();
    const answers = await Promise.all(
      ['one', 'throw', 'refuse', 'needs', 'two'].map((text) => ask(evaluator, text)),
    );
    expect(answers).toEqual([
      'one',
      refusalWith('INTERNAL'),
      expect.objectContaining({
        reason: 'INVALID_REQUEST',
        detail: { violations: [{ field: 'cart', description: 'is odd' }] },
      }),
      [{ ref: 7, version: 3 }],
      'two',
    ]);
  });

  it('carries what gathers while the worker is busy as one batch, bounded in number and bytes', async () => {
    const { evaluator } = await evaluatorOf();
    const first = ask(evaluator, 'spin 30');
    await new Promise((resolve) => setTimeout(resolve, 5));
    const small = Array.from({ length: BATCH_REQUESTS + 8 }, () => ask(evaluator, 'batch'));
    const large = Array.from({ length: 10 }, () => ask(evaluator, 'batch', 15_000));
    await first;
    const sizes = await Promise.all(small);
    expect(sizes.slice(0, BATCH_REQUESTS)).toEqual(Array(BATCH_REQUESTS).fill(String(BATCH_REQUESTS)));
    // The eight that are left share with eight large ones: a ninth would be more than 128 KiB.
    expect(sizes.slice(BATCH_REQUESTS)).toEqual(Array(8).fill('16'));
    expect(await Promise.all(large)).toEqual([...Array(8).fill('16'), '2', '2']);
  });

  it('sends a heavy request alone, to threads of its own', async () => {
    const { evaluator } = await evaluatorOf();
    const [light] = await Promise.all([ask(evaluator, 'thread')]);
    const heavy = await Promise.all([askHeavy(evaluator, 'thread'), askHeavy(evaluator, 'batch')]);
    expect(heavy[0]).not.toBe(light);
    expect(heavy[1]).toBe('1');
  });

  it('does not let light requests wait for heavy ones', async () => {
    const { evaluator } = await evaluatorOf();
    let isHeavyDone = false;
    const heavy = askHeavy(evaluator, 'spin 1500').then(() => {
      isHeavyDone = true;
    });
    for (let count = 0; count < 50; count += 1) expect(await ask(evaluator, 'light')).toBe('light');
    expect(isHeavyDone).toBe(false);
    await heavy;
  });

  it('leaves out those for whom nobody waits any more', async () => {
    const { evaluator } = await evaluatorOf();
    const first = ask(evaluator, 'spin 30');
    await new Promise((resolve) => setTimeout(resolve, 5));
    const abandoned = new Trial('batch');
    evaluator.submit(abandoned, false);
    abandoned.isSettled = true;
    const waiting = ask(evaluator, 'batch');
    await first;
    expect(await waiting).toBe('1');
  });

  it('refuses what is beyond the queue, at once, and says when to come back', async () => {
    const { evaluator } = await evaluatorOf({ queueLimit: 3 });
    const answers = Array.from({ length: 5 }, () => ask(evaluator, 'fits'));
    expect(await Promise.all(answers)).toEqual([
      'fits',
      'fits',
      'fits',
      refusalWith('EVALUATION_OVERLOADED'),
      refusalWith('EVALUATION_OVERLOADED'),
    ]);
  });
});

describe('threads', () => {
  it('costs only its own batch when a thread dies, and another takes over', async () => {
    const { evaluator, metrics } = await evaluatorOf({ threads: 2 });
    const doomed = ask(evaluator, 'die');
    await new Promise((resolve) => setImmediate(resolve));
    const others = Array.from({ length: 20 }, () => ask(evaluator, 'spared'));
    expect(await doomed).toEqual(refusalWith('EVALUATION_FAILED'));
    expect(await Promise.all(others)).toEqual(Array(20).fill('spared'));
    expect(metrics.evaluationWorkerRestarts.child('light').value).toBe(1);
    const next = await Promise.all([ask(evaluator, 'again'), ask(evaluator, 'again')]);
    expect(next).toEqual(['again', 'again']);
  });

  it('ends a thread that hangs after the time-out; requests that waited are answered by the next', async () => {
    const { evaluator, metrics } = await evaluatorOf({ timeoutMs: 300 });
    const stuck = ask(evaluator, 'hang');
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = ask(evaluator, 'patient');
    expect(await stuck).toEqual(refusalWith('EVALUATION_FAILED'));
    expect(await waiting).toBe('patient');
    expect(metrics.evaluationWorkerRestarts.child('light').value).toBe(1);
  });

  it('serves light requests on a heavy thread while no other is there', async () => {
    const { evaluator } = await evaluatorOf();
    const heavyThread = await askHeavy(evaluator, 'thread');
    const doomed = ask(evaluator, 'die');
    expect(await doomed).toEqual(refusalWith('EVALUATION_FAILED'));
    expect(await ask(evaluator, 'thread')).toBe(heavyThread);
  });

  it('serves what it has taken before it closes', async () => {
    const { evaluator } = await evaluatorOf();
    const taken = Array.from({ length: 100 }, () => ask(evaluator, 'taken'));
    await evaluator.close();
    expect(await Promise.all(taken)).toEqual(Array(100).fill('taken'));
    expect(await ask(evaluator, 'late')).toEqual(refusalWith('SHUTTING_DOWN'));
  });
});

describe('rules', () => {
  it('reach every thread, a new one too, and the version is shown', async () => {
    const { evaluator, metrics } = await evaluatorOf();
    expect(await ask(evaluator, 'version')).toBe('1');
    evaluator.takeChanges([change(2), change(3)]);
    expect(await ask(evaluator, 'version')).toBe('3');
    await ask(evaluator, 'die');
    expect(await ask(evaluator, 'version')).toBe('3');
    await expect.poll(() => metrics.evaluationRuleSetVersion.child('heavy').read()).toBe(3);
  });

  it('are replaced as a whole without a failed request', async () => {
    const { evaluator } = await evaluatorOf();
    let isReplaced = false;
    const replaced = evaluator.replaceRules([change(9)]).then(() => {
      isReplaced = true;
    });
    const versions = new Set<Answer>();
    while (!isReplaced) versions.add(await ask(evaluator, 'version'));
    versions.add(await ask(evaluator, 'version'));
    await replaced;
    expect(versions).toEqual(new Set(['1', '9']));
  });

  it('go on in a new log when most of the old one is outdated', async () => {
    const { evaluator } = await evaluatorOf();
    const body = new Uint8Array(1_048_576);
    for (let version = 2; version <= 80; version += 1) {
      evaluator.takeChanges([{ ref: 2, ruleSetVersion: version, isDeleted: false, body }]);
    }
    const thread = await ask(evaluator, 'thread');
    await expect.poll(() => ask(evaluator, 'thread'), { timeout: 10_000 }).not.toBe(thread);
    expect(await ask(evaluator, 'version')).toBe('80');
  });
});
