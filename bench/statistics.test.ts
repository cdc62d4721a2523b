import { expect, test } from 'vitest';
import { findLimit, type Measurement, toMeasurement } from './contenders/contender.ts';
import { canPin } from './processes/pinning.ts';
import { computeRatios } from './ratios.ts';
import { sampleMeasurement, sampleSummary } from './report/sample-report.ts';
import { median, middleRound, summarizeRounds } from './statistics.ts';

const rate = (operationsPerSecond: number): Measurement => ({ ...sampleMeasurement(), operationsPerSecond });

test('the median is the middle value, or the mean of the two in the middle', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([9, 1, 5, 7])).toBe(6);
  expect(median([4])).toBe(4);
  expect(median([])).toBeNaN();
});

test('a summary takes medians of figures and the sum of errors', () => {
  const rounds = [rate(100), rate(300), rate(200)].map((round, index) => ({ ...round, errors: index }));
  const summary = summarizeRounds({ key: 'claim_grpc', title: 't', side: 'ours', unit: 'claim' }, rounds);
  expect(summary.operationsPerSecond).toBe(200);
  expect(summary.errors).toBe(3);
  expect(middleRound(rounds)?.operationsPerSecond).toBe(200);
});

test('a ratio is the median of the ratios of the rounds, not the ratio of the medians', () => {
  const ratios = computeRatios([
    sampleSummary('claim_grpc', [rate(80), rate(200), rate(90)]),
    sampleSummary('echo_grpcjs', [rate(100), rate(400), rate(100)]),
  ]);
  expect(ratios['claim_grpc_throughput_vs_grpcjs_echo']).toBe(0.8);
  expect(ratios).not.toHaveProperty('claim_connect_throughput_vs_bare_http_echo');
});

test('the ratio of CPU compares what the servers used per operation', () => {
  const costs = (serverCpuUs: number): Measurement => ({ ...sampleMeasurement(), serverCpuUs });
  const ratios = computeRatios([
    sampleSummary('claim_grpc', [costs(80)]),
    sampleSummary('echo_grpcjs', [costs(64)]),
  ]);
  expect(ratios['claim_grpc_cpu_vs_grpcjs_echo']).toBe(1.25);
});

test('every ratio the product is held to has its name', () => {
  const all = sampleSummary('claim_grpc', [rate(1)]);
  const summaries = (
    [
      'claim_grpc',
      'claim_connect',
      'claim_batch',
      'claim_stream',
      'soldout_grpc',
      'echo_grpcjs',
      'echo_http',
      'echo_connect_node',
      'redis_single_script',
    ] as const
  ).map((key) => ({ ...all, key }));
  expect(Object.keys(computeRatios(summaries)).toSorted()).toEqual([
    'claim_batch_items_vs_redis_single_script',
    'claim_connect_throughput_vs_bare_http_echo',
    'claim_connect_throughput_vs_connect_node_echo',
    'claim_grpc_cpu_vs_grpcjs_echo',
    'claim_grpc_throughput_vs_grpcjs_echo',
    'claim_stream_items_vs_redis_single_script',
    'soldout_refusals_vs_claims',
  ]);
});

test('figures per operation and per second come from the window alone', () => {
  const measurement = toMeasurement({
    operations: 20_000,
    calls: 20_000,
    errors: 0,
    outcomes: { '0': 20_000 },
    measuredMs: 2_000,
    latency: sampleMeasurement().latency,
    series: [],
    cpuUs: { server: 1_500_000, redis: 200_000 },
    generatorCpuUs: 500_000,
    coreBusy: [0.875, 0.5],
    responseBytes: 100,
  });
  expect(measurement).toMatchObject({
    operationsPerSecond: 10_000,
    serverCpuUs: 75,
    behindCpuUs: { redis: 10 },
    generatorShare: 0.25,
    foreignShare: canPin ? 0.125 : 0,
    limitedBy: 'neither',
  });
});

test.each([
  [0.97, [1, 1], 'server'],
  [0.7, [0.8, 0.99], 'helpers'],
  [0.7, [0.8, 0.6], 'neither'],
] as const)('a server at %f of its core with cores at %j is limited by %s', (share, cores, limit) => {
  expect(findLimit(share, cores)).toBe(limit);
});
