/** One run from start to report: its suites one after the other, each with everything it needs, and then the judgement. */
import { describeMachine, describeSettings } from './machine.ts';
import type { BenchCommand, BenchOptions } from './options.ts';
import { HELPER_CORE, pinProcess } from './processes/pinning.ts';
import { computeRatios } from './ratios.ts';
import type { Report } from './report/report.ts';
import { findWarnings } from './report/warnings.ts';
import { runClaim, runFlush, runOverload } from './suites/claim-suite.ts';
import { runClaimCluster } from './suites/cluster-suite.ts';
import { runEvaluate } from './suites/evaluate-suite.ts';
import { figuresOf, type Outcome } from './suites/outcome.ts';
import { runSizes } from './suites/sizes-suite.ts';
import type { SuiteRun } from './suites/suite.ts';
import { runTracing } from './suites/tracing-suite.ts';
import { allPassed, barsOf, judge, readThresholds } from './thresholds.ts';

/** Time each server is under load before it is measured, so that its code is compiled. */
const WARM_UP_MS = 2_000;
const QUICK_WARM_UP_MS = 1_000;

type Suite = (run: SuiteRun) => Promise<Outcome>;

/** What each command runs. The suite of claims measures the flush lag as well. */
const SUITES: Readonly<Record<BenchCommand, readonly Suite[]>> = {
  claim: [runClaim],
  flush: [runFlush],
  evaluate: [runEvaluate],
  overload: [runOverload],
  sizes: [runSizes],
  tracing: [runTracing],
  all: [runEvaluate, runClaim],
};

/** Runs the benchmark. `say` gets a line about each step; the stack holds everything that must end with the run. */
export async function runBenchmark(
  options: BenchOptions,
  stack: AsyncDisposableStack,
  say: (line: string) => void,
): Promise<Report> {
  const startedAt = new Date().toISOString();
  pinProcess(process.pid, HELPER_CORE);
  const window = { warmUpMs: warmUpMs(options), measureMs: options.seconds * 1000 };
  const outcomes: Outcome[] = [];
  const suites = options.topology === 'cluster' ? [runClaimCluster] : SUITES[options.command];
  for (const suite of suites) {
    const own = stack.use(new AsyncDisposableStack());
    outcomes.push(await suite({ options, window, stack: own, say }));
    await own.disposeAsync();
  }
  return assemble(options, startedAt, together(outcomes));
}

function warmUpMs({ quick }: BenchOptions): number {
  return quick ? QUICK_WARM_UP_MS : WARM_UP_MS;
}

function together(outcomes: readonly Outcome[]): Outcome {
  const merged: Outcome = { contenders: [] };
  for (const outcome of outcomes) Object.assign(merged, outcome);
  return { ...merged, contenders: outcomes.flatMap(({ contenders }) => contenders) };
}

function assemble(options: BenchOptions, startedAt: string, outcome: Outcome): Report {
  const thresholds = readThresholds();
  const ratios = { ...computeRatios(outcome.contenders), ...figuresOf(outcome) };
  const verdicts = judge(thresholds, ratios, barsOf(thresholds, options), options.quick);
  return {
    command: options.command,
    startedAt,
    machine: describeMachine(),
    settings: describeSettings(options, warmUpMs(options)),
    ...outcome,
    ratios,
    thresholds: verdicts,
    warnings: findWarnings(outcome.contenders, outcome.generatorCheck, outcome.evaluate?.beside),
    passed: allPassed(verdicts),
  };
}
