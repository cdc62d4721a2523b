/** The runbook of docs/recovery.md on real processes: Redis lost for good, and spread over more partitions. */
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Code, ConnectError } from '@connectrpc/connect';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AcknowledgementLevel } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import { type ProductFixture, startProduct } from '../product-fixture.ts';

const TIMEOUT = { timeout: 180_000 };
const QUANTITY = 30;
const PAUSE_MS = 50;

let product: ProductFixture;
beforeAll(async () => {
  product = await startProduct();
  await product.promotions.createPromotion({
    promotionId: 'spring',
    requestId: 'create',
    promotion: {
      name: { en: 'spring', zh: 'spring' },
      currency: 'CNY',
      effect: { kind: { case: 'fixedAmountOff', value: { amountMinor: 1_000n } } },
      reach: { way: { case: 'claimable', value: {} } },
      stock: { quantity: BigInt(QUANTITY) },
      validity: { kind: { case: 'daysAfterClaim', value: { days: 7 } } },
      acknowledgement: AcknowledgementLevel.LEDGER,
    },
  });
  await product.promotions.activatePromotion({ promotionId: 'spring', requestId: 'activate' });
}, 120_000);
afterAll(() => product.close(), 60_000);

/** The coupon, or undefined when the ledger decided against the claim. Unknown outcomes are asked again. */
async function claim(userId: string): Promise<string | undefined> {
  for (;;) {
    try {
      const request = { promotionId: 'spring', userId, requestId: 'r1' };
      const answer = await product.coupons.claimCoupon(request, { timeoutMs: 2_000 });
      expect(answer.acknowledgement).toBe(AcknowledgementLevel.LEDGER);
      return answer.couponId;
    } catch (error) {
      if (ConnectError.from(error).code === Code.FailedPrecondition) return undefined;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

async function redisDirectory(): Promise<string> {
  const redis = new Redis(product.redis.url);
  const [, directory = ''] = (await redis.config('GET', 'dir')) as string[];
  redis.disconnect();
  return join(directory, 'appendonlydir');
}

async function flipBytes(directory: string): Promise<void> {
  const name = (await readdir(directory)).find((file) => file.endsWith('.incr.aof')) ?? '';
  const bytes = await readFile(join(directory, name));
  bytes.fill('?', bytes.length / 3, bytes.length / 3 + 40);
  await writeFile(join(directory, name), bytes);
}

// F10, LEDGER 17, SPEC C4, L5
it(
  'an append-only file that is damaged in its middle is left aside, and Redis is rebuilt',
  TIMEOUT,
  async () => {
    const users = Array.from({ length: 20 }, (_, index) => `user-${index}`);
    const before = await Promise.all(users.map(claim));
    const directory = await redisDirectory();
    expect((await product.run('rebuild', 'redis', '--yes')).output).toContain('nothing to rebuild');
    await product.archive.end('SIGTERM');
    await product.redis.kill();
    await flipBytes(directory);
    await expect(product.redis.restart()).rejects.toThrow();
    await rename(directory, `${directory}-damaged`);
    await product.redis.restart();
    const look = await product.run('rebuild', 'redis');
    expect(look).toMatchObject({
      code: 0,
      output: expect.stringMatching(/Redis has nothing[\s\S]*say --yes/),
    });
    const done = await product.run('rebuild', 'redis', '--yes');
    expect(done, done.output).toMatchObject({
      code: 0,
      output: expect.stringMatching(/rebuilt at entry \d+/),
    });
    await product.archive.start();
    expect(await Promise.all(users.map(claim))).toEqual(before);
    const others = Array.from({ length: 15 }, (_, index) => `other-${index}`);
    const after = await Promise.all(others.map(claim));
    expect(after.filter((couponId) => couponId !== undefined)).toHaveLength(QUANTITY - users.length);
    const audit = await product.audit();
    expect(audit.code, audit.output).toBe(0);
  },
);

it('an order that makes no sense, or cannot be now, says why and changes nothing', TIMEOUT, async () => {
  expect(await product.run('rebuild')).toMatchObject({ code: 2, output: expect.stringContaining('usage:') });
  expect(await product.run('rebuild', 'redis', '--partitions', '3')).toMatchObject({ code: 2 });
  const busy = await product.run('rebuild', 'redis', '--partitions', '4', '--yes');
  expect(busy).toMatchObject({
    code: 1,
    output: expect.stringContaining('stop all serving and archive processes'),
  });
  expect((await product.audit()).code).toBe(0);
});
