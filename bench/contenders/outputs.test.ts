import { expect, test } from 'vitest';
import { readH2load } from './generator-check.ts';
import { readRedisBenchmark } from './redis-benchmark-output.ts';

const OUTPUT = `EVALSHA x: rps=0.0 (overall: 0.0) avg_msec=-nan\r EVALSHA x: rps=20500.0 (overall: 20400.0) avg_msec=1.9\r
====== EVALSHA x ======
  40000 requests completed in 2.00 seconds
  50 parallel clients

Latency by percentile distribution:
0.000% <= 0.311 milliseconds (cumulative count 1)
50.000% <= 2.103 milliseconds (cumulative count 20100)
98.438% <= 4.000 milliseconds (cumulative count 39380)
99.219% <= 5.103 milliseconds (cumulative count 39700)
99.902% <= 9.503 milliseconds (cumulative count 39961)
100.000% <= 11.007 milliseconds (cumulative count 40000)

Cumulative distribution of latencies:
0.000% <= 0.103 milliseconds (cumulative count 0)
100.000% <= 12.103 milliseconds (cumulative count 40000)
`;

test('redis-benchmark: rate, percentiles and the rate over time', () => {
  const figures = readRedisBenchmark(OUTPUT);
  expect(figures).toMatchObject({ requests: 40_000, seconds: 2, series: [20_500] });
  expect(figures.latency).toMatchObject({ p50Us: 2_103, p99Us: 5_103, p999Us: 9_503, maxUs: 11_007 });
  expect(figures.latency.curve).toHaveLength(6);
});

test('output of another form is an error, not a figure', () => {
  expect(() => readRedisBenchmark('Error from server: NOSCRIPT')).toThrow(/NOSCRIPT/);
  expect(() => readH2load('could not connect')).toThrow(/could not connect/);
});

test('h2load: the rate', () => {
  expect(readH2load('finished in 5.00s, 14040.25 req/s, 2.13MB/s\nrequests: 1')).toBe(14_040.25);
});
