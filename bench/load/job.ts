/** What a generator process is asked to do, and what it answers. Both travel as one line of JSON. */
import type { WatchedGroup } from '../processes/cpu-time.ts';
import type { Population, RequestTemplate } from './template.ts';

/** Where the load goes. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly path: string;
}

/**
 * How load is made: over gRPC one call a claim, over gRPC two calls one after the other that are one operation, over gRPC on
 * long streams, or over HTTP/1.1 with autocannon.
 */
export type LoadKind = 'grpc-unary' | 'grpc-pairs' | 'grpc-stream' | 'connect';

/** The second call of a pair, made when the first one is answered. */
export interface FollowUp {
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly template: RequestTemplate;
}

/** One measurement. */
export interface LoadJob {
  readonly kind: LoadKind;
  /** Addresses to spread the connections over. */
  readonly targets: readonly Target[];
  readonly headers: readonly (readonly [string, string])[];
  readonly template: RequestTemplate;
  /** Other requests to send in turn with `template`; only over unary gRPC. */
  readonly variants?: readonly RequestTemplate[];
  readonly population: Population;
  /** The second call; only with pairs. */
  readonly followUp?: FollowUp;
  readonly connections: number;
  /** Calls under way per connection; on streams, messages under way per connection. */
  readonly inFlightPerConnection: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Stop after this many calls instead of after `measureMs`. */
  readonly maxCalls?: number;
  /** Calls are due at this rate, whatever the answers do; without it the next call starts when one is answered. */
  readonly callsPerSecond?: number;
  /**
   * Answers later than this after the call was due are of no use to anybody, and count as errors. At a fixed rate, calls also wait for room
   * on a connection, as those of gRPC clients do.
   */
  readonly usefulMs?: number;
  /** The outcome that counts as success: `0` for OK, `9` for a refusal over gRPC, `200` over HTTP. */
  readonly expectedOutcome: string;
  /** The field of the answer that holds a result per item; without it a call is one claim. */
  readonly resultsField?: number;
  /** Also note which users won. */
  readonly keepsWinners?: boolean;
  readonly watch: readonly WatchedGroup[];
}

/** Latencies of a measurement, in microseconds. */
export interface LatencySummary {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
  /** Percentile (0 to 100) and latency, for the plot. */
  readonly curve: readonly (readonly [percentile: number, latencyUs: number])[];
}

/** What came out of one measurement. */
export interface LoadResult {
  /** Claims answered as expected inside the measured window. */
  readonly operations: number;
  readonly calls: number;
  readonly errors: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly measuredMs: number;
  readonly latency: LatencySummary;
  /** Operations per second, one value per slice of the window. */
  readonly series: readonly number[];
  readonly cpuUs: Readonly<Record<string, number>>;
  readonly generatorCpuUs: number;
  readonly coreBusy: readonly number[];
  readonly responseBytes: number;
  /** User numbers of successful claims, when they were asked for. */
  readonly winners?: readonly number[];
  /** Text of the first unexpected answer. */
  readonly firstFailure?: string;
}
