/** The bars a run is held to, from `thresholds.json`, and whether it cleared them. */
import { readFileSync } from 'node:fs';
import type { BenchCommand, BenchOptions } from './options.ts';
import type { Ratios } from './ratios.ts';

/** A run with bars of its own: a command, or claims on a cluster. */
export type HeldRun = Exclude<BenchCommand, 'all'> | 'claim-cluster';

/** One bar: what a figure must be at least, at most, or exactly, and what it should become. */
export interface Threshold {
  readonly min?: number;
  readonly max?: number;
  readonly equals?: number;
  readonly aim?: number;
  /** `speed` bars are not held against a short run; `truth` bars always are. */
  readonly kind: 'speed' | 'truth';
  /** The runs that are held to it. */
  readonly commands: readonly HeldRun[];
}

/** Bars by the name of their figure. */
export type Thresholds = Readonly<Record<string, Threshold>>;

/** How a figure did against its bar. */
export interface Verdict {
  readonly name: string;
  readonly value: number;
  readonly bar: string;
  readonly aim?: number;
  readonly passed: boolean;
  /** False when the run was too short for this bar to count. */
  readonly held: boolean;
}

/** The bars in the file beside this one. */
export function readThresholds(): Thresholds {
  return JSON.parse(readFileSync(new URL('./thresholds.json', import.meta.url), 'utf8'));
}

/** The bars such a run is held to. */
export function barsOf(
  thresholds: Thresholds,
  { command, topology }: Pick<BenchOptions, 'command' | 'topology'>,
): string[] {
  const runs: readonly HeldRun[] =
    topology === 'cluster'
      ? ['claim-cluster']
      : command === 'all'
        ? ['claim', 'flush', 'evaluate']
        : [command];
  return Object.entries(thresholds)
    .filter(([, { commands }]) => runs.some((run) => commands.includes(run)))
    .map(([name]) => name);
}

/** A verdict for every bar named in `expected`: a figure that is missing has missed its bar. */
export function judge(
  thresholds: Thresholds,
  ratios: Ratios,
  expected: readonly string[],
  quick: boolean,
): Verdict[] {
  return expected.flatMap((name) => {
    const threshold = thresholds[name];
    if (threshold === undefined) return [];
    const value = ratios[name] ?? Number.NaN;
    return [
      {
        name,
        value,
        bar: describeBar(threshold),
        ...(threshold.aim === undefined ? {} : { aim: threshold.aim }),
        passed: clears(threshold, value),
        held: !quick || threshold.kind === 'truth',
      },
    ];
  });
}

/** Whether every bar that counts was cleared. */
export function allPassed(verdicts: readonly Verdict[]): boolean {
  return verdicts.every((verdict) => verdict.passed || !verdict.held);
}

/** Written so that NaN clears nothing. */
function clears({ min, max, equals }: Threshold, value: number): boolean {
  return (
    value >= (min ?? Number.NEGATIVE_INFINITY) &&
    value <= (max ?? Number.POSITIVE_INFINITY) &&
    (equals === undefined || value === equals)
  );
}

function describeBar({ min, max, equals }: Threshold): string {
  if (equals !== undefined) return `= ${equals}`;
  return min === undefined ? `≤ ${max}` : `≥ ${min}`;
}

/** The outcome in words; a short run says so when it missed bars it is not held to. */
export function describeOutcome(verdicts: readonly Verdict[]): string {
  if (!allPassed(verdicts)) return 'a bar was missed';
  return verdicts.every(({ passed }) => passed)
    ? 'every bar was cleared'
    : 'every bar a short run is held to was cleared; others were not';
}
