/** What a rolling restart came to, and how it reads. */
import { alignRows } from '../../../bench/report/align-rows.ts';
import type { CommandResult } from '../../chaos/run-audit.ts';
import { type DrillReport, verdictLines } from '../report.ts';
import type { SeenCalls } from './calls-of-step.ts';
import type { Restart } from './restart.ts';

/** A stretch of the drill. */
export interface Step extends SeenCalls {
  readonly name: string;
  readonly tookMs: number;
  /** Entries that the archive did not have yet, at most. */
  readonly mostEntriesBehind: number;
  /** Absent before the first restart. */
  readonly restart: Restart | undefined;
}

/** The report. */
export interface RollingReport extends DrillReport {
  readonly drill: 'rolling';
  readonly ratePerSecond: number;
  readonly readinessDelayMs: number;
  readonly steps: readonly Step[];
  /** Attempts that got no answer, by reason. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Acknowledged answers, and what the checker found about them in Redis, the log and Postgres. */
  readonly audited: {
    readonly acknowledged: number;
    readonly lost: number;
    readonly doubled: number;
    readonly oversold: number;
  };
  readonly audit: CommandResult;
}

const COLUMNS: readonly (readonly [title: string, cell: (step: Step) => string])[] = [
  ['step', ({ name }) => name],
  ['took', ({ tookMs }) => `${(tookMs / 1_000).toFixed(1)} s`],
  ['left after', ({ restart }) => ms(restart?.leftAfterMs)],
  ['ready after', ({ restart }) => ms(restart?.readyAfterMs)],
  ['at work after', ({ restart }) => ms(restart?.atWorkAfterMs)],
  ['calls', ({ calls }) => String(calls)],
  ['failed', ({ failed }) => String(failed)],
  ['asked again', ({ askedAgain }) => String(askedAgain)],
  ['p99', ({ p99Ms }) => ms(p99Ms)],
  ['slowest', ({ slowestMs }) => ms(slowestMs)],
  ['archive behind', ({ mostEntriesBehind }) => `${mostEntriesBehind}`],
];

/** The whole report as text. */
export function rollingLines(report: RollingReport): string[] {
  const { steps, reasons, audited, audit, ratePerSecond, readinessDelayMs } = report;
  const slowest = steps.toSorted((left, right) => right.slowestMs - left.slowestMs)[0];
  const sum = (count: (step: Step) => number): number => steps.reduce((all, step) => all + count(step), 0);
  return [
    `${ratePerSecond} calls/s at most, readiness delay ${readinessDelayMs} ms; "archive behind" in entries of the log`,
    '',
    ...alignRows([
      COLUMNS.map(([title]) => title),
      ...steps.map((step) => COLUMNS.map(([, cell]) => cell(step))),
    ]),
    '',
    ...Object.entries(reasons).map(([reason, count]) => `no answer ${count} times: ${reason}`),
    `calls: ${sum(({ calls }) => calls)}, failed: ${sum(({ failed }) => failed)}`,
    `slowest call: ${slowest?.slowestMs ?? 0} ms (${slowest?.slowest ?? ''}, ${slowest?.name ?? ''})`,
    `acknowledged: ${audited.acknowledged}, lost: ${audited.lost}, doubled: ${audited.doubled}, oversold: ${audited.oversold}`,
    `hongbao audit: exit code ${audit.code}`,
    ...verdictLines(report),
  ];
}

function ms(value: number | undefined): string {
  return value === undefined ? '' : `${value} ms`;
}
