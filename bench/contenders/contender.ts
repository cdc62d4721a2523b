/** What is compared: contenders, and the figures of one measurement of one of them. */
import type { LatencySummary, LoadResult } from '../load/job.ts';
import { canPin, HELPER_CORE, SERVER_CORE } from '../processes/pinning.ts';

/** Whose code is measured: this product, a server that does nothing (the floor), or what others publish (the peer). */
export type Side = 'ours' | 'floor' | 'peer';

/** The keys of contenders, as they stand in the report. */
export const CONTENDER_KEYS = [
  'claim_grpc',
  'claim_connect',
  'claim_batch',
  'claim_stream',
  'soldout_grpc',
  'echo_grpcjs',
  'echo_http',
  'echo_connect_node',
  'redis_single_script',
  'reserve_commit_grpc',
  'order_floor_grpc',
  'exchange_grpc',
  'wallet_grpc',
  'echo_grpcjs_wallet',
  'partition_batch',
  'unleased_batch',
  'leased_batch',
  'masters_1_batch',
  'masters_2_batch',
  'masters_3_batch',
  'evaluate_grpc',
  'echo_grpcjs_cart',
  'untraced_grpc',
  'traced_none_grpc',
  'traced_hundredth_grpc',
  'traced_all_grpc',
  'traced_lost_grpc',
] as const;

/** One of the contenders. */
export type ContenderKey = (typeof CONTENDER_KEYS)[number];

/** When and how long to measure. */
export interface Window {
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** One row of the report. */
export interface Contender {
  readonly key: ContenderKey;
  readonly title: string;
  readonly side: Side;
  /** What one operation is. */
  readonly unit: string;
  readonly measure: (window: Window) => Promise<Measurement>;
}

/** What bounded a measurement: the measured server's core, the core of everything else, or neither of them. */
export type Limit = 'server' | 'helpers' | 'neither';

/** The figures of one contender in one round. */
export interface Measurement {
  readonly operationsPerSecond: number;
  readonly operations: number;
  readonly errors: number;
  readonly latency: LatencySummary;
  /** CPU of the measured server per operation. */
  readonly serverCpuUs: number;
  /** CPU per operation of what works behind the server: Redis, archive, Postgres. */
  readonly behindCpuUs: Readonly<Record<string, number>>;
  /** Share of a core the generator used, 0 to 1. */
  readonly generatorShare: number;
  /** Share of the server's core that something else used, 0 to 1: other programs, or other guests of the host. */
  readonly foreignShare: number;
  readonly limitedBy: Limit;
  /** Operations per second over the window. */
  readonly series: readonly number[];
  readonly responseBytes: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly firstFailure?: string;
}

/** Name of the measured server among the watched groups. */
export const SERVER_GROUP = 'server';

/** A core busier than this has no room left. */
const SATURATED_SHARE = 0.93;

/** The figures per operation and per second of what a generator counted. */
export function toMeasurement(result: LoadResult): Measurement {
  const perOperation = (microseconds: number): number => microseconds / Math.max(1, result.operations);
  const { [SERVER_GROUP]: serverUs = 0, ...behind } = result.cpuUs;
  const serverShare = serverUs / 1000 / result.measuredMs;
  return {
    operationsPerSecond: (result.operations / result.measuredMs) * 1000,
    operations: result.operations,
    errors: result.errors,
    latency: result.latency,
    serverCpuUs: perOperation(serverUs),
    behindCpuUs: Object.fromEntries(
      Object.entries(behind).map(([name, microseconds]) => [name, perOperation(microseconds)]),
    ),
    generatorShare: result.generatorCpuUs / 1000 / result.measuredMs,
    foreignShare: canPin ? Math.max(0, (result.coreBusy[SERVER_CORE] ?? 0) - serverShare) : 0,
    limitedBy: findLimit(serverShare, result.coreBusy),
    series: result.series,
    responseBytes: result.responseBytes,
    outcomes: result.outcomes,
    ...(result.firstFailure === undefined ? {} : { firstFailure: result.firstFailure }),
  };
}

/** The server counts as the limit when it filled its core, even when the other core was full as well. */
export function findLimit(serverShare: number, coreBusy: readonly number[]): Limit {
  if (serverShare > SATURATED_SHARE) return 'server';
  const helperBusy = coreBusy[HELPER_CORE] ?? 0;
  return helperBusy > SATURATED_SHARE ? 'helpers' : 'neither';
}
