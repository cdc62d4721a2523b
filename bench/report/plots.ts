/** The two plots of the page: latency by percentile, and throughput over time. */
import { SLICE_MS } from '../load/recorder.ts';
import { type ContenderSummary, middleRound } from '../statistics.ts';
import { formatCount } from './format.ts';
import { type Line, renderPlot, type Tick } from './plot.ts';

/** Colours that can be told apart by people who see colours differently. */
const COLORS = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#56b4e9',
  '#8a6d00',
  '#7f7f7f',
  '#1b1b1b',
  '#a0522d',
];

const PERCENTILE_TICKS = [0, 50, 90, 99, 99.9, 99.99];
const LATENCY_TICKS_US = [100, 1_000, 10_000, 100_000, 1_000_000];
const THROUGHPUT_STEPS = 5;

/** Latency by percentile, both axes logarithmic: the tail gets as much room as the middle. */
export function latencyPlot(summaries: readonly ContenderSummary[]): string {
  return renderPlot({
    title: 'Latency by percentile, round of median throughput',
    xTitle: 'percentile',
    yTitle: 'latency, ms',
    lines: toLines(summaries, (summary) =>
      (middleRound(summary.rounds)?.latency.curve ?? [])
        .filter(([percentile, latencyUs]) => percentile <= 99.99 && latencyUs > 0)
        .map(([percentile, latencyUs]) => [nines(percentile), Math.log10(latencyUs)]),
    ),
    xTicks: PERCENTILE_TICKS.map((percentile) => ({ at: nines(percentile), label: String(percentile) })),
    yTicks: LATENCY_TICKS_US.map((latencyUs) => ({
      at: Math.log10(latencyUs),
      label: String(latencyUs / 1000),
    })),
  });
}

/** How many nines a percentile has: 90 → 1, 99 → 2. */
function nines(percentile: number): number {
  return -Math.log10(1 - Math.min(percentile, 99.999) / 100);
}

/** Operations per second over the window. */
export function throughputPlot(summaries: readonly ContenderSummary[]): string {
  const lines = toLines(summaries, (summary) => {
    const series = middleRound(summary.rounds)?.series ?? [];
    return series.map((value, slice) => [(slice * SLICE_MS) / 1000, value]);
  });
  const highest = Math.max(1, ...lines.flatMap((line) => line.points.map(([, y]) => y)));
  const longest = Math.max(1, ...lines.flatMap((line) => line.points.map(([x]) => x)));
  return renderPlot({
    title: 'Throughput over time, round of median throughput',
    xTitle: 'seconds',
    yTitle: 'operations per second',
    lines,
    xTicks: steps(longest, (value) => value.toFixed(1)),
    yTicks: steps(highest, formatCount),
  });
}

function steps(highest: number, label: (value: number) => string): Tick[] {
  return Array.from({ length: THROUGHPUT_STEPS + 1 }, (_, step) => {
    const at = (highest * step) / THROUGHPUT_STEPS;
    return { at, label: label(at) };
  });
}

function toLines(
  summaries: readonly ContenderSummary[],
  points: (summary: ContenderSummary) => (readonly [number, number])[],
): Line[] {
  return summaries.map((summary, index) => ({
    label: summary.title,
    color: colorOf(index),
    points: points(summary),
  }));
}

/** The colour of the contender at this place, in plots and in the table's legend. */
export function colorOf(index: number): string {
  return COLORS[index % COLORS.length] ?? '#000000';
}
