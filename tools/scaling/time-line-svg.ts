/** Panels of lines over one time axis, one below the other, as a file of SVG that needs nothing else. */
import { escapeHtml } from '../../bench/report/plot.ts';

/** One line. */
export interface TimeLine {
  readonly label: string;
  readonly color: string;
  readonly isDashed?: boolean;
  readonly points: readonly (readonly [second: number, value: number])[];
}

/** One of the plots, all of which share the time axis. */
export interface Panel {
  readonly title: string;
  readonly lines: readonly TimeLine[];
}

/** What to draw. */
export interface TimePlot {
  readonly title: string;
  readonly lengthSeconds: number;
  /** Minute of the day of second 0, for the axis. */
  readonly startMinute: number;
  readonly panels: readonly Panel[];
}

const WIDTH = 860;
const LEFT = 70;
const RIGHT = 16;
const TITLE_HEIGHT = 30;
const PANEL_HEIGHT = 190;
const PANEL_TOP = 38;
const PANEL_BOTTOM = 24;
const X_TICKS = 9;
const Y_TICKS = 4;
const STYLE =
  'text{font:12px sans-serif;fill:#24292f}.t{font-weight:bold;font-size:14px}.g{stroke:#d0d7de}.l{fill:none;stroke-width:2}';

/** The plot as the text of a file. */
export function renderTimePlot(plot: TimePlot): string {
  const height = TITLE_HEIGHT + plot.panels.length * PANEL_HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(plot.title)}">`,
    `<style>${STYLE}</style>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="${LEFT}" y="20" class="t">${escapeHtml(plot.title)}</text>`,
    ...plot.panels.map((panel, index) => renderPanel(panel, plot, TITLE_HEIGHT + index * PANEL_HEIGHT)),
    '</svg>',
    '',
  ].join('\n');
}

function renderPanel(panel: Panel, plot: TimePlot, top: number): string {
  const highest = roundUp(
    Math.max(1, ...panel.lines.flatMap(({ points }) => points.map(([, value]) => value))),
  );
  const bottom = top + PANEL_HEIGHT - PANEL_BOTTOM;
  const x = (second: number): number => LEFT + (second / plot.lengthSeconds) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => bottom - (value / highest) * (bottom - top - PANEL_TOP);
  return [
    `<text x="${LEFT}" y="${top + 14}">${escapeHtml(panel.title)}</text>`,
    legend(panel.lines, top + 30),
    ...ticks(Y_TICKS, highest).map((value) => yTick(y(value), formatValue(value))),
    ...ticks(X_TICKS, plot.lengthSeconds).map((second) => xTick(x(second), bottom, timeOfDay(plot, second))),
    ...panel.lines.map((line) => path(line, x, y)),
  ].join('\n');
}

function legend(lines: readonly TimeLine[], y: number): string {
  const step = (WIDTH - LEFT - RIGHT) / Math.max(1, lines.length);
  return lines
    .map(({ label, color, isDashed }, index) => {
      const x = LEFT + index * step;
      return `<path d="M${x.toFixed(0)} ${y - 4}h20" class="l" stroke="${color}"${dash(isDashed)}/><text x="${(x + 26).toFixed(0)}" y="${y}">${escapeHtml(label)}</text>`;
    })
    .join('');
}

function path(
  { color, isDashed, points }: TimeLine,
  x: (s: number) => number,
  y: (v: number) => number,
): string {
  const corners = withoutRepeats(
    points.map(([second, value]) => [x(second).toFixed(1), y(value).toFixed(1)]),
  );
  return `<polyline class="l" stroke="${color}"${dash(isDashed)} points="${corners.map((corner) => corner.join(',')).join(' ')}"/>`;
}

/** Of a stretch at one height only its ends are drawn. */
function withoutRepeats(corners: readonly (readonly [string, string] | string[])[]): (readonly string[])[] {
  return corners.filter(
    ([, height], index) => corners[index - 1]?.[1] !== height || corners[index + 1]?.[1] !== height,
  );
}

function dash(isDashed: boolean | undefined): string {
  return isDashed === true ? ' stroke-dasharray="6 4"' : '';
}

function ticks(count: number, highest: number): number[] {
  return Array.from({ length: count + 1 }, (_, index) => (highest * index) / count);
}

function yTick(y: number, label: string): string {
  return `<path d="M${LEFT} ${y.toFixed(1)}H${WIDTH - RIGHT}" class="g"/><text x="${LEFT - 6}" y="${(y + 4).toFixed(1)}" text-anchor="end">${label}</text>`;
}

function xTick(x: number, bottom: number, label: string): string {
  return `<text x="${x.toFixed(1)}" y="${bottom + 16}" text-anchor="middle">${label}</text>`;
}

function timeOfDay({ startMinute }: TimePlot, second: number): string {
  const minute = Math.round(startMinute + second / 60) % 1_440;
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
}

/** The next 1, 2, 4, 6 or 8 of the same magnitude, so that quarters of it are short numbers. */
function roundUp(value: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(value));
  const digit = [1, 2, 4, 6, 8, 10].find((candidate) => candidate * magnitude >= value) ?? 10;
  return digit * magnitude;
}

function formatValue(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}
