/** One serving pod as a queue in front of a thread: what comes, what is answered, what is refused, and what its figures show. */
import type { Signal } from './scaling-rules.ts';
import type { CallCost } from './service-costs.ts';

/** How many calls a process takes on at a time, as `src/transport/admission.ts` decides it. */
export interface AdmissionRule {
  readonly alwaysAdmitted: number;
  readonly maxInFlight: number;
  readonly targetLatencySeconds: number;
}

/** What happened to the calls of one step. */
export interface StepOutcome {
  readonly answered: number;
  readonly refused: number;
  /** How long a call that came in this step waits before it is worked on, seconds. */
  readonly waitSeconds: number;
}

/** Which part of its past a figure of a pod is taken from, in steps. */
export interface ReadingSpan {
  readonly lag: number;
  readonly steps: number;
  readonly needed: number;
}

/** How far anybody looks back, in steps. */
const KEPT_STEPS = 1_000;

/** A pod, from its creation on. */
export class ServingPod {
  /** When it was asked for, and from when on it gets calls, seconds. */
  readonly createdAt: number;
  readonly readyAt: number;
  /** Its part of all calls, 0 to 1. */
  share = 0;
  readonly #cost: CallCost;
  readonly #admission: AdmissionRule;
  #waiting = 0;
  /** Sums since creation, one entry per step, so that the average over any time is a difference. */
  readonly #sums: Record<Signal, number[]> = { cpu: [0], 'event-loop': [0], 'in-flight': [0] };

  constructor(createdAt: number, readyAt: number, cost: CallCost, admission: AdmissionRule) {
    this.createdAt = createdAt;
    this.readyAt = readyAt;
    this.#cost = cost;
    this.#admission = admission;
  }

  /** Lets `seconds` pass in which `arriving` calls come. */
  step(arriving: number, seconds: number): StepOutcome {
    const { mainSeconds, refusalSeconds } = this.#cost;
    const capacity = seconds / this.#slowestSeconds();
    const room = this.#room();
    const excess = this.#waiting + arriving - capacity - room;
    // What a refusal costs is missing for answers, so refusing one call makes room for less than one.
    const refused = Math.min(arriving, Math.max(0, excess / (1 - refusalSeconds / mainSeconds)));
    const able = Math.max(0, capacity - (refused * refusalSeconds) / mainSeconds);
    const answered = Math.min(this.#waiting + arriving - refused, able);
    this.#waiting = this.#waiting + arriving - refused - answered;
    this.#record(answered, refused, seconds);
    return { answered, refused, waitSeconds: this.#waiting * this.#slowestSeconds() };
  }

  /**
   * The average of a figure over the `steps` steps before the last `lag` ones. Undefined while the pod has not worked for `needed` of
   * them; what it did not live through counts as zero, as a rate of Prometheus shows it.
   */
  reading(signal: Signal, { lag, steps, needed }: ReadingSpan): number | undefined {
    const sums = this.#sums[signal];
    const end = sums.length - 1 - lag;
    if (end < Math.max(1, needed)) return undefined;
    const from = sums[Math.max(0, end - Math.max(1, steps))] ?? 0;
    return ((sums[end] ?? 0) - from) / Math.max(1, steps);
  }

  /** The thread that is full first decides: the main one, or the worker. */
  #slowestSeconds(): number {
    return Math.max(this.#cost.mainSeconds, this.#cost.workerSeconds);
  }

  /** Calls that may wait: as many as are answered within the aimed-at time. */
  #room(): number {
    const { alwaysAdmitted, maxInFlight, targetLatencySeconds } = this.#admission;
    const answerable = targetLatencySeconds / this.#slowestSeconds();
    return Math.min(maxInFlight, Math.max(alwaysAdmitted, answerable));
  }

  #record(answered: number, refused: number, seconds: number): void {
    const { mainSeconds, otherSeconds, refusalSeconds, calmSeconds } = this.#cost;
    const main = (answered * mainSeconds + refused * refusalSeconds) / seconds;
    const values: Record<Signal, number> = {
      cpu: main + (answered * otherSeconds) / seconds,
      'event-loop': main,
      'in-flight': this.#waiting + (answered / seconds) * calmSeconds,
    };
    for (const signal of SIGNALS) {
      const sums = this.#sums[signal];
      sums.push((sums.at(-1) ?? 0) + values[signal]);
      if (sums.length > 2 * KEPT_STEPS) sums.splice(0, KEPT_STEPS);
    }
  }
}

const SIGNALS: readonly Signal[] = ['cpu', 'event-loop', 'in-flight'];
