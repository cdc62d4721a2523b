/** Reads what redis-benchmark 7 prints. */
import type { LatencySummary } from '../load/job.ts';

/** The figures of one run of redis-benchmark. */
export interface RedisBenchmarkFigures {
  readonly requests: number;
  readonly seconds: number;
  readonly latency: LatencySummary;
  /** Requests per second, four times a second. */
  readonly series: readonly number[];
}

/** The figures in the full (not quiet, not CSV) output; throws when it has another form. */
export function readRedisBenchmark(output: string): RedisBenchmarkFigures {
  const [, requests, seconds] = /(\d+) requests completed in ([\d.]+) seconds/.exec(output) ?? [];
  const curve = readCurve(output);
  if (requests === undefined || seconds === undefined || curve.length === 0) {
    throw new Error(`redis-benchmark said: ${output.slice(-500)}`);
  }
  return {
    requests: Number(requests),
    seconds: Number(seconds),
    latency: summarize(curve),
    series: [...output.matchAll(/ rps=([\d.]+) /g)]
      .map((match) => Number(match[1]))
      .filter((rate) => rate > 0),
  };
}

type Curve = readonly (readonly [percentile: number, latencyUs: number])[];

/** The lines between the two headings; the second list counts by latency and is of no use here. */
function readCurve(output: string): Curve {
  const [, after = ''] = output.split('Latency by percentile distribution:');
  const [list = ''] = after.split('Cumulative distribution of latencies:');
  return [...list.matchAll(/([\d.]+)% <= ([\d.]+) milliseconds/g)].map((match) => [
    Number(match[1]),
    Math.round(Number(match[2]) * 1000),
  ]);
}

function summarize(curve: Curve): LatencySummary {
  return {
    p50Us: latencyAt(curve, 50),
    p99Us: latencyAt(curve, 99),
    p999Us: latencyAt(curve, 99.9),
    maxUs: latencyAt(curve, 100),
    curve,
  };
}

/** The list has its own percentiles: the first one at or above the wanted one counts. */
function latencyAt(curve: Curve, percentile: number): number {
  return curve.find(([at]) => at >= percentile)?.[1] ?? 0;
}
