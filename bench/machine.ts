/** What the figures were measured on, and with which settings: without it they mean nothing. */
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { HEAVY_COUPONS, HEAVY_LINES, LIGHT_LINES } from './contenders/evaluate-loads.ts';
import {
  BATCH_CONNECTIONS,
  BATCH_ITEMS,
  BATCHES_PER_CONNECTION,
  GRPC_CALLS_PER_CONNECTION,
  GRPC_CONNECTIONS,
  HTTP_CONNECTIONS,
  STREAM_CONNECTIONS,
  STREAM_ITEMS,
  STREAM_MESSAGES_PER_CONNECTION,
} from './contenders/loads.ts';
import type { BenchOptions } from './options.ts';
import { canPin, HELPER_CORE, SERVER_CORE } from './processes/pinning.ts';
import { CART_VARIANTS } from './rule-sets/carts.ts';

/** The machine of a run. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGigabytes: number;
  readonly system: string;
  readonly node: string;
  readonly redis: string;
}

/** Reads it. */
export function describeMachine(): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()} ${process.arch}`,
    node: process.version,
    redis: redisVersion(),
  };
}

function redisVersion(): string {
  try {
    return (
      /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown'
    );
  } catch {
    return 'not installed';
  }
}

/** Everything that was chosen for a run. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** The settings of a run, as they stand in the report. */
export function describeSettings(options: BenchOptions, warmUpMs: number): Settings {
  return {
    rounds: options.rounds,
    secondsPerMeasurement: options.seconds,
    warmUpMs,
    quick: options.quick,
    pinning: canPin
      ? `measured server on core ${SERVER_CORE}; everything else on core ${HELPER_CORE}`
      : 'none: taskset or a second core is missing, so figures swing and are not comparable',
    priority: 'archive and Postgres get the time nobody else wants',
    appendfsync: 'always, both Redis servers; no rewrite of the file during the run',
    postgresFsync: true,
    authentication: 'ES256 tokens, verified, then remembered',
    grpcLoad: `${GRPC_CONNECTIONS} connections × ${GRPC_CALLS_PER_CONNECTION} calls`,
    httpLoad: `${HTTP_CONNECTIONS} connections × 1 call (autocannon)`,
    batchLoad: `${BATCH_CONNECTIONS} connections × ${BATCHES_PER_CONNECTION} calls × ${BATCH_ITEMS} claims`,
    evaluateLoad: `as grpcLoad; carts of ${LIGHT_LINES} lines, ${CART_VARIANTS} different ones in turn`,
    heavyLoad: `carts of ${HEAVY_LINES} lines and wallets of ${HEAVY_COUPONS} coupons by turns`,
    streamLoad: `${STREAM_CONNECTIONS} streams × ${STREAM_MESSAGES_PER_CONNECTION} messages × ${STREAM_ITEMS} claims`,
  };
}
