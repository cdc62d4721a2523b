/** The cost of an evaluation without transport: ours by size of cart and rule set, and others where they are compared. */
import type { CartTimes, EngineJob } from '../core/core-job.ts';
import type { EngineKey } from '../core/engines/engine.ts';
import { runCoreJob } from '../core/run-core-job.ts';
import { CART_SIZES } from '../rule-sets/carts.ts';
import { RULE_SET_SIZES } from '../rule-sets/rule-set.ts';
import { median } from '../statistics.ts';

/** Sizes at which engines are compared: lines of the cart, and idle promotions for the two engines and for the loop. */
export const COMPARED_LINES = 20;
export const COMPARED_IDLE = 1_000;
export const LOOP_IDLE = 10_000;

/** Windows longer than this show nothing more: even the slowest engine answers dozens of times. */
const LONGEST_WINDOW_MS = 2_000;
const WARM_UP_MS = 1_500;

/** Figures of one engine with one rule set and one cart size. */
export interface CorePoint {
  readonly engine: EngineKey;
  readonly idle: number;
  readonly lines: number;
  /** Medians over the rounds. */
  readonly p50Us: number;
  readonly p99Us: number;
  readonly loadMs: number;
  readonly rounds: readonly CoreRound[];
}

/** One measurement. */
export interface CoreRound {
  readonly calls: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly loadMs: number;
}

interface CoreSetting {
  readonly engine: EngineKey;
  readonly idle: number;
  readonly cartLines: readonly number[];
}

const SETTINGS: readonly CoreSetting[] = [
  ...RULE_SET_SIZES.map((idle): CoreSetting => ({ engine: 'ours', idle, cartLines: CART_SIZES })),
  { engine: 'ours_matching', idle: COMPARED_IDLE, cartLines: [COMPARED_LINES] },
  { engine: 'plain_loop', idle: COMPARED_IDLE, cartLines: [COMPARED_LINES] },
  { engine: 'plain_loop', idle: LOOP_IDLE, cartLines: [COMPARED_LINES] },
  { engine: 'json_rules_engine', idle: COMPARED_IDLE, cartLines: [COMPARED_LINES] },
  { engine: 'zen_engine', idle: COMPARED_IDLE, cartLines: [COMPARED_LINES] },
];

/** Measures every engine and size once per round, each in a process of its own, every second round in reverse order. */
export async function measureCore(
  rounds: number,
  seconds: number,
  say: (line: string) => void,
): Promise<CorePoint[]> {
  const measured = new Map<string, { setting: CoreSetting; lines: number; rounds: CoreRound[] }>();
  for (let round = 1; round <= rounds; round += 1) {
    for (const setting of round % 2 === 1 ? SETTINGS : SETTINGS.toReversed()) {
      const { loadMs, carts } = await runCoreJob(engineJob(setting, seconds));
      for (const { lines, ...times } of carts) {
        const key = `${setting.engine} ${setting.idle} ${lines}`;
        const entry = measured.get(key) ?? { setting, lines, rounds: [] };
        entry.rounds.push({ ...times, loadMs });
        measured.set(key, entry);
      }
      say(`round ${round}: ${setting.engine}, ${setting.idle} idle: ${describe(carts)}`);
    }
  }
  return [...measured.values()].map(({ setting, lines, rounds: all }) => summarize(setting, lines, all));
}

function engineJob(setting: CoreSetting, seconds: number): EngineJob {
  const measureMs = Math.min(LONGEST_WINDOW_MS, seconds * 1000);
  return { kind: 'engine', ...setting, warmUpMs: WARM_UP_MS, measureMs };
}

function describe(carts: readonly CartTimes[]): string {
  return carts.map(({ lines, p50Us }) => `${lines} lines ${p50Us.toFixed(1)} µs`).join(', ');
}

function summarize({ engine, idle }: CoreSetting, lines: number, rounds: readonly CoreRound[]): CorePoint {
  const middle = (read: (round: CoreRound) => number): number => median(rounds.map(read));
  return {
    engine,
    idle,
    lines,
    p50Us: middle(({ p50Us }) => p50Us),
    p99Us: middle(({ p99Us }) => p99Us),
    loadMs: middle(({ loadMs }) => loadMs),
    rounds,
  };
}
