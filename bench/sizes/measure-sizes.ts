/**
 * What an operation leaves in both stores, and what an archive that was away has to catch up with: the figures behind the sizing in
 * docs/operations.md. Everything goes through the public API.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import postgres from 'postgres';
import { callConnect } from '../product/connect-call.ts';
import type { Product, ServeProcess } from '../product/product.ts';
import type { Promotions } from '../product/promotions.ts';
import { claimForUsers, earnPoints, forEachAtOnce, userOf } from '../product/wallets.ts';
import { type Growth, growthOf, readSizes, type StoreConnections } from './store-sizes.ts';

/** What was measured; bytes are per operation. */
export interface SizesResult {
  /** One coupon each for users who had nothing. */
  readonly firstCoupon: Growth;
  /** A further coupon for each of them. */
  readonly furtherCoupon: Growth;
  /** An order of five lines that uses a coupon in one step. */
  readonly order: Growth;
  /** A completed order told as an event, which earns points, for users who had nothing. */
  readonly firstPoints: Growth;
  readonly backlog: Backlog;
}

/** An archive that stood still, and caught up. */
export interface Backlog {
  readonly events: number;
  /** Of Redis, while they wait. */
  readonly bytesPerEvent: number;
  readonly archivedPerSecond: number;
}

/** How many of each. */
export interface SizesScale {
  readonly users: number;
  readonly orders: number;
  readonly backlogEvents: number;
}

/** Who is measured, and with what. */
export interface SizesSetting {
  readonly product: Product;
  readonly serve: ServeProcess;
  readonly promotions: Promotions;
  readonly scale: SizesScale;
  readonly say: (line: string) => void;
}

const ENDLESS = 1_000_000_000;
const STREAM_KEY = '{p0}stream';
const AT_ONCE = 32;
const ORDER_LINES = 5;
const POINTS_EACH = 100;
const LEVEL_MS = 120_000;
const POLL_MS = 20;
/** Serial numbers of users, apart from each other. */
const FIRST = { users: 0, orders: 10_000_000, points: 20_000_000, backlog: 30_000_000 };

/** Measures everything, smallest keyspace first: its hash table doubles in one step, which a few wallets would be charged with. */
export async function measureSizes(setting: SizesSetting): Promise<SizesResult> {
  const { product, scale, say } = setting;
  const redis = new Redis(product.redis.url, { protocol: 2 });
  const sql = postgres(product.databaseUrl, { max: 2, onnotice: () => undefined });
  const stores = { redis, sql };
  try {
    const claim = (id: string, first: number, count: number) => () => claimAll(setting, id, first, count);
    const { users, orders } = scale;
    const firstCoupon = await grow(stores, users, claim('sizes-1', FIRST.users, users));
    const furtherCoupon = await grow(stores, users, claim('sizes-2', FIRST.users, users));
    say('coupons');
    const coupons = await claimAll(setting, 'sizes-orders', FIRST.orders, orders);
    const order = await grow(stores, orders, () => orderAll(setting, coupons));
    say('orders');
    const firstPoints = await grow(stores, orders, () =>
      earnPoints(setting.serve.httpPort, product.tokens.events, FIRST.points, orders, POINTS_EACH),
    );
    say('points');
    return { firstCoupon, furtherCoupon, order, firstPoints, backlog: await measureBacklog(setting, stores) };
  } finally {
    redis.disconnect();
    await sql.end({ timeout: 1 });
  }
}

async function grow(
  stores: StoreConnections,
  operations: number,
  work: () => Promise<unknown>,
): Promise<Growth> {
  await untilLevel(stores);
  const before = await readSizes(stores);
  await work();
  await untilLevel(stores);
  return growthOf(before, await readSizes(stores), operations);
}

async function claimAll(
  { product, serve, promotions }: SizesSetting,
  id: string,
  first: number,
  count: number,
): Promise<readonly string[]> {
  await promotions.create({ id, quantity: ENDLESS, perUserLimit: 1 });
  return await claimForUsers(serve.httpPort, product.tokens.gateway, id, first, count);
}

async function orderAll({ product, serve }: SizesSetting, coupons: readonly string[]): Promise<void> {
  const lines = Array.from({ length: ORDER_LINES }, (_, index) => ({
    lineId: String(index + 1),
    itemId: `item-${index + 1}`,
    quantity: 2,
    unitPriceMinor: '2500',
  }));
  await forEachAtOnce([...coupons.entries()], AT_ONCE, async ([index, couponId]) => {
    await callConnect(serve.httpPort, product.tokens.orders, 'RedemptionService/UseCoupons', {
      userId: userOf(FIRST.orders + index),
      orderId: `order-${index}`,
      requestId: `use-${index}`,
      cart: { currency: 'CNY', lines },
      couponIds: [couponId],
    });
  });
}

/** The archive process stands still while claims go on; then it is measured until it has everything. */
async function measureBacklog(setting: SizesSetting, stores: StoreConnections): Promise<Backlog> {
  const { product, scale, say } = setting;
  const events = scale.backlogEvents;
  const archive = product.archiveProcesses.find(({ name }) => name === 'archive')?.pids[0];
  if (archive === undefined) throw new Error('there is no archive process');
  await untilLevel(stores);
  const before = await readSizes(stores);
  process.kill(archive, 'SIGSTOP');
  await claimAll(setting, 'sizes-backlog', FIRST.backlog, events).finally(() => {
    process.kill(archive, 'SIGCONT');
  });
  const resumedMs = performance.now();
  const waiting = await readSizes(stores);
  await untilLevel(stores);
  const seconds = (performance.now() - resumedMs) / 1_000;
  say('backlog');
  return {
    events,
    bytesPerEvent: Math.round((waiting.streamBytes - before.streamBytes) / events),
    archivedPerSecond: Math.round(events / seconds),
  };
}

/** Everything the stream has is in Postgres. */
async function untilLevel({ redis, sql }: StoreConnections): Promise<void> {
  const endsMs = performance.now() + LEVEL_MS;
  for (;;) {
    const [newest] = await redis.xrevrange(STREAM_KEY, '+', '-', 'COUNT', 1);
    const [cursor] = await sql<{ seq: string }[]>`SELECT max(seq) AS seq FROM ledger_cursor`;
    if (Number(newest?.[0].split('-')[1] ?? -1) <= Number(cursor?.seq ?? -1)) return;
    if (performance.now() > endsMs) throw new Error(`not everything was archived after ${LEVEL_MS} ms`);
    await sleep(POLL_MS);
  }
}
