/** The report for a terminal. */
import type { ContenderSummary } from '../statistics.ts';
import { describeOutcome, type Verdict } from '../thresholds.ts';
import { alignRows } from './align-rows.ts';
import { evaluateLines } from './evaluate-lines.ts';
import { formatBehind, formatCount, formatMs, formatRatio } from './format.ts';
import type { Report } from './report.ts';
import { sizesLines } from './sizes-lines.ts';

const COLUMNS: readonly (readonly [title: string, cell: (row: ContenderSummary) => string])[] = [
  ['contender', (row) => row.title],
  ['ops/s', (row) => formatCount(row.operationsPerSecond)],
  ['p50 ms', (row) => formatMs(row.p50Us)],
  ['p99 ms', (row) => formatMs(row.p99Us)],
  ['p99.9 ms', (row) => formatMs(row.p999Us)],
  ['server µs/op', (row) => row.serverCpuUs.toFixed(1)],
  ['behind it µs/op', (row) => formatBehind(row.behindCpuUs)],
  ['generator', (row) => `${Math.round(row.generatorShare * 100)} %`],
  ['limit', (row) => row.limitedBy],
  ['errors', (row) => String(row.errors)],
];

/** The whole report as text. */
export function renderTable(report: Report): string {
  return [
    heading(report),
    '',
    ...alignRows([
      COLUMNS.map(([title]) => title),
      ...report.contenders.map((row) => COLUMNS.map(([, cell]) => cell(row))),
    ]),
    '',
    ...evaluateLines(report.evaluate),
    ...sizesLines(report.sizes),
    ...flashSaleLines(report),
    ...flushLines(report),
    ...paperLines(report),
    ...tracedLines(report),
    ...report.thresholds.map(verdictLine),
    ...report.warnings.map((warning) => `warning: ${warning}`),
    '',
    describeOutcome(report.thresholds),
  ].join('\n');
}

function heading({ machine, settings }: Report): string {
  const { cpu, cores, memoryGigabytes, node, redis } = machine;
  return [
    `${cpu}, ${cores} cores, ${memoryGigabytes} GB, Node ${node}, Redis ${redis}`,
    ...Object.entries(settings).map(([name, value]) => `${name}: ${value}`),
  ].join('\n');
}

function flashSaleLines({ flashSale: sale }: Report): string[] {
  if (sale === undefined) return [];
  const { claims, users, stock, wins, oversold, duplicates, unanswered, claimsPerSecond } = sale;
  return [
    `flash sale: ${formatCount(claims)} claims by ${formatCount(users)} users on a stock of ${formatCount(stock)}: ` +
      `${wins} wins, ${oversold} oversold, ${duplicates} duplicates, ${unanswered} unanswered, ` +
      `${formatCount(claimsPerSecond)} claims/s`,
    '',
  ];
}

function flushLines({ flushLag: flush, audit }: Report): string[] {
  const lines: string[] = [];
  if (flush !== undefined) {
    const { claimsPerSecond, seconds, p50Ms, p99Ms, claimP50Us, claimP99Us } = flush;
    lines.push(
      `flush at ${formatCount(claimsPerSecond)} claims/s for ${seconds} s: lag p50 ${p50Ms.toFixed(0)} ms, ` +
        `p99 ${p99Ms.toFixed(0)} ms; claims p50 ${formatMs(claimP50Us)} ms, p99 ${formatMs(claimP99Us)} ms`,
      '',
    );
  }
  if (audit !== undefined) lines.push(`audit: exit code ${audit.exitCode}`, audit.output.trimEnd(), '');
  return lines;
}

function paperLines({ paper }: Report): string[] {
  if (paper === undefined) return [];
  const lines = Object.entries(paper).map(([name, perSecond]) => `${name}: ${formatCount(perSecond)}`);
  return ['on paper, each master with a core of its own (Redis CPU per claim as measured):', ...lines, ''];
}

/** No bar is held to these: how much is recorded is the operator's choice. */
function tracedLines({ ratios }: Report): string[] {
  return Object.entries(ratios)
    .filter(([name]) => name.startsWith('traced_'))
    .map(([name, value]) => `${name} = ${formatRatio(value)}`);
}

function verdictLine({ name, value, bar, aim, passed, held }: Verdict): string {
  const mark = passed ? 'ok    ' : held ? 'MISSED' : 'short ';
  const aimed = aim === undefined ? '' : ` (aim ${aim})`;
  const note = held ? '' : ' [short run: not held]';
  return `${mark} ${name} = ${formatRatio(value)}  ${bar}${aimed}${note}`;
}
