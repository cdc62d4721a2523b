/** The runbook of docs/recovery.md on real processes: Redis lost for good, and spread over more partitions. */
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Code, ConnectError } from '@connectrpc/connect';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AcknowledgementLevel } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import { type ProductFixture, promote, startProduct } from '../product-fixture.ts';

const TIMEOUT = { timeout: 180_000 };
const QUANTITY = 30;
const PAUSE_MS = 50;
/** A loaded machine must not fail a test. */
const PATIENCE = { timeoutMs: 25_000 };

let product: ProductFixture;
beforeAll(async () => {
  // The files of a server are destroyed, and the number of partitions changes: on one server, whatever is chosen.
  product = await startProduct({}, 'single');
}, 120_000);
afterAll(() => product.close(), 60_000);

function createPromotion(promotionId: string): Promise<void> {
  const stock = { quantity: BigInt(QUANTITY) };
  const promotion = { stock, acknowledgement: AcknowledgementLevel.LEDGER };
  return promote(product.promotions, promotionId, promotion, PATIENCE);
}

/** The coupon, or undefined when the ledger decided against the claim. Unknown outcomes are asked again. */
async function claim(promotionId: string, userId: string): Promise<string | undefined> {
  for (;;) {
    try {
      const request = { promotionId, userId, requestId: promotionId };
      const answer = await product.coupons.claimCoupon(request, { timeoutMs: 2_000 });
      expect(answer.acknowledgement).toBe(AcknowledgementLevel.LEDGER);
      return answer.couponId;
    } catch (error) {
      if (ConnectError.from(error).code === Code.FailedPrecondition) return undefined;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

async function claimAll(promotionId: string, prefix: string, count: number): Promise<(string | undefined)[]> {
  const users = Array.from({ length: count }, (_, index) => `${promotionId}-${prefix}-${index}`);
  return await Promise.all(users.map((userId) => claim(promotionId, userId)));
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
  // Where a command begins: bytes inside a value are nothing redis-server would notice.
  const middle = bytes.indexOf('\r\n*', Math.floor(bytes.length / 2)) + 2;
  bytes.fill('?', middle, middle + 40);
  await writeFile(join(directory, name), bytes);
}

// F10, LEDGER 17, SPEC C4, L5
it(
  'an append-only file that is damaged in its middle is left aside, and Redis is rebuilt',
  TIMEOUT,
  async () => {
    await createPromotion('spring');
    const before = await claimAll('spring', 'early', 20);
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
    expect(await claimAll('spring', 'early', 20)).toEqual(before);
    const after = await claimAll('spring', 'late', 15);
    expect(after.filter((couponId) => couponId !== undefined)).toHaveLength(QUANTITY - 20);
    const audit = await product.audit();
    expect(audit.code, audit.output).toBe(0);
  },
);

it('an order that makes no sense, or cannot be now, says why and changes nothing', TIMEOUT, async () => {
  expect(await product.run('rebuild')).toMatchObject({ code: 2, output: expect.stringContaining('usage:') });
  expect(await product.run('rebuild', 'redis', '--partitions', '3')).toMatchObject({ code: 2 });
  const busy = await product.run('rebuild', 'redis', '--partitions', '16', '--yes');
  expect(busy, busy.output).toMatchObject({
    code: 1,
    output: expect.stringContaining('stop all serving and archive processes'),
  });
});

// LEDGER 8, SPEC C9, L5
it(
  'another number of partitions is made from the archive, and everything goes on in it',
  TIMEOUT,
  async () => {
    await createPromotion('autumn');
    const before = await claimAll('autumn', 'early', 20);
    await Promise.all([product.serve.end('SIGTERM'), product.archive.end('SIGTERM')]);
    const done = await product.run('rebuild', 'redis', '--partitions', '4', '--yes');
    expect(done, done.output).toMatchObject({
      code: 0,
      output: expect.stringContaining('with 4 partitions is in force'),
    });
    // A process that was not told does not start.
    const untold = await product.audit();
    expect(untold).toMatchObject({ code: 1, output: expect.stringContaining('has 4 partitions') });
    product.configure({ HONGBAO_LEDGER_PARTITIONS: '4' });
    await Promise.all([product.archive.start(), product.serve.start()]);
    expect(await claimAll('autumn', 'early', 20)).toEqual(before);
    const after = await claimAll('autumn', 'late', 15);
    expect(after.filter((couponId) => couponId !== undefined)).toHaveLength(QUANTITY - 20);
    const audit = await product.audit();
    expect(audit.code, audit.output).toBe(0);
  },
);
