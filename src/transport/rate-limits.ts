/**
 * How often callers and users may call. Counted in each process: over `n` replicas somebody gets at most `n` times the limit, and
 * less where connections stick. That costs no store a round trip, and no store's fault lets everybody in or nobody.
 */
import type { Config } from '../config/config.ts';
import type { Identity } from '../domain/identity.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { TokenBuckets } from './rate-limits-buckets.ts';

type Limit = 'caller' | 'user';

/** Waits are advised in steps of this, ms, so that refusals are few and can be kept: a flood is nothing but refusals. */
const WAIT_STEP_MS = 100;

/** The limits of a process. Absent buckets have no limit. */
export class RateLimits {
  readonly #callers: TokenBuckets | undefined;
  readonly #users: TokenBuckets | undefined;
  readonly #metrics: Metrics;
  readonly #refusals = new Map<string, Refusal>();

  constructor(config: Config['rates'], metrics: Metrics) {
    this.#callers = bucketsOf(config.callerPerSecond, config.callerBurst);
    this.#users = bucketsOf(config.userPerSecond, config.userBurst);
    this.#metrics = metrics;
  }

  /** Whether the users that services call for are counted. */
  get countsUsers(): boolean {
    return this.#users !== undefined;
  }

  /** Judges by who is calling: a caller, who may be a user. */
  ofCaller({ kind, actor, userId }: Identity, nowMs: number): Refusal | undefined {
    return (
      (this.#callers && this.#judge('caller', this.#callers, `${kind}:${actor}`, nowMs)) ??
      (userId === undefined ? undefined : this.ofUser(userId, nowMs))
    );
  }

  /** Judges by whom a call is for. */
  ofUser(userId: string, nowMs: number): Refusal | undefined {
    return this.#users && this.#judge('user', this.#users, userId, nowMs);
  }

  #judge(limit: Limit, buckets: TokenBuckets, name: string, nowMs: number): Refusal | undefined {
    const waitMs = buckets.take(name, nowMs);
    if (waitMs === 0) return undefined;
    this.#metrics.rateLimited.child(limit).value += 1;
    return this.#refusal(limit, buckets.perSecond, Math.ceil(waitMs / WAIT_STEP_MS) * WAIT_STEP_MS);
  }

  #refusal(limit: Limit, perSecond: number, retryAfterMs: number): Refusal {
    const key = `${limit}:${retryAfterMs}`;
    const known = this.#refusals.get(key);
    if (known !== undefined) return known;
    const made = new Refusal('RATE_LIMITED', `This ${limit} may call ${perSecond} times per second`, {
      metadata: { limit, per_second: String(perSecond) },
      retryAfterMs,
    });
    this.#refusals.set(key, made);
    return made;
  }
}

function bucketsOf(perSecond: number, burst: number): TokenBuckets | undefined {
  return perSecond === 0 ? undefined : new TokenBuckets({ perSecond, burst });
}
