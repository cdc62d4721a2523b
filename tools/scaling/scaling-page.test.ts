/** What docs/scaling.md shows is what the rules in k8s/ and the measured figures give today. SPEC C7 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scalingFiles } from './scaling-page.ts';
import { renderTimePlot, type TimePlot } from './time-line-svg.ts';

const ROOT = join(import.meta.dirname, '../..');
const PLOT: TimePlot = {
  title: 'a < b & "c"',
  lengthSeconds: 60,
  startMinute: 1_439,
  panels: [
    {
      title: 'pods',
      lines: [
        { label: 'one', color: '#000', points: [0, 20, 40, 60].map((second) => [second, second / 20]) },
      ],
    },
  ],
};

test.each([...scalingFiles()])('%s is as it would be generated', (path, content) => {
  expect(readFileSync(join(ROOT, path), 'utf8')).toBe(content);
});

describe('a plot', () => {
  const svg = renderTimePlot(PLOT);

  test('escapes what people write', () => {
    expect(svg).toContain('a &lt; b &amp; &quot;c&quot;');
    expect(svg).not.toContain('a < b');
  });

  test('goes past midnight on its axis', () => {
    expect(svg).toContain('>23:59<');
    expect(svg).toContain('>00:00<');
  });

  test('keeps every point inside its frame, the highest at the top', () => {
    const [, points = ''] = /points="([^"]+)"/.exec(svg) ?? [];
    const corners = points.split(' ').map((corner) => corner.split(',').map(Number));
    expect(corners).toHaveLength(4);
    for (const [x = -1, y = -1] of corners) {
      expect(x).toBeGreaterThanOrEqual(70);
      expect(x).toBeLessThanOrEqual(844);
      expect(y).toBeGreaterThan(30);
      expect(y).toBeLessThan(220);
    }
    const heights = corners.map(([, y = 0]) => y);
    expect(heights).toEqual(heights.toSorted((a, b) => b - a));
  });
});
