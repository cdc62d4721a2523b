/** Times single calls in the process it runs in. */

/** How long, in microseconds, a call took at these percentiles. */
export interface CallTimes {
  readonly calls: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Calls kept at most; a window with more ends early. */
const MOST_CALLS = 1_000_000;

/** A call that answers later must be waited for; waiting for one that has answered would add a turn of the loop to it. */
type Call = () => unknown;

/**
 * Takes the calls in turn until the time is over and times each one, at least once. Calls before `warmUpMs` count for nothing.
 * The clock reads in nanoseconds and costs under 0.1 µs, which the figures include.
 */
export async function timeCalls(
  calls: readonly Call[],
  warmUpMs: number,
  measureMs: number,
): Promise<CallTimes> {
  await callFor(calls, warmUpMs, new Float64Array(1));
  const times = new Float64Array(MOST_CALLS);
  const count = await callFor(calls, measureMs, times);
  const sorted = times.subarray(0, count).sort();
  return { calls: count, p50Us: percentile(sorted, 0.5), p99Us: percentile(sorted, 0.99) };
}

/** Writes the times of the calls, in microseconds, until time or room is over; a single place is written over and over. */
async function callFor(calls: readonly Call[], limitMs: number, times: Float64Array): Promise<number> {
  const endsMs = performance.now() + limitMs;
  const isRecording = times.length > 1;
  let count = 0;
  for (let now = performance.now(); now < endsMs || count === 0; count += 1) {
    if (isRecording && count === times.length) break;
    const call = calls[count % calls.length];
    const startedMs = performance.now();
    const answer = call?.();
    if (answer instanceof Promise) await answer;
    now = performance.now();
    times[isRecording ? count : 0] = (now - startedMs) * 1000;
  }
  return count;
}

/** The value that this share of the sorted values does not exceed. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
