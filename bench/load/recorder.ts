/** Counts and times calls, and knows when the measured window starts and ends. */
import { build, type Histogram } from 'hdr-histogram-js';
import { busyShares, type CoreTicks, readCoreTicks, readCpuMicroseconds } from '../processes/cpu-time.ts';
import type { LatencySummary, LoadJob, LoadResult } from './job.ts';

/** Length of one slice of the throughput plot, in milliseconds. */
export const SLICE_MS = 250;

/** Latencies above this are recorded as this, in microseconds. */
const LONGEST_LATENCY_US = 60_000_000;

const CURVE_PERCENTILES = [
  0, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97, 98, 99, 99.5, 99.7, 99.9, 99.95, 99.99, 100,
];

interface Snapshot {
  readonly atMs: number;
  readonly cpuUs: ReadonlyMap<string, number>;
  readonly cores: readonly CoreTicks[];
  readonly generatorUs: number;
}

/** The state of one measurement. */
export class Recorder {
  readonly #job: LoadJob;
  readonly #histogram: Histogram = build({
    highestTrackableValue: LONGEST_LATENCY_US,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  });
  readonly #outcomes = new Map<string, number>();
  readonly #slices: number[] = [];
  readonly #winners: number[] = [];
  #start: Snapshot | undefined;
  #end: Snapshot | undefined;
  #operations = 0;
  #calls = 0;
  #errors = 0;
  #responseBytes = 0;
  #firstFailure: string | undefined;

  constructor(job: LoadJob) {
    this.#job = job;
  }

  /** Calls answered inside the window. */
  get calls(): number {
    return this.#calls;
  }

  /** The warm-up is over: from now on answers count. */
  begin(): void {
    this.#start = this.#snapshot();
  }

  /** The window is over. */
  finish(): void {
    this.#end ??= this.#snapshot();
  }

  /** One call was answered. `failure` describes an answer other than the expected one. */
  record(outcome: string, startedMs: number, items: number, responseBytes: number, failure?: string): void {
    if (this.#start === undefined || this.#end !== undefined) return;
    const nowMs = performance.now();
    this.#calls += 1;
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    this.#histogram.recordValue(Math.min(LONGEST_LATENCY_US, Math.round((nowMs - startedMs) * 1000)));
    const isLate = nowMs - startedMs > (this.#job.usefulMs ?? Number.POSITIVE_INFINITY);
    if (outcome !== this.#job.expectedOutcome || isLate) {
      this.#errors += 1;
      this.#firstFailure ??= `${outcome} ${failure ?? ''}`.trim();
      return;
    }
    this.#operations += items;
    this.#responseBytes = responseBytes;
    const slice = Math.floor((nowMs - this.#start.atMs) / SLICE_MS);
    this.#slices[slice] = (this.#slices[slice] ?? 0) + items;
  }

  /** Items of a batch were refused although the call as a whole went well. */
  recordRefusedItems(items: number): void {
    if (items === 0 || this.#start === undefined || this.#end !== undefined) return;
    this.#errors += items;
    this.#outcomes.set('item refused', (this.#outcomes.get('item refused') ?? 0) + items);
  }

  /** The claim of this user was accepted. */
  recordWinner(user: number): void {
    this.#winners.push(user);
  }

  /** The figures of the window. */
  result(): LoadResult {
    const end = this.#end ?? this.#snapshot();
    const start = this.#start ?? end;
    const measuredMs = end.atMs - start.atMs;
    return {
      operations: this.#operations,
      calls: this.#calls,
      errors: this.#errors,
      outcomes: Object.fromEntries(this.#outcomes),
      measuredMs,
      latency: summarize(this.#histogram),
      series: this.#wholeSlices(measuredMs),
      cpuUs: differences(start.cpuUs, end.cpuUs),
      generatorCpuUs: end.generatorUs - start.generatorUs,
      coreBusy: busyShares(start.cores, end.cores),
      responseBytes: this.#responseBytes,
      ...(this.#job.keepsWinners === true ? { winners: this.#winners } : {}),
      ...(this.#firstFailure === undefined ? {} : { firstFailure: this.#firstFailure }),
    };
  }

  /** The last slice is dropped when the window ended inside it: it would look like a dip. */
  #wholeSlices(measuredMs: number): number[] {
    return Array.from(
      { length: Math.floor(measuredMs / SLICE_MS) },
      (_, slice) => ((this.#slices[slice] ?? 0) * 1000) / SLICE_MS,
    );
  }

  #snapshot(): Snapshot {
    const { user, system } = process.cpuUsage();
    return {
      atMs: performance.now(),
      cpuUs: readCpuMicroseconds(this.#job.watch),
      cores: readCoreTicks(),
      generatorUs: user + system,
    };
  }
}

function differences(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Record<string, number> {
  return Object.fromEntries([...after].map(([name, value]) => [name, value - (before.get(name) ?? 0)]));
}

function summarize(histogram: Histogram): LatencySummary {
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile);
  return {
    p50Us: at(50),
    p99Us: at(99),
    p999Us: at(99.9),
    maxUs: histogram.maxValue,
    curve: CURVE_PERCENTILES.map((percentile) => [percentile, at(percentile)]),
  };
}
