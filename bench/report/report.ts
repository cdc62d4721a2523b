/** The report of a run: everything the table, the JSON file and the page are made from. */
import type { Machine, Settings } from '../machine.ts';
import type { Ratios } from '../ratios.ts';
import type { Outcome } from '../suites/outcome.ts';
import type { Verdict } from '../thresholds.ts';

/** A whole run: what was measured, on what, and how it was judged. */
export interface Report extends Outcome {
  readonly command: string;
  readonly startedAt: string;
  readonly machine: Machine;
  readonly settings: Settings;
  readonly ratios: Ratios;
  readonly thresholds: readonly Verdict[];
  /** What a reader must know before believing the figures. */
  readonly warnings: readonly string[];
  readonly passed: boolean;
}
