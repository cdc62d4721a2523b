/** Calls to the ledger within their time: failures become refusals, and what may be made again is. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal, type RefusalReason } from '../domain/refusal.ts';
import * as limits from './limits.ts';
import { ScriptFailure, type ScriptFailureKind, scriptFailure } from './script-runner.ts';

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

/** Makes calls; instants are ms since the epoch by the clock it is given. */
export class Attempts {
  private readonly nowMs: () => number;

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  /**
   * Makes a call that may be repeated again and again while the ledger is closed or away, until `untilMs`. Whose time is up
   * hears what stood in the way before, if anything did.
   */
  async repeat<Answer>(untilMs: number, deadlineMs: number, call: () => Promise<Answer>): Promise<Answer> {
    let obstacle: Refusal | undefined;
    for (let delayMs = limits.RETRY_FIRST_MS; ; delayMs = Math.min(delayMs * 2, limits.RETRY_LONGEST_MS)) {
      try {
        return await this.within(deadlineMs, call());
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.reason === 'DEADLINE_EXCEEDED') throw obstacle ?? error;
        const isLate = this.nowMs() + delayMs >= untilMs;
        if (isLate || !RETRIED.has(error.reason)) throw error;
        obstacle = error;
      }
      await sleep(delayMs);
    }
  }

  /** The answer of a call by its deadline, or a refusal. */
  within<Answer>(deadlineMs: number, call: Promise<Answer>): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const leftMs = Math.max(0, deadlineMs - this.nowMs());
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
