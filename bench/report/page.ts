/** The report as one HTML file that needs nothing else: no script, no font, no address outside of it. */
import type { EvaluateResult } from '../evaluate/evaluate-result.ts';
import type { ContenderSummary } from '../statistics.ts';
import { describeOutcome, type Verdict } from '../thresholds.ts';
import { besideLine, combineRows, coreRows } from './evaluate-lines.ts';
import { corePlot } from './evaluate-plot.ts';
import { formatBehind, formatCount, formatMs, formatRatio } from './format.ts';
import { escapeHtml } from './plot.ts';
import { colorOf, latencyPlot, throughputPlot } from './plots.ts';
import type { Report } from './report.ts';

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { padding: 4px 8px; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; }
svg { width: 100%; height: auto; margin: 1rem 0; font: 12px system-ui, sans-serif; }
svg .grid { stroke: #e4e4e4; } svg .title { font-size: 14px; font-weight: 600; }
.swatch { display: inline-block; width: 12px; height: 12px; margin-right: 6px; }
.missed { background: #fbe3e0; } .warning { color: #8a4b00; } pre { background: #f6f6f6; padding: 1rem; overflow: auto; }
`;

/** The page as text. */
export function renderPage(report: Report): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Hongbao benchmark</title><style>${STYLE}</style></head><body>
<h1>Hongbao benchmark: ${escapeHtml(report.command)}</h1>
<p>${escapeHtml(report.startedAt)} · <strong>${escapeHtml(describeOutcome(report.thresholds))}</strong></p>
${list('warning', report.warnings)}
${contenderTable(report.contenders)}
${report.contenders.length === 0 ? '' : latencyPlot(report.contenders) + throughputPlot(report.contenders)}
${evaluations(report.evaluate)}
${verdictTable(report.thresholds)}
${facts('Flash sale', report.flashSale)}
${facts('Flush', report.flushLag)}
${report.audit === undefined ? '' : `<h2>Audit</h2><pre>${escapeHtml(report.audit.output)}</pre>`}
${facts('Machine', report.machine)}
${facts('Settings', report.settings)}
</body></html>
`;
}

function evaluations(result: EvaluateResult | undefined): string {
  if (result === undefined) return '';
  return [
    '<h2>Evaluations: the engine alone</h2>',
    '<p>Others only say which promotions match; ours also combines them, spreads the discounts and explains the rest.</p>',
    corePlot(result.core),
    textTable(coreRows(result)),
    '<h2>Evaluations: the best combination of coupons</h2>',
    textTable(combineRows(result)),
    `<p>${escapeHtml(besideLine(result))}</p>`,
  ].join('\n');
}

function textTable([titles = [], ...rows]: readonly (readonly string[])[]): string {
  return table(
    titles,
    rows.map((row) => row.map(escapeHtml)),
  );
}

function contenderTable(contenders: readonly ContenderSummary[]): string {
  const titles = [
    'Contender',
    'ops/s',
    'p50 ms',
    'p99 ms',
    'p99.9 ms',
    'server µs/op',
    'behind it µs/op',
    'limit',
    'errors',
  ];
  const rows = contenders.map((row, index) => [
    `<span class="swatch" style="background:${colorOf(index)}"></span>${escapeHtml(row.title)}`,
    formatCount(row.operationsPerSecond),
    formatMs(row.p50Us),
    formatMs(row.p99Us),
    formatMs(row.p999Us),
    row.serverCpuUs.toFixed(1),
    escapeHtml(formatBehind(row.behindCpuUs)),
    row.limitedBy,
    String(row.errors),
  ]);
  return table(titles, rows);
}

function verdictTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ name, value, bar, aim, passed, held }) => ({
    className: passed || !held ? '' : 'missed',
    cells: [
      escapeHtml(name),
      formatRatio(value),
      escapeHtml(bar),
      aim === undefined ? '' : String(aim),
      outcome(passed, held),
    ],
  }));
  const body = rows
    .map(({ className, cells }) => `<tr class="${className}">${cellsOf('td', cells)}</tr>`)
    .join('\n');
  return `<h2>Bars</h2><table><tr>${cellsOf('th', ['Figure', 'Value', 'Bar', 'Aim', ''])}</tr>\n${body}</table>`;
}

function outcome(passed: boolean, held: boolean): string {
  if (passed) return 'cleared';
  return held ? 'missed' : 'missed, not held in a short run';
}

function facts(title: string, values: object | undefined): string {
  if (values === undefined) return '';
  const rows = Object.entries(values).map(([name, value]) => [escapeHtml(name), escapeHtml(toText(value))]);
  return `<h2>${escapeHtml(title)}</h2>${table(['', ''], rows)}`;
}

function toText(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function list(className: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `<ul class="${className}">${lines.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`;
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const body = rows.map((cells) => `<tr>${cellsOf('td', cells)}</tr>`).join('\n');
  return `<table><tr>${cellsOf('th', titles)}</tr>\n${body}</table>`;
}

function cellsOf(tag: 'td' | 'th', cells: readonly string[]): string {
  return cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('');
}
