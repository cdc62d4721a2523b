import { RETRY_BUDGET, SUCCESSES_PER_RETRY } from './limits.ts';

/**
 * How much a client may repeat. While nearly everything fails, repeats would only double the load on a service that is already
 * in trouble, so they have to be earned by successes.
 */
export class RetryBudget {
  /** Counted in successes, so that it stays a whole number. */
  #left = RETRY_BUDGET * SUCCESSES_PER_RETRY;

  /** A call was answered. */
  earn(): void {
    this.#left = Math.min(RETRY_BUDGET * SUCCESSES_PER_RETRY, this.#left + 1);
  }

  /** Takes one repeat; false when none is left. */
  spend(): boolean {
    if (this.#left < SUCCESSES_PER_RETRY) return false;
    this.#left -= SUCCESSES_PER_RETRY;
    return true;
  }
}
