import { expect, test } from 'vitest';
import { parseMetrics, quantile, readBuckets, subtractBuckets } from './metrics-page.ts';

const PAGE = `# HELP lag_seconds Lag.
# TYPE lag_seconds histogram
lag_seconds_bucket{le="0.1"} 50
lag_seconds_bucket{le="+Inf"} 101
lag_seconds_bucket{le="0.5"} 100
lag_seconds_sum 12.5
lag_seconds_count 101
other{kind="a",name="b"} 3
`;

test('samples are read with labels and values, comments are not', () => {
  const samples = parseMetrics(PAGE);
  expect(samples).toHaveLength(6);
  expect(samples.at(-1)).toEqual({ name: 'other', labels: { kind: 'a', name: 'b' }, value: 3 });
});

test('buckets come in order of their bounds', () => {
  expect(readBuckets(parseMetrics(PAGE), 'lag_seconds')).toEqual([
    [0.1, 50],
    [0.5, 100],
    [Number.POSITIVE_INFINITY, 101],
  ]);
});

test('a quantile is interpolated inside its bucket', () => {
  const buckets = [
    [0.1, 50],
    [0.5, 100],
    [Number.POSITIVE_INFINITY, 100],
  ] as const;
  expect(quantile(buckets, 0.5)).toBeCloseTo(0.1);
  expect(quantile(buckets, 0.75)).toBeCloseTo(0.3);
  expect(quantile(buckets, 1)).toBeCloseTo(0.5);
});

test('what lies above the last bound is at least that bound, and nothing has no quantile', () => {
  expect(
    quantile(
      [
        [0.1, 1],
        [Number.POSITIVE_INFINITY, 100],
      ],
      0.99,
    ),
  ).toBe(0.1);
  expect(
    quantile(
      [
        [0.1, 0],
        [Number.POSITIVE_INFINITY, 0],
      ],
      0.99,
    ),
  ).toBeNaN();
  expect(quantile([], 0.99)).toBeNaN();
});

test('only what was counted between two readings remains', () => {
  const before = [
    [0.1, 10],
    [Number.POSITIVE_INFINITY, 12],
  ] as const;
  const after = [
    [0.1, 15],
    [Number.POSITIVE_INFINITY, 30],
  ] as const;
  expect(subtractBuckets(after, before)).toEqual([
    [0.1, 5],
    [Number.POSITIVE_INFINITY, 18],
  ]);
});
