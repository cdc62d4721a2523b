import { expect, test } from 'vitest';
import type { BenchCommand } from './options.ts';
import { allPassed, barsOf, describeOutcome, judge, readThresholds, type Thresholds } from './thresholds.ts';

const BARS: Thresholds = {
  fast: { min: 0.8, aim: 0.95, kind: 'speed', commands: ['claim'] },
  late: { max: 1000, kind: 'speed', commands: ['claim'] },
  wins: { equals: 10_000, kind: 'truth', commands: ['claim'] },
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
    'evaluate_combine_20_ms_p50',
    'evaluate_combine_20_proven_share',
    'evaluate_core_growth_10_to_100000',
    'evaluate_core_us_p50',
    'evaluate_core_vs_json_rules_engine',
    'evaluate_core_vs_plain_loop_10000',
    'evaluate_core_vs_zen_engine',
    'evaluate_grpc_throughput_vs_grpcjs_echo',
    'evaluate_light_p99_beside_heavy',
    'flashsale_duplicates',
    'flashsale_oversold',
    'flashsale_wins',
    'flush_lag_p99_ms',
    'leases_throughput_vs_unlimited',
    'overload_goodput_vs_peak',
    'redis_bytes_per_coupon',
    'reserve_commit_pairs_vs_claims',
    'soldout_refusals_vs_claims',
    'wallet_read_vs_grpcjs_echo',
  ]);
});

test('a run is held to the bars of its own command only', () => {
  const thresholds = readThresholds();
  const run = (command: BenchCommand) => ({ command, topology: 'single' }) as const;
  const isAbout = (word: string) => (name: string) => name.startsWith(word);
  expect(barsOf(thresholds, run('flush'))).toEqual(['flush_lag_p99_ms', 'audit_exit_code']);
  expect(barsOf(thresholds, run('claim')).filter(isAbout('evaluate'))).toEqual([]);
  expect(barsOf(thresholds, run('evaluate')).filter((name) => !isAbout('evaluate')(name))).toEqual([
    'errors',
  ]);
  const cluster = barsOf(thresholds, { command: 'claim', topology: 'cluster' });
  expect(cluster).toEqual(['leases_throughput_vs_unlimited', 'errors', 'audit_exit_code']);
  expect(
    new Set([...barsOf(thresholds, run('all')), ...barsOf(thresholds, run('overload')), ...cluster]),
  ).toEqual(new Set(Object.keys(thresholds)));
});
