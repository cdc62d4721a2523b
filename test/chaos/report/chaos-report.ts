/** What a run leaves behind: everything the page shows, and what decides the exit code. */
import type { Injected, Skipped } from '../nemesis.ts';
import type { TopologyName } from '../topology/redis-topology.ts';
import type { Sample } from './sampler.ts';
import type { Timeline } from './timeline.ts';

/** One breach, in words. */
export interface Breach {
  /** The promise, or what else was broken: `I1`, `audit`, `process`. */
  readonly promise: string;
  readonly kind: string;
  readonly text: string;
  /** Events and attempts that show it. */
  readonly evidence?: readonly string[];
}

/** Breaches the run is asked about first. */
export interface Verdict {
  /** Acknowledged and not there any more. */
  readonly lost: number;
  /** Carried out twice. */
  readonly doubled: number;
  /** Beyond stock, limits or budgets. */
  readonly oversold: number;
  /** All breaches, these included. */
  readonly violations: number;
}

/** The report of a run. Times in ms since the epoch unless a name says otherwise. */
export interface ChaosReport {
  readonly seed: number;
  readonly topology: TopologyName;
  readonly partitions: number;
  /** The command that does it again. */
  readonly command: string;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly passed: boolean;
  readonly verdict: Verdict;
  readonly breaches: readonly Breach[];
  readonly injected: readonly Injected[];
  readonly skipped: readonly Skipped[];
  /** How much was looked at, by name. */
  readonly looked: Readonly<Record<string, number>>;
  /** From the last heal until everything was archived and open, ms; absent = never. */
  readonly quietAfterMs: number | undefined;
  readonly audit: { readonly code: number | null; readonly output: string } | undefined;
  readonly timeline: Timeline;
  readonly samples: readonly Sample[];
}

/** One line that says it all. */
export function summaryLine({ verdict, injected, skipped, passed, seed }: ChaosReport): string {
  const { lost, doubled, oversold, violations } = verdict;
  const rows = new Set(injected.map(({ id }) => id)).size;
  const counts = `lost ${lost}, doubled ${doubled}, oversold ${oversold}`;
  const faults = `${injected.length} faults of ${rows} rows injected, ${skipped.length} skipped`;
  return `${passed ? 'PASSED' : 'FAILED'}: ${counts}; ${violations} violations; ${faults}; seed ${seed}`;
}
