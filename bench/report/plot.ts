/** Line plots as SVG text: enough for latency and throughput, without a library to load. */

/** One line of a plot. */
export interface Line {
  readonly label: string;
  readonly color: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** A mark on an axis, at a position of the data. */
export interface Tick {
  readonly at: number;
  readonly label: string;
}

/** What to draw. Values are plain; use logarithms before, where an axis is logarithmic. */
export interface Plot {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly lines: readonly Line[];
  readonly xTicks: readonly Tick[];
  readonly yTicks: readonly Tick[];
}

const WIDTH = 860;
const HEIGHT = 380;
const LEFT = 80;
const RIGHT = 20;
const TOP = 36;
const BOTTOM = 48;

interface Scale {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

/** The plot as an SVG element. */
export function renderPlot(plot: Plot): string {
  const scale = scaleOf(plot);
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(plot.title)}">`,
    `<text x="${LEFT}" y="20" class="title">${escapeHtml(plot.title)}</text>`,
    ...plot.xTicks.map((tick) => xTick(scale.x(tick.at), tick.label)),
    ...plot.yTicks.map((tick) => yTick(scale.y(tick.at), tick.label)),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escapeHtml(plot.xTitle)}</text>`,
    `<text transform="translate(16 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escapeHtml(plot.yTitle)}</text>`,
    ...plot.lines.map((line) => polyline(line, scale)),
    '</svg>',
  ].join('\n');
}

function scaleOf({ lines, xTicks, yTicks }: Plot): Scale {
  const xs = [...lines.flatMap((line) => line.points.map(([x]) => x)), ...xTicks.map(({ at }) => at)];
  const ys = [...lines.flatMap((line) => line.points.map(([, y]) => y)), ...yTicks.map(({ at }) => at)];
  return {
    x: between(xs, LEFT, WIDTH - RIGHT),
    y: between(ys, HEIGHT - BOTTOM, TOP),
  };
}

/** Maps the range of the values to a range of pixels; a range of one value lands in the middle. */
function between(values: readonly number[], from: number, to: number): (value: number) => number {
  const low = values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  return (value) => (high === low ? (from + to) / 2 : from + ((value - low) / (high - low)) * (to - from));
}

function polyline({ label, color, points }: Line, scale: Scale): string {
  const path = points.map(([x, y]) => `${scale.x(x).toFixed(1)},${scale.y(y).toFixed(1)}`).join(' ');
  return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"><title>${escapeHtml(label)}</title></polyline>`;
}

function xTick(x: number, label: string): string {
  return `<line x1="${x}" x2="${x}" y1="${TOP}" y2="${HEIGHT - BOTTOM}" class="grid"/><text x="${x}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${escapeHtml(label)}</text>`;
}

function yTick(y: number, label: string): string {
  return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" class="grid"/><text x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${escapeHtml(label)}</text>`;
}

/** Text that is safe between tags and in attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
