/** A made-up report for the tests of tables, pages and ratios. */
import type { ContenderKey, Measurement } from '../contenders/contender.ts';
import { type ContenderSummary, summarizeRounds } from '../statistics.ts';
import type { Report } from './report.ts';

/** The figures of one measurement. */
export function sampleMeasurement(): Measurement {
  return {
    operationsPerSecond: 12_500,
    operations: 25_000,
    errors: 0,
    latency: {
      p50Us: 2_000,
      p99Us: 9_500,
      p999Us: 20_000,
      maxUs: 31_000,
      curve: [
        [0, 400],
        [50, 2_000],
        [99, 9_500],
        [100, 31_000],
      ],
    },
    serverCpuUs: 78.5,
    behindCpuUs: { redis: 8.25 },
    generatorShare: 0.2,
    foreignShare: 0,
    limitedBy: 'server',
    series: [12_000, 12_400, 13_000],
    responseBytes: 130,
    outcomes: { '0': 25_000 },
  };
}

/** A contender with these rounds. */
export function sampleSummary(key: ContenderKey, rounds: readonly Measurement[]): ContenderSummary {
  return summarizeRounds({ key, title: `row of ${key}`, side: 'ours', unit: 'claim' }, rounds);
}

/** A whole report with one contender, one bar cleared and one missed. */
export function sampleReport(): Report {
  return {
    command: 'claim',
    startedAt: '2026-01-02T03:04:05.000Z',
    machine: { cpu: 'Fast <1>', cores: 2, memoryGigabytes: 8, system: 'linux', node: 'v26', redis: '7.0.15' },
    settings: { rounds: 1, appendfsync: 'always' },
    contenders: [sampleSummary('claim_grpc', [sampleMeasurement()])],
    ratios: { fast: 0.9 },
    thresholds: [
      { name: 'fast', value: 0.9, bar: '≥ 0.8', aim: 0.95, passed: true, held: true },
      { name: 'wins', value: 9_999, bar: '= 10000', passed: false, held: true },
    ],
    warnings: ['the machine was busy'],
    passed: false,
  };
}
