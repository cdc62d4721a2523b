/** A made-up report for the tests of tables, pages and ratios. */
import type { ContenderKey, Measurement } from '../contenders/contender.ts';
import type { EvaluateResult } from '../evaluate/evaluate-result.ts';
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

/** What a run of evaluations adds to it. */
export function sampleEvaluate(): EvaluateResult {
  const round = { calls: 1_000, p50Us: 12.5, p99Us: 40, loadMs: 90 };
  return {
    answersCompared: 672,
    core: [
      { engine: 'ours', idle: 10_000, lines: 20, ...round, rounds: [round] },
      { engine: 'zen_engine', idle: 1_000, lines: 20, ...round, p50Us: 1_100, rounds: [round] },
    ],
    combine: [
      { coupons: 20, couponsPerOrder: 3, p50Us: 410, p99Us: 900, provenShare: 1, appliedPerOrder: 2.9 },
    ],
    beside: {
      lightPerSecond: 2_000,
      heavyPerSecond: 4,
      aloneP99Us: 2_000,
      besideHeavyP99Us: 4_000,
      duringChangesP99Us: 2_100,
      heavyP99Us: 60_000,
      besideHeavyRatio: 2,
      duringChangesRatio: 1.05,
      changes: 80,
      foreignShare: 0.02,
      errors: 0,
    },
    ratios: { evaluate_core_us_p50: 12.5 },
  };
}
