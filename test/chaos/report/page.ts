/** The report as one HTML file that needs nothing else: no script, no font, no address outside of it. */

import { escapeHtml } from '../../../bench/report/plot.ts';
import type { ChaosReport } from './chaos-report.ts';
import { summaryLine } from './chaos-report.ts';
import { STYLE } from './page-style.ts';
import { type Axis, type Bar, barBand, curveBand, timeAxis } from './svg.ts';
import { SLICE_MS } from './timeline.ts';

/** The page as text. */
export function renderPage(report: ChaosReport): string {
  const { seed, topology, command, passed } = report;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Hongbao chaos: ${topology}, seed ${seed}</title><style>${STYLE}</style></head><body>
<h1>Hongbao chaos run: ${topology}, seed ${seed}</h1>
<p class="${passed ? 'passed' : 'failed'}">${escapeHtml(summaryLine(report))}</p>
<p>${new Date(report.startedMs).toISOString()} · ${seconds(report.endedMs - report.startedMs)} · ${report.partitions} partition(s) · again with <code>${escapeHtml(command)}</code></p>
${timelineOf(report)}
<h2>Faults</h2>
${table(['Row', 'Fault', 'Times', 'Longest', 'Longest outage', 'What was done'], faultRows(report))}
<h2>Not injected</h2>
${table(
  ['Row', 'Fault', 'Why'],
  report.skipped.map(({ id, title, reason }) => [id, title, reason]),
)}
<h2>Violations</h2>
${
  report.breaches.length === 0
    ? '<p>None.</p>'
    : table(
        ['Promise', 'Kind', 'What'],
        report.breaches.map(({ promise, kind, text }) => [promise, kind, text]),
      )
}
<h2>What was looked at</h2>
${table(['What', 'How many'], lookedRows(report))}
${report.audit === undefined ? '' : `<h2>Audit (exit code ${report.audit.code})</h2><pre>${escapeHtml(report.audit.output)}</pre>`}
</body></html>
`;
}

function timelineOf({ timeline, samples, injected, startedMs, endedMs }: ChaosReport): string {
  const axis: Axis = { fromMs: startedMs, toMs: endedMs };
  const perSecond = 1_000 / SLICE_MS;
  const rate = (name: 'ok' | 'refused' | 'unknown') => ({
    name,
    style: name,
    points: timeline.slices.map((slice) => ({ atMs: slice.fromMs, value: slice[name] * perSecond })),
  });
  const latency = (name: string, key: 'p50Ms' | 'p99Ms') => ({
    name,
    style: key === 'p50Ms' ? 'ok' : 'unknown',
    points: timeline.slices.map((slice) => ({ atMs: slice.fromMs, value: slice[key] })),
  });
  const backlog = samples.map(({ atMs, backlogEntries }) => ({ atMs, value: backlogEntries }));
  const open = samples.map(({ atMs, openPartitions }) => ({ atMs, value: openPartitions }));
  const outages = timeline.outages.map(
    ({ fromMs, toMs }): Bar => ({
      label: 'outage',
      note: seconds(toMs - fromMs),
      style: 'outage',
      fromMs,
      toMs,
    }),
  );
  const faults = injected.map(
    ({ id, note, fromMs, toMs }): Bar => ({ label: id, note, style: 'fault', fromMs, toMs }),
  );
  return [
    curveBand(axis, 'Answers', '/s', [rate('ok'), rate('refused'), rate('unknown')], outages),
    curveBand(
      axis,
      'Latency of answers',
      'ms',
      [latency('median', 'p50Ms'), latency('p99', 'p99Ms')],
      outages,
    ),
    curveBand(axis, 'Not archived', 'entries', [{ name: 'entries', style: 'refused', points: backlog }], []),
    curveBand(axis, 'Open partitions', '', [{ name: 'open', style: 'ok', points: open }], []),
    barBand(axis, 'Faults', faults),
    timeAxis(axis),
  ].join('\n');
}

function faultRows({ injected, timeline }: ChaosReport): string[][] {
  const byFault = Map.groupBy(injected, ({ id, title }) => `${id} ${title}`);
  const rows = [...byFault.values()].map((some) => {
    const [{ id, title } = { id: '', title: '' }] = some;
    const longest = Math.max(...some.map(({ fromMs, toMs }) => toMs - fromMs));
    const outage = Math.max(
      0,
      ...timeline.outages
        .filter((one) => some.some(({ fromMs, toMs }) => one.fromMs < toMs && one.toMs > fromMs))
        .map(({ fromMs, toMs }) => toMs - fromMs),
    );
    const notes = some.map(({ note }) => note).join('; ');
    return [id, title, String(some.length), seconds(longest), seconds(outage), notes];
  });
  return rows.toSorted(([left = ''], [right = '']) => left.localeCompare(right, 'en', { numeric: true }));
}

function lookedRows({ timeline, looked, quietAfterMs }: ChaosReport): string[][] {
  const quiet = quietAfterMs === undefined ? 'never' : seconds(quietAfterMs);
  return [
    ...Object.entries(timeline.totals).map(([name, count]) => [`attempts: ${name}`, String(count)]),
    ...Object.entries(timeline.operations).map(([name, count]) => [`asked for: ${name}`, String(count)]),
    ...Object.entries(looked).map(([name, count]) => [name, String(count)]),
    ['from the last fault until everything was archived and open', quiet],
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '<p>None.</p>';
  const head = titles.map((title) => `<th>${escapeHtml(title)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`);
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table>`;
}
