import { expect, test } from 'vitest';
import { allPassed, describeOutcome, judge, readThresholds, type Thresholds } from './thresholds.ts';

const BARS: Thresholds = {
  fast: { min: 0.8, aim: 0.95, kind: 'speed' },
  late: { max: 1000, kind: 'speed' },
  wins: { equals: 10_000, kind: 'truth' },
};

const judgeAll = (ratios: Record<string, number>, quick = false) =>
  judge(BARS, ratios, Object.keys(BARS), quick);

test('a figure on its bar clears it, beyond it misses', () => {
  expect(judgeAll({ fast: 0.8, late: 1000, wins: 10_000 }).map(({ passed }) => passed)).toEqual([
    true,
    true,
    true,
  ]);
  expect(judgeAll({ fast: 0.79, late: 1001, wins: 9_999 }).map(({ passed }) => passed)).toEqual([
    false,
    false,
    false,
  ]);
});

test('a figure that was not measured misses its bar', () => {
  const verdicts = judgeAll({});
  expect(verdicts.every(({ passed }) => passed)).toBe(false);
  expect(verdicts.map(({ value }) => value)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  expect(allPassed(verdicts)).toBe(false);
});

test('a short run is held to what is true, not to what is fast', () => {
  expect(allPassed(judgeAll({ fast: 0.1, late: 9_000, wins: 10_000 }, true))).toBe(true);
  expect(allPassed(judgeAll({ fast: 1, late: 1, wins: 10_001 }, true))).toBe(false);
  expect(describeOutcome(judgeAll({ fast: 0.1, late: 9_000, wins: 10_000 }, true))).toMatch(
    /others were not$/,
  );
  expect(describeOutcome(judgeAll({ fast: 1, late: 1, wins: 10_000 }, true))).toBe('every bar was cleared');
});

test('the file holds every bar of the product', () => {
  expect(Object.keys(readThresholds()).toSorted()).toEqual([
    'audit_exit_code',
    'claim_batch_items_vs_redis_single_script',
    'claim_connect_throughput_vs_bare_http_echo',
    'claim_connect_throughput_vs_connect_node_echo',
    'claim_grpc_cpu_vs_grpcjs_echo',
    'claim_grpc_throughput_vs_grpcjs_echo',
    'errors',
    'flashsale_duplicates',
    'flashsale_oversold',
    'flashsale_wins',
    'flush_lag_p99_ms',
    'soldout_refusals_vs_claims',
  ]);
});
