/**
 * How many pods one metric asks for: the documented calculation of the horizontal pod autoscaler, with its treatment of pods that are
 * not ready or not measured yet.
 */

/** A ratio this close to 1 changes nothing (the controller's default). */
export const TOLERANCE = 0.1;

/** What is known of the pods when the autoscaler looks. */
export interface PodReadings {
  /** Pods there are by now, ready or not. */
  readonly replicas: number;
  /** The figure of every pod that is ready and measured. */
  readonly values: readonly number[];
  /** Pods of which nothing can be said yet: they count as idle before pods are added, and as full before pods are taken away. */
  readonly unmeasured: number;
}

/** Pods wanted for an average of `target` per pod: `ceil(pods × average / target)`. The number as it is when nothing is measured. */
export function recommendByAverage({ replicas, values, unmeasured }: PodReadings, target: number): number {
  if (values.length === 0) return replicas;
  const measured = sum(values);
  const ratio = measured / values.length / target;
  if (unmeasured === 0) return isClose(ratio) ? replicas : ceil(ratio * values.length);
  const assumed = ratio > 1 ? 0 : target;
  const pods = values.length + unmeasured;
  const careful = (measured + assumed * unmeasured) / pods / target;
  if (isClose(careful) || (ratio < 1 && careful > 1) || (ratio > 1 && careful < 1)) return replicas;
  const wanted = ceil(careful * pods);
  const turns = (careful < 1 && wanted > replicas) || (careful > 1 && wanted < replicas);
  return turns ? replicas : wanted;
}

/** Pods wanted for a total of which each takes `target`: `ceil(total / target)`. */
export function recommendByTotal(replicas: number, total: number, target: number): number {
  return isClose(total / (target * replicas)) ? replicas : ceil(total / target);
}

function isClose(ratio: number): boolean {
  return Math.abs(ratio - 1) <= TOLERANCE + Number.EPSILON;
}

/** Rounds up, but for what is one thing in arithmetic and another in binary fractions: 3 × 0.7 / 0.7 are 3 pods. */
function ceil(value: number): number {
  return Math.max(0, Math.ceil(value - 1e-9));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
