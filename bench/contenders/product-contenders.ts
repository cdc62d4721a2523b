/** The product's own rows: claims one by one over gRPC and Connect, in batches, on streams, and refused ones. */
import type { Product, ServeProcess } from '../product/product.ts';
import type { Promotions } from '../product/promotions.ts';
import { type Contender, type ContenderKey, SERVER_GROUP, toMeasurement } from './contender.ts';
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
  const watch = [{ name: SERVER_GROUP, pids: [serve.process.pid] }, ...product.behind];
  return KINDS.map(({ key, title, shape, unit }) => ({
    key,
    title,
    side: 'ours',
    unit,
    measure: async (window) => {
      const port = shape === 'connect' ? serve.httpPort : serve.grpcPort;
      const promotionId = shape === 'refused' ? SOLD_OUT_PROMOTION : OPEN_PROMOTION;
      const result = await runShape(loads, shape, { port, watch, window, promotionId });
      await promotions.waitUntilArchived(OPEN_PROMOTION, DRAIN_LIMIT_MS);
      return toMeasurement(result);
    },
  }));
}
