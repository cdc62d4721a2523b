/**
 * How many unary calls a process takes on at a time. Beyond that a call is refused by its headers alone, for a tenth of what it
 * would cost, so that the calls that are under way are answered while somebody still waits for them.
 */
import type { Metrics } from '../telemetry/metrics.ts';

/** Counts the calls under way. */
export class Admission {
  readonly #limit: number;
  readonly #metrics: Metrics;
  #inFlight = 0;

  constructor(limit: number, metrics: Metrics) {
    this.#limit = limit;
    this.#metrics = metrics;
    metrics.serverInFlight.source = () => this.#inFlight;
  }

  /** Takes a call on; false when there is no room. */
  enter(): boolean {
    if (this.#inFlight >= this.#limit) {
      this.#metrics.serverShed.value += 1;
      return false;
    }
    this.#inFlight += 1;
    return true;
  }

  /** A call that was taken on has ended. */
  leave(): void {
    this.#inFlight -= 1;
  }
}
