/**
 * The horizontal pod autoscaler's way from recommendations to a number of pods, as documented: the largest recommendation of all
 * metrics, the stabilisation windows, the policies, the bounds. It knows nothing of clocks: the time is an argument.
 */
import type { ScalingBehaviour, ScalingPolicy, ScalingRules } from './scaling-rules.ts';

/** How often the controller looks (its default). */
export const SYNC_SECONDS = 15;

interface Recommendation {
  readonly at: number;
  readonly replicas: number;
}

interface Change {
  readonly at: number;
  /** Pods added, or taken away; never below zero. */
  readonly pods: number;
}

/** The bounds, and how fast the number may change. */
export type ReplicaLimits = Pick<ScalingRules, 'minReplicas' | 'maxReplicas' | 'scaleUp' | 'scaleDown'>;

/** Remembers what was recommended and done, as far as windows and policies ask for it. */
export class Autoscaler {
  readonly #limits: ReplicaLimits;
  #recommendations: Recommendation[] = [];
  #added: Change[] = [];
  #removed: Change[] = [];

  constructor(limits: ReplicaLimits) {
    this.#limits = limits;
  }

  /**
   * The number of pods from now on. `now` in seconds, never going back; `wanted` holds what each metric asks for, and is
   * never empty.
   */
  decide(now: number, replicas: number, wanted: readonly number[]): number {
    const { minReplicas, maxReplicas } = this.#limits;
    const asked = Math.max(...wanted);
    // Whoever looks for the first time takes what there is for a recommendation, so that a restart takes no pods away.
    if (this.#recommendations.length === 0) this.#recommendations.push({ at: now, replicas });
    const stable = this.#stabilise(now, replicas, asked);
    const next = Math.min(maxReplicas, Math.max(minReplicas, this.#restrain(now, replicas, stable)));
    if (next > replicas) this.#added.push({ at: now, pods: next - replicas });
    if (next < replicas) this.#removed.push({ at: now, pods: replicas - next });
    this.#forget(now);
    return next;
  }

  /** Up only to what was asked for all the time in the window of going up, down only to the most in the window of going down. */
  #stabilise(now: number, replicas: number, asked: number): number {
    const { scaleUp, scaleDown } = this.#limits;
    const within = ({ stabilizationSeconds }: ScalingBehaviour): number[] =>
      this.#recommendations.filter(({ at }) => at > now - stabilizationSeconds).map((past) => past.replicas);
    const least = Math.min(asked, ...within(scaleUp));
    const most = Math.max(asked, ...within(scaleDown));
    this.#recommendations.push({ at: now, replicas: asked });
    return Math.min(most, Math.max(least, replicas));
  }

  #restrain(now: number, replicas: number, wanted: number): number {
    const { scaleUp, scaleDown } = this.#limits;
    if (wanted > replicas)
      return Math.min(wanted, Math.max(replicas, this.#bound(now, replicas, scaleUp, 1)));
    if (wanted < replicas)
      return Math.max(wanted, Math.min(replicas, this.#bound(now, replicas, scaleDown, -1)));
    return replicas;
  }

  /** How far the policies let the number go in one direction. */
  #bound(now: number, replicas: number, behaviour: ScalingBehaviour, direction: 1 | -1): number {
    if (behaviour.selectPolicy === 'Disabled' || behaviour.policies.length === 0) return replicas;
    const bounds = behaviour.policies.map((policy) => this.#proposal(now, replicas, policy, direction));
    const widest = (behaviour.selectPolicy === 'Max') === (direction === 1);
    return widest ? Math.max(...bounds) : Math.min(...bounds);
  }

  #proposal(now: number, replicas: number, policy: ScalingPolicy, direction: 1 | -1): number {
    const { type, value, periodSeconds } = policy;
    const recent = (changes: readonly Change[]): number =>
      changes.filter(({ at }) => at > now - periodSeconds).reduce((pods, change) => pods + change.pods, 0);
    const atStart = replicas - recent(this.#added) + recent(this.#removed);
    if (type === 'Pods') return atStart + direction * value;
    const exact = (atStart * (100 + direction * value)) / 100;
    return direction === 1 ? Math.ceil(exact) : Math.floor(exact);
  }

  /** What no window and no policy looks back to is dropped. */
  #forget(now: number): void {
    const { scaleUp, scaleDown } = this.#limits;
    const seconds = [scaleUp, scaleDown].flatMap(({ stabilizationSeconds, policies }) => [
      stabilizationSeconds,
      ...policies.map(({ periodSeconds }) => periodSeconds),
    ]);
    const since = now - Math.max(...seconds);
    const isRecent = ({ at }: { readonly at: number }): boolean => at > since;
    this.#recommendations = this.#recommendations.filter(isRecent);
    this.#added = this.#added.filter(isRecent);
    this.#removed = this.#removed.filter(isRecent);
  }
}
