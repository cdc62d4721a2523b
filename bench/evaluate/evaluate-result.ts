/** What a report says about evaluations beside the rows of its contenders. */
import type { Ratios } from '../ratios.ts';
import type { BesideResult } from './beside-heavy.ts';
import type { CombinePoint } from './combine-rounds.ts';
import type { CorePoint } from './core-rounds.ts';

/** Everything measured about evaluations but the rows of contenders. */
export interface EvaluateResult {
  /** Answers in which all engines agreed before any was timed. */
  readonly answersCompared: number;
  readonly core: readonly CorePoint[];
  readonly combine: readonly CombinePoint[];
  readonly beside: BesideResult;
  readonly ratios: Ratios;
}
