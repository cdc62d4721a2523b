/**
 * How much of Redis's memory a coupon takes: wallets of five coupons are filled, and what the server's memory grew by, without
 * the stream of events (it is trimmed once archived), is divided by the coupons.
 */
import { Redis } from 'ioredis';
import type { Loads } from './contenders/loads.ts';
import type { Product, ServeProcess } from './product/product.ts';
import type { Promotions } from './product/promotions.ts';
import { claimForUsers } from './product/wallets.ts';

const USERS = 20_000;
const COUPONS_EACH = 5;
const STREAM_KEY = '{p0}stream';
const ENDLESS = 1_000_000_000;

/** Bytes per coupon, the wallet's key and everything else of it included. */
export async function measureWalletMemory(
  product: Product,
  serve: ServeProcess,
  promotions: Promotions,
  loads: Loads,
): Promise<number> {
  const redis = new Redis(product.redis.url, { protocol: 2 });
  try {
    const ids = Array.from({ length: COUPONS_EACH }, (_, index) => `bench-memory-${index + 1}`);
    for (const id of ids) await promotions.create({ id, quantity: ENDLESS, perUserLimit: 1 });
    const firstSerial = loads.reserveSerials();
    const before = await readWalletBytes(redis);
    for (const id of ids) await claimForUsers(serve.httpPort, product.tokens.gateway, id, firstSerial, USERS);
    return ((await readWalletBytes(redis)) - before) / (USERS * COUPONS_EACH);
  } finally {
    redis.disconnect();
  }
}

/** Bytes of everything but the stream of events and the buffers of connections. */
export async function readWalletBytes(redis: Redis): Promise<number> {
  const info = await redis.info('memory');
  const used = Number(/used_memory_dataset:(\d+)/.exec(info)?.[1] ?? Number.NaN);
  const overhead = Number(/used_memory_overhead:(\d+)/.exec(info)?.[1] ?? Number.NaN);
  const buffers = Number(/mem_clients_normal:(\d+)/.exec(info)?.[1] ?? 0);
  const aof = Number(/mem_aof_buffer:(\d+)/.exec(info)?.[1] ?? 0);
  return used + overhead - buffers - aof - (await readStreamBytes(redis));
}

/** Bytes of the stream of events, all of it counted. */
export async function readStreamBytes(redis: Redis): Promise<number> {
  return Number(await redis.call('MEMORY', 'USAGE', STREAM_KEY, 'SAMPLES', 0));
}
