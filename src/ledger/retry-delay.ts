/** How long calls to the ledger pause after one failed: a little at first, longer while it goes on. */
import * as limits from './limits.ts';

/**
 * The pause of one kind of calls. It ends with its timer and by no clock: one that ran ahead for a moment would otherwise keep
 * the calls waiting until the time it showed.
 */
export class RetryDelay {
  private pauses = 0;
  private delayMs = limits.RETRY_FIRST_MS;

  /** Is a pause under way? */
  get isPausing(): boolean {
    return this.pauses > 0;
  }

  /** Begins a pause, longer than the one before, and calls `resume` when it is over. */
  begin(resume: () => void): void {
    this.pauses += 1;
    setTimeout(() => {
      this.pauses -= 1;
      resume();
    }, this.delayMs);
    this.delayMs = Math.min(this.delayMs * 2, limits.RETRY_LONGEST_MS);
  }

  /** A call went well: the next pause is a short one again. */
  reset(): void {
    this.delayMs = limits.RETRY_FIRST_MS;
  }
}
