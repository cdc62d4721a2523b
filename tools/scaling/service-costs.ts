/** What a serving process costs and can do, as measured: see `measured.json`, and docs/scaling.md for how. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const Measured = z.strictObject({
  /** Where the figures come from, for the reader of the docs. */
  source: z.string(),
  /** CPU of the serving process per claim over gRPC, µs: of its main thread, and of all others (collection). */
  claimMainMicros: z.number().positive(),
  claimOtherMicros: z.number().nonnegative(),
  /** The same of an evaluation of 20 lines among 10,000 promotions; the others are its worker thread and collection. */
  evaluationMainMicros: z.number().positive(),
  evaluationOtherMicros: z.number().positive(),
  /** Claims answered in time at three times the peak, as a share of the peak. What is missing was spent on refusals. */
  overloadGoodput: z.number().positive().max(1),
  /** Most memory the process had under both loads, with 10,000 promotions in force, MiB. */
  peakMemoryMegabytes: z.number().positive(),
  /** Time a claim takes while nothing queues, ms. */
  calmMillis: z.number().positive(),
  /** From the start of the process to `/readyz`, ms, each start measured: with nothing compiled, and with the image's compile cache. */
  coldStartMillis: z.array(z.number().positive()).nonempty(),
  cachedStartMillis: z.array(z.number().positive()).nonempty(),
});

/** The measured figures. */
export type Measured = z.infer<typeof Measured>;

/** Where they are kept. */
export const MEASURED_FILE = join(import.meta.dirname, 'measured.json');
/** How many times the peak came when `overloadGoodput` was measured. */
const OVERLOAD = 3;

/** The measured figures as they are committed. @throws ZodError naming the field that is not one. */
export function readMeasured(): Measured {
  return Measured.parse(JSON.parse(readFileSync(MEASURED_FILE, 'utf8')));
}

/** What one call of the mixture costs, in seconds of CPU. */
export interface CallCost {
  /** On the main thread. */
  readonly mainSeconds: number;
  /** On the worker thread. */
  readonly workerSeconds: number;
  /** On all threads but the main one. */
  readonly otherSeconds: number;
  /** On the main thread, of a call that is refused because too many are under way. */
  readonly refusalSeconds: number;
  /** Time it takes while nothing queues. */
  readonly calmSeconds: number;
}

/** The cost of a mixture of which `evaluationShare` (0 to 1) are evaluations and all others claims. */
export function callCost(measured: Measured, evaluationShare: number): CallCost {
  const claimShare = 1 - evaluationShare;
  const mixed = (claimMicros: number, evaluationMicros: number): number =>
    (claimShare * claimMicros + evaluationShare * evaluationMicros) / 1e6;
  return {
    mainSeconds: mixed(measured.claimMainMicros, measured.evaluationMainMicros),
    workerSeconds: mixed(0, measured.evaluationOtherMicros),
    otherSeconds: mixed(measured.claimOtherMicros, measured.evaluationOtherMicros),
    refusalSeconds: (refusalShare(measured.overloadGoodput) * measured.claimMainMicros) / 1e6,
    calmSeconds: measured.calmMillis / 1e3,
  };
}

/** What a refusal costs in claims: at three times the peak, a share was answered and all others were refused with the same CPU. */
function refusalShare(goodput: number): number {
  return (1 - goodput) / (OVERLOAD - goodput);
}

/** The middle one of the measured starts, seconds. */
export function startSeconds(starts: readonly number[]): number {
  const sorted = starts.toSorted((a, b) => a - b);
  return (sorted[Math.floor(sorted.length / 2)] ?? Number.NaN) / 1e3;
}
