/** What every suite is given. */

import type { Contender, Window } from '../contenders/contender.ts';
import { runRounds } from '../contenders/rounds.ts';
import type { BenchOptions } from '../options.ts';
import type { ContenderSummary } from '../statistics.ts';

/** How a suite runs: what was asked for, what must end with it, and whom to tell about each step. */
export interface SuiteRun {
  readonly options: BenchOptions;
  readonly window: Window;
  readonly stack: AsyncDisposableStack;
  readonly say: (line: string) => void;
}

/** Measures contenders in interleaved rounds and tells about each measurement. */
export function measureAll(
  contenders: readonly Contender[],
  { options, window, say }: SuiteRun,
): Promise<ContenderSummary[]> {
  return runRounds(
    contenders,
    options.rounds,
    window,
    (round, { key }, { operationsPerSecond, serverCpuUs }) =>
      say(`round ${round}: ${key} ${Math.round(operationsPerSecond)}/s, ${serverCpuUs.toFixed(1)} µs each`),
  );
}
