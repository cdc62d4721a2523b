/** How fast claims reach Postgres at half of the rate the service can take: the archive's own histogram over a steady load. */
import { type Loads, shapeJob } from './contenders/loads.ts';
import { runLoad } from './contenders/run-load.ts';
import {
  type Buckets,
  parseMetrics,
  quantile,
  readBuckets,
  subtractBuckets,
} from './product/metrics-page.ts';
import type { Product, ServeProcess } from './product/product.ts';
import type { Promotions } from './product/promotions.ts';
import { waitUntilArchived } from './product/wait-until-archived.ts';

const LAG_METRIC = 'promo_archive_lag_seconds';

/** What the lag was, and under which load. */
export interface FlushLagResult {
  readonly claimsPerSecond: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Latency of the claims themselves at this rate, from the moment each was due. */
  readonly claimP50Us: number;
  readonly claimP99Us: number;
  readonly claimP999Us: number;
  readonly errors: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly firstFailure?: string;
}

/** Who is measured, and with what. */
export interface FlushSetting {
  readonly product: Product;
  readonly serve: ServeProcess;
  readonly promotions: Promotions;
  readonly loads: Loads;
}

/** Longest wait for the last events after the load. */
const DRAIN_LIMIT_MS = 60_000;

/** Claims at this rate for so many seconds, over gRPC, and reads the lag of all events of that time, the late ones too. */
export async function measureFlushLag(
  { product, serve, promotions, loads }: FlushSetting,
  claimsPerSecond: number,
  seconds: number,
): Promise<FlushLagResult> {
  const window = { warmUpMs: 1000, measureMs: seconds * 1000 };
  product.bringArchiveBack();
  const before = await readLag(product);
  const result = await runLoad({
    ...shapeJob(loads, 'grpc', { port: serve.grpcPort, window, watch: product.ledgerProcesses }),
    callsPerSecond: Math.round(claimsPerSecond),
  });
  await waitUntilArchived(product, promotions, loads.promotionId, DRAIN_LIMIT_MS);
  const lag = subtractBuckets(await readLag(product), before);
  return {
    claimsPerSecond: (result.operations / result.measuredMs) * 1000,
    seconds,
    p50Ms: quantile(lag, 0.5) * 1000,
    p99Ms: quantile(lag, 0.99) * 1000,
    claimP50Us: result.latency.p50Us,
    claimP99Us: result.latency.p99Us,
    claimP999Us: result.latency.p999Us,
    errors: result.errors,
    outcomes: result.outcomes,
    ...(result.firstFailure === undefined ? {} : { firstFailure: result.firstFailure }),
  };
}

async function readLag(product: Product): Promise<Buckets> {
  return readBuckets(parseMetrics(await product.archiveMetrics()), LAG_METRIC);
}
