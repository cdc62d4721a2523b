/** The figures evaluations are held to, from what was measured. */
import type { EngineKey } from '../core/engines/engine.ts';
import type { Ratios } from '../ratios.ts';
import { median } from '../statistics.ts';
import type { BesideResult } from './beside-heavy.ts';
import type { CombinePoint } from './combine-rounds.ts';
import { COMPARED_IDLE, COMPARED_LINES, type CorePoint, LOOP_IDLE } from './core-rounds.ts';

/** The smallest and the largest rule set. */
const SMALLEST = 10;
const LARGEST = 100_000;

/** Wallets of this size have a bar. */
const BARRED_COUPONS = 20;

/** Ratios between engines and sizes: medians of the ratios of the rounds. Figures that were not measured are left out. */
export function coreRatios(points: readonly CorePoint[]): Ratios {
  const find = (engine: EngineKey, idle: number): CorePoint | undefined =>
    points.find((point) => point.engine === engine && point.idle === idle && point.lines === COMPARED_LINES);
  const usual = find('ours', LOOP_IDLE);
  return {
    ...(usual === undefined ? {} : { evaluate_core_us_p50: usual.p50Us }),
    ...ratio('evaluate_core_growth_10_to_100000', find('ours', LARGEST), find('ours', SMALLEST)),
    ...comparison('json_rules_engine', find),
    ...comparison('zen_engine', find),
    ...ratio('evaluate_core_vs_plain_loop_10000', find('plain_loop', LOOP_IDLE), usual),
  };
}

/** Against an engine that only matches: with the same question, and with all that ours answers beside it. */
function comparison(
  engine: 'json_rules_engine' | 'zen_engine',
  find: (engine: EngineKey, idle: number) => CorePoint | undefined,
): Ratios {
  const theirs = find(engine, COMPARED_IDLE);
  return {
    ...ratio(`evaluate_core_vs_${engine}`, theirs, find('ours_matching', COMPARED_IDLE)),
    ...ratio(`evaluate_whole_vs_${engine}`, theirs, find('ours', COMPARED_IDLE)),
  };
}

function ratio(name: string, above: CorePoint | undefined, below: CorePoint | undefined): Ratios {
  if (above === undefined || below === undefined) return {};
  const pairs = above.rounds.flatMap(({ p50Us }, round) => {
    const other = below.rounds[round];
    return other === undefined ? [] : [p50Us / other.p50Us];
  });
  return { [name]: median(pairs) };
}

/** The slowest and the least proven of the numbers of coupons an order may use. */
export function combineRatios(points: readonly CombinePoint[]): Ratios {
  const barred = points.filter(({ coupons }) => coupons === BARRED_COUPONS);
  if (barred.length === 0) return {};
  return {
    evaluate_combine_20_ms_p50: Math.max(...barred.map(({ p50Us }) => p50Us)) / 1000,
    evaluate_combine_20_proven_share: Math.min(...barred.map(({ provenShare }) => provenShare)),
  };
}

/** Tails of light requests beside heavy ones and during changes, over alone. */
export function besideRatios({ besideHeavyRatio, duringChangesRatio }: BesideResult): Ratios {
  return {
    evaluate_light_p99_beside_heavy: besideHeavyRatio,
    evaluate_light_p99_during_changes: duringChangesRatio,
  };
}
