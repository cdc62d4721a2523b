/** The product's own rows: claims one by one over gRPC and Connect, in batches, on streams, and refused ones. */
import { readCpuMicroseconds } from '../processes/cpu-time.ts';
import type { Product, ServeProcess } from '../product/product.ts';
import type { Promotions } from '../product/promotions.ts';
import { waitUntilArchived } from '../product/wait-until-archived.ts';
import {
  type Contender,
  type ContenderKey,
  type Measurement,
  SERVER_GROUP,
  toMeasurement,
} from './contender.ts';
import { BATCH_ITEMS, type LoadShape, type Loads, runShape, STREAM_ITEMS } from './loads.ts';

/** The promotion that never runs out, and the one that has. */
export const OPEN_PROMOTION = 'bench-claims-open';
export const SOLD_OUT_PROMOTION = 'bench-claims-gone';

const ENDLESS_STOCK = 1_000_000_000;

/** Longest wait for Postgres to catch up after a measurement. */
const DRAIN_LIMIT_MS = 180_000;

interface OurKind {
  readonly key: ContenderKey;
  readonly title: string;
  readonly shape: LoadShape;
  readonly unit: string;
}

const KINDS: readonly OurKind[] = [
  { key: 'claim_grpc', title: 'ours: ClaimCoupon, gRPC', shape: 'grpc', unit: 'claim' },
  { key: 'claim_connect', title: 'ours: ClaimCoupon, Connect HTTP/1.1', shape: 'connect', unit: 'claim' },
  {
    key: 'claim_batch',
    title: `ours: BatchClaimCoupons of ${BATCH_ITEMS}, gRPC`,
    shape: 'batch',
    unit: 'claim',
  },
  {
    key: 'claim_stream',
    title: `ours: StreamClaimCoupons, ${STREAM_ITEMS} a message, gRPC`,
    shape: 'stream',
    unit: 'claim',
  },
  { key: 'soldout_grpc', title: 'ours: sold-out refusal, gRPC', shape: 'refused', unit: 'refusal' },
];

/** Makes the two promotions of a run; of the second the only coupon is taken. */
export async function createPromotions(promotions: Promotions, gatewayToken: string): Promise<void> {
  await promotions.create({ id: OPEN_PROMOTION, quantity: ENDLESS_STOCK, perUserLimit: 1 });
  await promotions.create({ id: SOLD_OUT_PROMOTION, quantity: 1, perUserLimit: 1 });
  await promotions.claim(SOLD_OUT_PROMOTION, 'first-come', gatewayToken);
}

/** The product's contenders on this serve process. */
export function productContenders(
  product: Product,
  serve: ServeProcess,
  promotions: Promotions,
  loads: Loads,
): Contender[] {
  const watch = [{ name: SERVER_GROUP, pids: [serve.process.pid] }, ...product.ledgerProcesses];
  return KINDS.map(({ key, title, shape, unit }) => ({
    key,
    title,
    side: 'ours',
    unit,
    measure: async (window) => {
      const port = shape === 'connect' ? serve.httpPort : serve.grpcPort;
      const promotionId = shape === 'refused' ? SOLD_OUT_PROMOTION : OPEN_PROMOTION;
      const costs = await ArchiveCosts.start(product, promotions);
      const result = await runShape(loads, shape, { port, watch, window, promotionId });
      await waitUntilArchived(product, promotions, OPEN_PROMOTION, DRAIN_LIMIT_MS);
      return costs.addTo(toMeasurement(result));
    },
  }));
}

/** Where a load of batches goes, and what it is called. */
export interface BatchAim {
  readonly key: ContenderKey;
  readonly title: string;
  readonly promotionId: string;
}

/** What a product's load needs. */
export interface ProductUnderLoad {
  readonly product: Product;
  readonly serve: ServeProcess;
  readonly promotions: Promotions;
  readonly loads: Loads;
}

/** Claims in batches, of any promotion of this product. */
export function batchContender(
  { product, serve, promotions, loads }: ProductUnderLoad,
  { key, title, promotionId }: BatchAim,
): Contender {
  const watch = [{ name: SERVER_GROUP, pids: [serve.process.pid] }, ...product.ledgerProcesses];
  return {
    key,
    title,
    side: 'ours',
    unit: 'claim',
    measure: async (window) => {
      const result = await runShape(loads, 'batch', { port: serve.grpcPort, watch, window, promotionId });
      await waitUntilArchived(product, promotions, promotionId, DRAIN_LIMIT_MS);
      return toMeasurement(result);
    },
  };
}

/**
 * CPU of archive and Postgres per claim. They may be behind when a window ends, so their time is taken from before the load until
 * they have caught up, and divided by all coupons issued meanwhile, those of the warm-up too.
 */
class ArchiveCosts {
  readonly #product: Product;
  readonly #promotions: Promotions;
  readonly #before: ReadonlyMap<string, number>;
  readonly #issuedBefore: number;

  private constructor(product: Product, promotions: Promotions, issuedBefore: number) {
    this.#product = product;
    this.#promotions = promotions;
    this.#issuedBefore = issuedBefore;
    this.#before = readCpuMicroseconds(product.archiveProcesses);
  }

  static async start(product: Product, promotions: Promotions): Promise<ArchiveCosts> {
    return new ArchiveCosts(product, promotions, (await promotions.issued(OPEN_PROMOTION)).issued);
  }

  /** The measurement with these costs beside those of Redis; a load of refusals issues nothing and has none. */
  async addTo(measurement: Measurement): Promise<Measurement> {
    const issued = (await this.#promotions.issued(OPEN_PROMOTION)).issued - this.#issuedBefore;
    if (issued === 0) return measurement;
    const costs = [...readCpuMicroseconds(this.#product.archiveProcesses)].map(
      ([name, microseconds]): [string, number] => [
        name,
        (microseconds - (this.#before.get(name) ?? 0)) / issued,
      ],
    );
    return { ...measurement, behindCpuUs: { ...measurement.behindCpuUs, ...Object.fromEntries(costs) } };
  }
}
