/** A stretch of time with a load, the pods that answer it, and the autoscaler that decides how many there are, in small steps. */
import { Autoscaler, SYNC_SECONDS } from './autoscaler.ts';
import type { LoadCurve } from './load-curves.ts';
import { recommendByAverage, recommendByTotal } from './recommend.ts';
import type { MetricRule, ScalingRules } from './scaling-rules.ts';
import type { CallCost } from './service-costs.ts';
import { type AdmissionRule, ServingPod } from './serving-pod.ts';

/** Length of a step, seconds. */
export const STEP_SECONDS = 0.5;
/** A call that waits longer misses the objective of 100 ms (docs/observability.md). */
const LATE_SECONDS = 0.1;
/** How often the time line is written down, seconds. */
const SAMPLE_SECONDS = 5;
const SECONDS_PER_MINUTE = 60;
const MINUTES_PER_DAY = 1_440;

/** What the cluster around the pods is like. */
export interface Surroundings {
  /** From the wish for a pod to its first call: placed, started, found ready, known to balancers; seconds. */
  readonly podStartSeconds: number;
  /** Age every figure has at least when the autoscaler sees it, seconds; 0 = as often as it is taken. */
  readonly leastLagSeconds: number;
  /** Time after which a connection is made anew, where clients choose their pods when they connect; 0 = each call is balanced. */
  readonly connectionSeconds: number;
  readonly admission: AdmissionRule;
}

/** One moment of the time line. */
export interface ScalingSample {
  readonly second: number;
  readonly callsPerSecond: number;
  readonly replicas: number;
  readonly readyReplicas: number;
  /** Calls all ready pods could answer per second. */
  readonly capacityPerSecond: number;
  readonly refusedPerSecond: number;
  readonly waitSeconds: number;
}

/** What came of it. */
export interface ScalingOutcome {
  readonly calls: number;
  readonly refused: number;
  /** Calls answered after more than 100 ms of waiting. */
  readonly late: number;
  readonly maxWaitSeconds: number;
  readonly maxReplicas: number;
  readonly podMinutes: number;
  /** Time in which calls were refused, seconds. */
  readonly refusingSeconds: number;
  readonly samples: readonly ScalingSample[];
}

/** Runs one load against one set of rules. The same arguments give the same outcome. */
export function simulateScaling(
  rules: ScalingRules,
  load: LoadCurve,
  cost: CallCost,
  surroundings: Surroundings,
): ScalingOutcome {
  const run = new ScalingRun(rules, load, cost, surroundings);
  const steps = Math.round(load.lengthSeconds / STEP_SECONDS);
  for (let step = 0; step < steps; step += 1) run.step(step * STEP_SECONDS);
  return run.outcome();
}

class ScalingRun {
  readonly #rules: ScalingRules;
  readonly #load: LoadCurve;
  readonly #cost: CallCost;
  readonly #around: Surroundings;
  readonly #autoscaler: Autoscaler;
  #pods: ServingPod[];
  readonly #samples: ScalingSample[] = [];
  readonly #sums = { calls: 0, refused: 0, late: 0, podMinutes: 0, refusingSeconds: 0 };
  #maxWaitSeconds = 0;
  #maxReplicas = 0;

  constructor(rules: ScalingRules, load: LoadCurve, cost: CallCost, around: Surroundings) {
    this.#rules = rules;
    this.#load = load;
    this.#cost = cost;
    this.#around = around;
    this.#autoscaler = new Autoscaler(rules);
    // The stretch begins in calm: as many pods as the load of its start asks for, ready for long.
    const calm = rules.metrics.map((metric) => this.#calmReplicas(metric));
    const first = Math.min(rules.maxReplicas, Math.max(rules.minReplicas, ...calm));
    this.#pods = Array.from({ length: first }, () => this.#pod(-SECONDS_PER_MINUTE, 0));
    for (const pod of this.#pods) pod.share = 1 / first;
  }

  step(now: number): void {
    this.#balance(now);
    const calls = this.#load.callsPerSecond(now);
    const { refused, wait } = this.#serve(now, calls);
    if (now > 0 && now % SYNC_SECONDS === 0) this.#scale(now);
    this.#sums.podMinutes += (this.#pods.length * STEP_SECONDS) / SECONDS_PER_MINUTE;
    this.#maxReplicas = Math.max(this.#maxReplicas, this.#pods.length);
    if (now % SAMPLE_SECONDS === 0) this.#sample(now, calls, refused, wait);
  }

  outcome(): ScalingOutcome {
    return {
      ...this.#sums,
      maxWaitSeconds: this.#maxWaitSeconds,
      maxReplicas: this.#maxReplicas,
      samples: this.#samples,
    };
  }

  /** Leads calls to ready pods: at once where calls are balanced, otherwise as connections end and are made anew. */
  #balance(now: number): void {
    const ready = this.#pods.filter(({ readyAt }) => readyAt <= now);
    const { connectionSeconds } = this.#around;
    const moved = connectionSeconds === 0 ? 1 : STEP_SECONDS / connectionSeconds;
    const total = ready.reduce((sum, { share }) => sum + share, 0);
    for (const pod of ready) {
      // Connections of pods that are gone are made anew at once, and land anywhere.
      const own = total === 0 ? 0 : pod.share + (1 - total) / ready.length;
      pod.share = own + moved * (1 / ready.length - own);
    }
  }

  #serve(now: number, callsPerSecond: number): { readonly refused: number; readonly wait: number } {
    const arriving = callsPerSecond * STEP_SECONDS;
    let refused = 0;
    let longest = 0;
    for (const pod of this.#pods) {
      if (pod.readyAt > now) continue;
      const outcome = pod.step(arriving * pod.share, STEP_SECONDS);
      refused += outcome.refused;
      if (outcome.waitSeconds > LATE_SECONDS) this.#sums.late += outcome.answered;
      longest = Math.max(longest, outcome.waitSeconds);
    }
    this.#sums.calls += arriving;
    this.#sums.refused += refused;
    if (refused > 0) this.#sums.refusingSeconds += STEP_SECONDS;
    this.#maxWaitSeconds = Math.max(this.#maxWaitSeconds, longest);
    return { refused: refused / STEP_SECONDS, wait: longest };
  }

  #scale(now: number): void {
    const replicas = this.#pods.length;
    const wanted = [...this.#rules.metrics.map((metric) => this.#recommend(metric)), ...this.#scheduled(now)];
    const next = this.#autoscaler.decide(now, replicas, wanted);
    for (let more = replicas; more < next; more += 1)
      this.#pods.push(this.#pod(now, now + this.#around.podStartSeconds));
    // Kubernetes takes those away first that are not ready, or the youngest.
    if (next < replicas) this.#pods = this.#pods.slice(0, next);
  }

  #scheduled(now: number): number[] {
    if (!this.#load.isAnnounced) return [];
    const minute = this.#minuteOfDay(now);
    return this.#rules.schedules
      .filter(({ startMinute, endMinute }) => isWithin(minute, startMinute, endMinute))
      .map(({ replicas }) => replicas);
  }

  #recommend(metric: MetricRule): number {
    const replicas = this.#pods.length;
    const { windowSeconds, lagSeconds } = metric;
    const stepsOf = (seconds: number): number => Math.round(seconds / STEP_SECONDS);
    const span = {
      lag: stepsOf(Math.max(lagSeconds, this.#around.leastLagSeconds)),
      steps: stepsOf(windowSeconds),
      // A rate takes two readings at least.
      needed: stepsOf(Math.min(windowSeconds, 2 * lagSeconds)),
    };
    const values = this.#pods.flatMap((pod) => pod.reading(metric.signal, span) ?? []);
    if (metric.isTotal)
      return recommendByTotal(
        replicas,
        values.reduce((sum, value) => sum + value, 0),
        metric.target,
      );
    const target = metric.signal === 'cpu' ? metric.target * this.#rules.requestedCores : metric.target;
    return recommendByAverage({ replicas, values, unmeasured: replicas - values.length }, target);
  }

  #calmReplicas({ signal, target, isTotal }: MetricRule): number {
    const calls = this.#load.callsPerSecond(0);
    const { mainSeconds, otherSeconds, calmSeconds } = this.#cost;
    const total = { cpu: mainSeconds + otherSeconds, 'event-loop': mainSeconds, 'in-flight': calmSeconds };
    const perPod = signal === 'cpu' && !isTotal ? target * this.#rules.requestedCores : target;
    return Math.ceil((calls * total[signal]) / perPod);
  }

  #pod(createdAt: number, readyAt: number): ServingPod {
    return new ServingPod(createdAt, readyAt, this.#cost, this.#around.admission);
  }

  #minuteOfDay(now: number): number {
    return (this.#load.startMinute + now / SECONDS_PER_MINUTE) % MINUTES_PER_DAY;
  }

  #sample(second: number, callsPerSecond: number, refusedPerSecond: number, waitSeconds: number): void {
    const readyReplicas = this.#pods.filter(({ readyAt }) => readyAt <= second).length;
    const perPod = 1 / Math.max(this.#cost.mainSeconds, this.#cost.workerSeconds);
    this.#samples.push({
      second,
      callsPerSecond,
      replicas: this.#pods.length,
      readyReplicas,
      capacityPerSecond: readyReplicas * perPod,
      refusedPerSecond,
      waitSeconds,
    });
  }
}

/** Whether a minute of the day is in a stretch that may go past midnight. */
function isWithin(minute: number, start: number, end: number): boolean {
  return start <= end ? minute >= start && minute < end : minute >= start || minute < end;
}
