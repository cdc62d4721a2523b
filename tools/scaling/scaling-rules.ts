/** What decides about the number of serving pods, as one value: the model of the autoscaler takes it, manifests give it. */

/** How fast the number may change within a time. */
export interface ScalingPolicy {
  readonly type: 'Pods' | 'Percent';
  /** Pods, or percent of the pods there were at the start of the period. */
  readonly value: number;
  readonly periodSeconds: number;
}

/** How the number changes in one direction. */
export interface ScalingBehaviour {
  /** Time over which the most cautious of all recommendations counts. */
  readonly stabilizationSeconds: number;
  /** Which policy counts where there are several: the one that allows most, least, or none at all. */
  readonly selectPolicy: 'Max' | 'Min' | 'Disabled';
  readonly policies: readonly ScalingPolicy[];
}

/** What is measured of the pods. */
export type Signal = 'cpu' | 'event-loop' | 'in-flight';

/** One figure the autoscaler holds the pods to. */
export interface MetricRule {
  readonly signal: Signal;
  /** CPU: share of what a pod asks for; the others: per pod, in the unit of the figure (shares of a core, calls). */
  readonly target: number;
  /** Time over which the figure is an average; 0 = the value at one moment. */
  readonly windowSeconds: number;
  /** Age of the newest figure there is, seconds: how often it is taken. */
  readonly lagSeconds: number;
  /** Summed over all pods and divided by the target (KEDA), in place of an average over pods. */
  readonly isTotal: boolean;
}

/** A time of the day in which at least so many pods run (KEDA). Both moments in minutes of the day; the end may be on the next day. */
export interface ScheduledReplicas {
  readonly startMinute: number;
  readonly endMinute: number;
  readonly replicas: number;
}

/** Everything that decides about the number of pods. */
export interface ScalingRules {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly metrics: readonly MetricRule[];
  readonly schedules: readonly ScheduledReplicas[];
  readonly scaleUp: ScalingBehaviour;
  readonly scaleDown: ScalingBehaviour;
  /** CPU a pod asks for, cores: what its use is a share of. */
  readonly requestedCores: number;
}
