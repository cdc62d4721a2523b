import { setTimeout as sleep } from 'node:timers/promises';

/** Work that goes on beside calls until the process stops: a turn, a pause, the next turn. */
export class BackgroundLoop {
  private readonly turn: (signal: AbortSignal) => Promise<boolean>;
  private readonly pauseMs: number;
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  /**
   * @param turn one turn; true when the next one follows without a pause. It never throws: it reports what went wrong, and
   *   the next turn tries again.
   */
  constructor(turn: (signal: AbortSignal) => Promise<boolean>, pauseMs: number) {
    this.turn = turn;
    this.pauseMs = pauseMs;
  }

  /** Begins; returns at once. */
  start(): void {
    this.running ??= this.run();
  }

  /** Aborts the signal, and ends after the turn under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const isMoreWaiting = await this.turn(signal);
      if (!isMoreWaiting) await sleep(this.pauseMs, undefined, { signal }).catch(() => {});
    }
  }
}
