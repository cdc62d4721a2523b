/** How long calls to the ledger pause after one failed: a little at first, longer while it goes on. */
import * as limits from './limits.ts';

/** The pause of one kind of calls. */
export class RetryDelay {
  private resumeAtMs = 0;
  private delayMs = limits.RETRY_FIRST_MS;

  /** Is a pause under way? */
  isPausing(nowMs: number): boolean {
    return nowMs < this.resumeAtMs;
  }

  /** Begins a pause, longer than the one before, and calls `resume` when it is over. */
  begin(nowMs: number, resume: () => void): void {
    this.resumeAtMs = nowMs + this.delayMs;
    setTimeout(resume, this.delayMs + 1);
    this.delayMs = Math.min(this.delayMs * 2, limits.RETRY_LONGEST_MS);
  }

  /** A call went well: the next pause is a short one again. */
  reset(): void {
    this.delayMs = limits.RETRY_FIRST_MS;
  }
}
