/** What a core process is asked to do, and what it answers. Both travel as one line of JSON. */
import type { EngineKey } from './engines/engine.ts';
import type { CallTimes } from './time-calls.ts';

/** An engine with one rule set. */
interface EngineSetting {
  readonly engine: EngineKey;
  /** Idle promotions beside the live ones. */
  readonly idle: number;
  readonly cartLines: readonly number[];
}

/** Which promotions match: asked of every engine before any is timed. */
export interface MatchesJob extends EngineSetting {
  readonly kind: 'matches';
}

/** Ids of the matching promotions of each cart: of every variant of every size, in order. */
export interface MatchesResult {
  readonly carts: readonly (readonly string[])[];
}

/** How long the engine takes for carts of these sizes. */
export interface EngineJob extends EngineSetting {
  readonly kind: 'engine';
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** Times of one cart size. */
export interface CartTimes extends CallTimes {
  readonly lines: number;
}

/** What came of an engine job. */
export interface EngineResult {
  readonly loadMs: number;
  readonly carts: readonly CartTimes[];
}

/** Our combiner with wallets of one size and one limit of coupons per order. */
export interface CombineJob {
  readonly kind: 'combine';
  readonly coupons: number;
  readonly couponsPerOrder: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What came of a combine job. */
export interface CombineResult extends CallTimes {
  /** Wallets measured, and for how many the answer was proven the best. */
  readonly wallets: number;
  readonly proven: number;
  /** Coupons applied per order, on average: a combiner that never combines would be quick. */
  readonly appliedPerOrder: number;
}

/** Any of them. */
export type CoreJob = MatchesJob | EngineJob | CombineJob;
