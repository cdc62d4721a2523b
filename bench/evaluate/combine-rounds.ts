/** The cost of the best combination, by coupons in the wallet and coupons an order may use. */
import type { CombineResult } from '../core/core-job.ts';
import { runCoreJob } from '../core/run-core-job.ts';
import { median } from '../statistics.ts';

/** Usable coupons in the wallet, and coupons one order may use; 20 is the most a request may ask for. */
const WALLETS = [5, 20, 50];
const COUPONS_PER_ORDER = [1, 3, 20];

const WARM_UP_MS = 500;
const LONGEST_WINDOW_MS = 2_000;

/** Figures of one kind of wallet. */
export interface CombinePoint {
  readonly coupons: number;
  readonly couponsPerOrder: number;
  /** Medians over the rounds. */
  readonly p50Us: number;
  readonly p99Us: number;
  /** Share of answers that are proven to be the best, 0 to 1. */
  readonly provenShare: number;
  readonly appliedPerOrder: number;
}

/** Measures every kind of wallet once per round, each in a process of its own. */
export async function measureCombine(
  rounds: number,
  seconds: number,
  say: (line: string) => void,
): Promise<CombinePoint[]> {
  const points: CombinePoint[] = [];
  for (const coupons of WALLETS) {
    for (const couponsPerOrder of COUPONS_PER_ORDER) {
      const results: CombineResult[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const measureMs = Math.min(LONGEST_WINDOW_MS, seconds * 1000);
        const job = { kind: 'combine', coupons, couponsPerOrder, warmUpMs: WARM_UP_MS, measureMs } as const;
        results.push(await runCoreJob(job));
      }
      const point = summarize(coupons, couponsPerOrder, results);
      say(`${coupons} coupons, ${couponsPerOrder} an order: ${point.p50Us.toFixed(0)} µs`);
      points.push(point);
    }
  }
  return points;
}

function summarize(
  coupons: number,
  couponsPerOrder: number,
  results: readonly CombineResult[],
): CombinePoint {
  const middle = (read: (result: CombineResult) => number): number => median(results.map(read));
  return {
    coupons,
    couponsPerOrder,
    p50Us: middle(({ p50Us }) => p50Us),
    p99Us: middle(({ p99Us }) => p99Us),
    provenShare: Math.min(...results.map(({ proven, wallets }) => proven / wallets)),
    appliedPerOrder: middle(({ appliedPerOrder }) => appliedPerOrder),
  };
}
