/** The drawings of the page: bands of time, one above the other, on one axis. */
import { escapeHtml } from '../../../bench/report/plot.ts';

const WIDTH = 1_100;
const LEFT = 90;
const RIGHT = 12;
const BAND_TITLE_HEIGHT = 18;

/** A stretch of time, and how to draw it. */
export interface Axis {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A line through values; gaps where there are none. */
export interface Curve {
  readonly name: string;
  /** Class in the style sheet; also of its key. */
  readonly style: string;
  readonly points: readonly { readonly atMs: number; readonly value: number | undefined }[];
}

/** A bar from one moment to another. */
export interface Bar {
  readonly label: string;
  readonly note: string;
  readonly style: string;
  readonly fromMs: number;
  readonly toMs: number;
}

function place(axis: Axis, atMs: number): number {
  const share = (atMs - axis.fromMs) / Math.max(1, axis.toMs - axis.fromMs);
  return LEFT + Math.min(1, Math.max(0, share)) * (WIDTH - LEFT - RIGHT);
}

/** A band with curves over one scale, and grey where `shades` are. */
export function curveBand(
  axis: Axis,
  title: string,
  unit: string,
  curves: readonly Curve[],
  shades: readonly Bar[],
): string {
  const height = 110;
  const top = BAND_TITLE_HEIGHT;
  const most = Math.max(1, ...curves.flatMap(({ points }) => points.map(({ value }) => value ?? 0)));
  const scale = (value: number): number => top + (height - top - 4) * (1 - value / most);
  const lines = curves.map(({ style, points }) => {
    const path = pathOf(points.map(({ atMs, value }) => [place(axis, atMs), value && scale(value)]));
    return `<path class="curve ${style}" d="${path}"/>`;
  });
  const keys = curves
    .map(({ name, style }) => `<tspan class="key ${style}">■</tspan> ${escapeHtml(name)}`)
    .join('  ');
  const grey = shades.map((shade) => rectangle(axis, shade, top, height - top - 4)).join('');
  return svg(
    height,
    `${grey}<text x="${LEFT}" y="12"><tspan class="title">${escapeHtml(title)}</tspan>  ${keys}</text>
<text class="scale" x="${LEFT - 6}" y="${top + 10}">${format(most)} ${unit}</text>
<text class="scale" x="${LEFT - 6}" y="${height - 5}">0</text>
<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${height - 4}" y2="${height - 4}"/>${lines.join('')}`,
  );
}

function pathOf(points: readonly (readonly [number, number | undefined])[]): string {
  let isDown = false;
  return points
    .map(([x, y]) => {
      if (y === undefined || Number.isNaN(y)) {
        isDown = false;
        return '';
      }
      const step = `${isDown ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
      isDown = true;
      return step;
    })
    .join('');
}

function rectangle(axis: Axis, { fromMs, toMs, style, label, note }: Bar, y: number, height: number): string {
  const x = place(axis, fromMs);
  const width = Math.max(2, place(axis, toMs) - x);
  const tip = `<title>${escapeHtml(`${label}: ${note}`)}</title>`;
  return `<rect class="${style}" x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${height}">${tip}</rect>`;
}

/** One row per label, with its bars. */
export function barBand(axis: Axis, title: string, bars: readonly Bar[]): string {
  const rows = [...new Set(bars.map(({ label }) => label))].toSorted((left, right) =>
    left.localeCompare(right, 'en', { numeric: true }),
  );
  const rowHeight = 16;
  const drawn = rows.map((row, index) => {
    const y = BAND_TITLE_HEIGHT + index * rowHeight;
    const own = bars
      .filter(({ label }) => label === row)
      .map((bar) => rectangle(axis, bar, y + 2, rowHeight - 4));
    return `<text class="scale" x="${LEFT - 6}" y="${y + 12}">${escapeHtml(row)}</text>
<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y + 8}" y2="${y + 8}"/>${own.join('')}`;
  });
  const text = `<text x="${LEFT}" y="12"><tspan class="title">${escapeHtml(title)}</tspan></text>`;
  return svg(BAND_TITLE_HEIGHT + rows.length * rowHeight + 4, text + drawn.join(''));
}

/** Seconds since the start. */
export function timeAxis(axis: Axis): string {
  const seconds = (axis.toMs - axis.fromMs) / 1_000;
  const step =
    [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600].find((each) => seconds / each <= 14) ?? 7_200;
  const marks = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step);
  const texts = marks.map((mark) => {
    const x = place(axis, axis.fromMs + mark * 1_000);
    return `<text class="mark" x="${x.toFixed(1)}" y="12">${mark} s</text>`;
  });
  return svg(16, texts.join(''));
}

function svg(height: number, content: string): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img">${content}</svg>`;
}

function format(value: number): string {
  return value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}
