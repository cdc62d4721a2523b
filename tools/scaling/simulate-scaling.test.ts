/** The model of pods under load: calls are counted once, pods come in time, and more of anything never hurts. SPEC C7 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deployedRules } from './deployed-rules.ts';
import { FLASH_SALE, type LoadCurve, SURPRISE } from './load-curves.ts';
import type { ScalingRules } from './scaling-rules.ts';
import { callCost, type Measured } from './service-costs.ts';
import { type ScalingOutcome, type Surroundings, simulateScaling } from './simulate-scaling.ts';

const MEASURED: Measured = {
  source: 'a test',
  claimMainMicros: 80,
  claimOtherMicros: 15,
  evaluationMainMicros: 70,
  evaluationOtherMicros: 70,
  overloadGoodput: 0.9,
  peakMemoryMegabytes: 400,
  calmMillis: 5,
  coldStartMillis: [2_000],
  cachedStartMillis: [1_000],
};
const SURROUNDINGS: Surroundings = {
  podStartSeconds: 5,
  leastLagSeconds: 0,
  connectionSeconds: 0,
  admission: { alwaysAdmitted: 512, maxInFlight: 20_000, targetLatencySeconds: 0.4 },
};
const PROD = deployedRules('prod');
const ADAPTER = deployedRules('adapter');

function steady(callsPerSecond: number): LoadCurve {
  return { ...SURPRISE, lengthSeconds: 900, callsPerSecond: () => callsPerSecond };
}

function run(rules: ScalingRules, load: LoadCurve, around: Partial<Surroundings> = {}): ScalingOutcome {
  return simulateScaling(rules, load, callCost(MEASURED, load.evaluationShare), {
    ...SURROUNDINGS,
    ...around,
  });
}

describe('a steady load', () => {
  test('that fits is answered by as few pods as there may be, at once', () => {
    const outcome = run(PROD, steady(1_000));
    expect(outcome).toMatchObject({ refused: 0, late: 0, maxReplicas: PROD.minReplicas });
    expect(outcome.calls).toBeCloseTo(900_000, 0);
  });

  test('that is too much for all the pods there may be is answered as far as it can be', () => {
    const rules = { ...ADAPTER, minReplicas: 3, maxReplicas: 6 };
    const outcome = run(rules, steady(120_000));
    expect(outcome.maxReplicas).toBe(6);
    expect(outcome.refused / outcome.calls).toBeGreaterThan(0.3);
    expect(outcome.maxWaitSeconds).toBeLessThan(0.5);
  });

  test('settles at what the autoscaler aims at', () => {
    const { samples } = run(ADAPTER, steady(60_000));
    const last = samples.at(-1);
    const use = 60_000 / (last?.capacityPerSecond ?? 1);
    expect(last?.refusedPerSecond).toBe(0);
    expect(use).toBeLessThan(0.8);
    expect(use).toBeGreaterThan(0.3);
  });
});

test('the clock of KEDA has the pods there before the first call of an announced sale', () => {
  const keda = deployedRules('keda');
  const before = run(keda, FLASH_SALE).samples.find(({ callsPerSecond }) => callsPerSecond > 6_000);
  expect(before?.readyReplicas).toBe(keda.schedules[0]?.replicas);
  expect(
    run(keda, SURPRISE).samples.find(({ callsPerSecond }) => callsPerSecond > 6_000)?.readyReplicas,
  ).toBeLessThan(keda.schedules[0]?.replicas ?? 0);
});

test('later figures, slower pods and connections that stay where they are cost calls', () => {
  const usual = run(ADAPTER, SURPRISE).refused;
  expect(run(ADAPTER, SURPRISE, { leastLagSeconds: 60 }).refused).toBeGreaterThan(usual);
  expect(run(ADAPTER, SURPRISE, { podStartSeconds: 90 }).refused).toBeGreaterThan(usual);
  expect(run(ADAPTER, SURPRISE, { connectionSeconds: 300 }).refused).toBeGreaterThan(usual);
});

test('whatever the load and the rules: pods within their bounds, calls answered or refused and no more, the same every time', () => {
  const shape = fc.record({
    minReplicas: fc.integer({ min: 1, max: 10 }),
    more: fc.integer({ min: 0, max: 30 }),
    calls: fc.integer({ min: 0, max: 300_000 }),
    percent: fc.integer({ min: 10, max: 100 }),
  });
  fc.assert(
    fc.property(shape, ({ minReplicas, more, calls, percent }) => {
      const metrics = PROD.metrics.map((metric) => ({ ...metric, target: percent / 100 }));
      const rules = { ...PROD, minReplicas, maxReplicas: minReplicas + more, metrics };
      const load = { ...steady(calls), lengthSeconds: 300 };
      const outcome = run(rules, load);
      expect(outcome.maxReplicas).toBeLessThanOrEqual(rules.maxReplicas);
      expect(Math.min(...outcome.samples.map(({ replicas }) => replicas))).toBeGreaterThanOrEqual(
        minReplicas,
      );
      expect(outcome.refused).toBeLessThanOrEqual(outcome.calls + 1e-6);
      expect(run(rules, load)).toEqual(outcome);
    }),
    { numRuns: 25 },
  );
});

test('more pods from the start never refuse more', () => {
  const refused = [3, 6, 12, 24].map((minReplicas) => run({ ...PROD, minReplicas }, SURPRISE).refused);
  expect(refused).toEqual(refused.toSorted((a, b) => b - a));
});
