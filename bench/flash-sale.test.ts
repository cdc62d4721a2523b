import { expect, test } from 'vitest';
import { summarizeSale } from './flash-sale.ts';
import type { LoadResult } from './load/job.ts';
import { userOfSerial } from './load/template.ts';
import { sampleMeasurement } from './report/sample-report.ts';

const result = (winners: number[], outcomes: Record<string, number>): LoadResult => ({
  operations: winners.length,
  calls: Object.values(outcomes).reduce((sum, count) => sum + count, 0),
  errors: 0,
  outcomes,
  measuredMs: 1_000,
  latency: sampleMeasurement().latency,
  series: [],
  cpuUs: {},
  generatorCpuUs: 0,
  coreBusy: [],
  responseBytes: 0,
  winners,
});

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

// SPEC C2
test('a clean sale: the stock is gone, nobody has two, everybody has an answer', () => {
  const results = [
    result(range(0, 6_000), { '0': 6_000, '9': 94_000 }),
    result(range(6_000, 10_000), { '200': 4_000, '400': 96_000 }),
  ];
  expect(summarizeSale(results, { issued: 10_000, archived: 10_000 }, 10)).toMatchObject({
    wins: 10_000,
    oversold: 0,
    duplicates: 0,
    unanswered: 0,
    claimsPerSecond: 20_000,
  });
});

test('an oversold sale shows whoever counted it', () => {
  const results = [result(range(0, 10_003), { '0': 10_003, '9': 189_997 })];
  expect(summarizeSale(results, { issued: 10_000, archived: 10_000 }, 1).oversold).toBe(3);
  expect(summarizeSale([], { issued: 10_002, archived: 10_000 }, 1).oversold).toBe(2);
  expect(summarizeSale([], { issued: 10_000, archived: 10_001 }, 1).oversold).toBe(1);
});

test('a user who won by both protocols is a duplicate', () => {
  const results = [result([1, 2, 3], { '0': 3 }), result([3, 4], { '200': 2 })];
  expect(summarizeSale(results, { issued: 5, archived: undefined }, 1).duplicates).toBe(1);
});

test('timeouts and broken connections are claims without an answer', () => {
  const results = [result([], { '9': 199_990, '14': 6, 'connection closed': 4 })];
  expect(summarizeSale(results, { issued: 0, archived: 0 }, 1).unanswered).toBe(10);
});

test('every user of the sale comes up equally often', () => {
  const seen = new Map<number, number>();
  for (let serial = 0; serial < 200_000; serial += 1) {
    const user = userOfSerial(serial, { firstSerial: 0, users: 100_000 });
    seen.set(user, (seen.get(user) ?? 0) + 1);
  }
  expect(seen.size).toBe(100_000);
  expect(new Set(seen.values())).toEqual(new Set([2]));
});
