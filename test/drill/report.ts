/** What a drill leaves behind: figures for programs, lines for people, and what decides the exit code. */
import { describeMachine, type Machine } from '../../bench/machine.ts';

/** What every drill's report has. */
export interface DrillReport {
  readonly drill: 'rolling' | 'restore';
  /** The command that does it again. */
  readonly command: string;
  readonly startedAt: string;
  readonly tookMs: number;
  readonly machine: Machine;
  readonly passed: boolean;
  /** What did not hold; empty when the drill passed. */
  readonly failures: readonly string[];
}

/** A report and how it reads. */
export interface DrillResult<Report extends DrillReport = DrillReport> {
  readonly report: Report;
  readonly lines: readonly string[];
}

/** What a drill that began at `startedMs` and is over now says first. */
export function reportHead<Name extends DrillReport['drill']>(
  drill: Name,
  command: string,
  startedMs: number,
  failures: readonly string[],
): DrillReport & { readonly drill: Name } {
  return {
    drill,
    command,
    startedAt: new Date(startedMs).toISOString(),
    tookMs: Date.now() - startedMs,
    machine: describeMachine(),
    passed: failures.length === 0,
    failures,
  };
}

/** The last lines of every drill. */
export function verdictLines({ passed, failures, tookMs }: DrillReport): string[] {
  const seconds = (tookMs / 1_000).toFixed(1);
  return [
    ...failures.map((failure) => `FAILED: ${failure}`),
    `${passed ? 'PASSED' : `${failures.length} FAILED`} in ${seconds} s`,
  ];
}
