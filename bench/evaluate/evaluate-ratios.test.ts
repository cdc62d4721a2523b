import { expect, test } from 'vitest';
import type { EngineKey } from '../core/engines/engine.ts';
import { requireEqual } from './check-agreement.ts';
import type { CorePoint } from './core-rounds.ts';
import { combineRatios, coreRatios } from './evaluate-ratios.ts';

function point(engine: EngineKey, idle: number, ...p50s: readonly number[]): CorePoint {
  const rounds = p50s.map((p50Us) => ({ calls: 1, p50Us, p99Us: p50Us, loadMs: 1 }));
  const [first] = p50s;
  return { engine, idle, lines: 20, p50Us: first ?? 0, p99Us: 0, loadMs: 1, rounds };
}

test('a ratio is the median of the ratios of the rounds, so a slow round of both sides cancels out', () => {
  const points = [
    point('ours', 10, 5, 50, 5),
    point('ours', 1_000, 10, 100, 10),
    point('ours', 10_000, 10, 100, 10),
    point('ours_matching', 1_000, 5, 50, 5),
    point('ours', 100_000, 10, 100, 10),
    point('zen_engine', 1_000, 1_000, 10_000, 2_000),
    point('json_rules_engine', 1_000, 20_000, 200_000, 20_000),
    point('plain_loop', 10_000, 300, 3_000, 300),
  ];
  expect(coreRatios(points)).toEqual({
    evaluate_core_us_p50: 10,
    evaluate_core_growth_10_to_100000: 2,
    evaluate_core_vs_json_rules_engine: 4_000,
    evaluate_whole_vs_json_rules_engine: 2_000,
    evaluate_core_vs_zen_engine: 200,
    evaluate_whole_vs_zen_engine: 100,
    evaluate_core_vs_plain_loop_10000: 30,
  });
});

test('what was not measured has no figure, so its bar is missed', () => {
  expect(coreRatios([point('ours', 10, 5)])).toEqual({});
  expect(combineRatios([])).toEqual({});
});

test('the combiner is held to its worst number of coupons per order', () => {
  const wallet = { coupons: 20, p99Us: 0, appliedPerOrder: 1 };
  expect(
    combineRatios([
      { ...wallet, couponsPerOrder: 1, p50Us: 100, provenShare: 1 },
      { ...wallet, couponsPerOrder: 3, p50Us: 700, provenShare: 0.9 },
      { ...wallet, coupons: 50, couponsPerOrder: 3, p50Us: 9_000, provenShare: 0.1 },
    ]),
  ).toEqual({ evaluate_combine_20_ms_p50: 0.7, evaluate_combine_20_proven_share: 0.9 });
});

test('an engine that differs about one cart stops the run, and one that finds nothing too', () => {
  const expected = [['a', 'b'], ['a']];
  expect(() => requireEqual('zen', 10, expected, expected)).not.toThrow();
  expect(() =>
    requireEqual(
      'zen',
      10,
      [
        ['a', 'b'],
        ['a', 'c'],
      ],
      expected,
    ),
  ).toThrow(/cart 1: misses ; has too many c/);
  expect(() => requireEqual('zen', 10, [['a', 'b']], expected)).toThrow(/cart 1: misses a/);
  expect(() => requireEqual('zen', 10, [[]], [[]])).toThrow(/cart 0/);
});
