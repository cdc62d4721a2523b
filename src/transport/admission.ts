/**
 * How many unary calls a process takes on at a time. Beyond that a call is refused by its headers alone, for a fraction of what
 * it would cost, so that the calls that are under way are answered while somebody still waits for them.
 *
 * The number follows what the process gets done: calls under way divided by calls ended per second is how long a call takes
 * (Little's law). While that is longer than the target, no more is taken on than can be answered within it; otherwise the
 * number rises again to its configured bound. Nothing is measured per call but two counts.
 */
import type { Metrics } from '../telemetry/metrics.ts';

/** Bounds of what is taken on. */
export interface AdmissionLimits {
  /** Calls at a time, whatever happens. */
  readonly maxInFlight: number;
  /** How long calls may take before fewer are taken on, ms; 0 = never. */
  readonly targetLatencyMs: number;
}

/** How often the number is set anew, ms: often enough for a storm, seldom enough to count something. */
const ADJUST_MS = 100;
/** Calls that are always taken on, so that a process with a few slow calls turns nobody away. */
export const ALWAYS_ADMITTED = 512;
/** Weight of the latest count of ended calls. */
const LATEST_WEIGHT = 0.5;
/** By how much the number rises at a time when calls are fast again. */
const RISE = 1.2;

/** Counts the calls under way. */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #metrics: Metrics;
  readonly #timer: NodeJS.Timeout | undefined;
  #inFlight = 0;
  #limit: number;
  #ended = 0;
  #endedPerMs = 0;
  #adjustedAtMs = performance.now();

  constructor(limits: AdmissionLimits, metrics: Metrics) {
    this.#limits = limits;
    this.#limit = limits.maxInFlight;
    this.#metrics = metrics;
    metrics.serverInFlight.source = () => this.#inFlight;
    metrics.serverInFlightLimit.source = () => this.#limit;
    if (limits.targetLatencyMs > 0)
      this.#timer = setInterval(() => this.adjust(performance.now()), ADJUST_MS).unref();
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
    this.#ended += 1;
  }

  /** Sets the number anew by what was done since the last time. Runs by itself; called by tests with their own clock. */
  adjust(nowMs: number): void {
    const elapsedMs = Math.max(1, nowMs - this.#adjustedAtMs);
    this.#endedPerMs += LATEST_WEIGHT * (this.#ended / elapsedMs - this.#endedPerMs);
    this.#ended = 0;
    this.#adjustedAtMs = nowMs;
    const { maxInFlight, targetLatencyMs } = this.#limits;
    const answerable = this.#endedPerMs * targetLatencyMs;
    this.#limit =
      this.#inFlight > answerable && this.#inFlight > ALWAYS_ADMITTED
        ? Math.min(maxInFlight, Math.max(ALWAYS_ADMITTED, Math.ceil(answerable)))
        : Math.min(maxInFlight, Math.ceil(this.#limit * RISE));
  }

  /** Sets the number no more. */
  stop(): void {
    clearInterval(this.#timer);
  }
}
