/** The plot of evaluations: cost by number of promotions, one line per cart size and engine. */
import type { CorePoint } from '../evaluate/core-rounds.ts';
import { renderPlot, type Tick } from './plot.ts';
import { colorOf } from './plots.ts';

const COST_TICKS_US = [1, 10, 100, 1_000, 10_000, 100_000];

/** Both axes logarithmic: sizes and engines are apart by factors. */
export function corePlot(points: readonly CorePoint[]): string {
  const lines = Map.groupBy(points, ({ engine, lines }) => `${engine}, ${lines} lines`);
  return renderPlot({
    title: 'Cost of an evaluation by idle promotions, p50 (hover over a line for its name)',
    xTitle: 'idle promotions',
    yTitle: 'µs',
    lines: [...lines].map(([label, all], index) => ({
      label,
      color: colorOf(index),
      points: all.map(({ idle, p50Us }) => [Math.log10(idle), Math.log10(p50Us)] as const),
    })),
    xTicks: [...new Set(points.map(({ idle }) => idle))].map(logTick),
    yTicks: COST_TICKS_US.map(logTick),
  });
}

function logTick(value: number): Tick {
  return { at: Math.log10(value), label: value.toLocaleString('en-US') };
}
