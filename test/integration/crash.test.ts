/**
 * kill -9 of each part in the middle of claims. Clients do what the contract asks of them: an unknown outcome is asked again
 * with the same request id. At the end no acknowledged claim is lost, none is doubled, and the audit is clean.
 */
import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProductFixture, promote, startProduct } from '../product-fixture.ts';

let product: ProductFixture;

beforeAll(async () => {
  product = await startProduct();
}, 120_000);
afterAll(() => product.close(), 60_000);

const WORKERS = 16;
const USERS = 400;
const QUANTITY = 300;
/** A claim that is still unknown after so many attempts fails the test. */
const ATTEMPTS = 400;
const PAUSE_MS = 50;

const createPromotion = (promotionId: string): Promise<void> =>
  promote(product.promotions, promotionId, { stock: { quantity: BigInt(QUANTITY) } });

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** The coupon id, or undefined when the ledger decided against the claim. Unknown outcomes are asked again. */
async function claimUntilKnown(promotionId: string, userId: string): Promise<string | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      const { couponId } = await product.coupons.claimCoupon(
        { promotionId, userId, requestId: `claim-${promotionId}` },
        { timeoutMs: 2_000 },
      );
      return couponId;
    } catch (error) {
      if (ConnectError.from(error).code === Code.FailedPrecondition) return undefined;
      await pause();
    }
  }
  throw new Error(`the claim of ${userId} stayed unknown`);
}

/** Claims for every user with some at a time; calls `disturb` once a third of them is decided. */
async function claimAll(promotionId: string, disturb: () => Promise<void>): Promise<Map<string, string>> {
  const acknowledged = new Map<string, string>();
  let next = 0;
  let decided = 0;
  let disturbance: Promise<void> | undefined;
  const work = async (): Promise<void> => {
    while (next < USERS) {
      const userId = `${promotionId}-user-${next}`;
      next += 1;
      const couponId = await claimUntilKnown(promotionId, userId);
      if (couponId !== undefined) acknowledged.set(userId, couponId);
      decided += 1;
      if (decided > USERS / 3) disturbance ??= disturb();
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  await disturbance;
  return acknowledged;
}

async function expectAllKept(promotionId: string, acknowledged: ReadonlyMap<string, string>): Promise<void> {
  expect(acknowledged.size).toBe(QUANTITY);
  expect(new Set(acknowledged.values()).size).toBe(QUANTITY);
  for (const [userId, couponId] of acknowledged) {
    const { coupons } = await product.coupons.listCoupons({ userId });
    expect(coupons.map((coupon) => coupon.couponId)).toEqual([couponId]);
  }
  const statistics = () => product.promotions.getPromotionStatistics({ promotionId });
  const all = BigInt(QUANTITY);
  await expect.poll(statistics, { timeout: 30_000 }).toMatchObject({ issued: all, archived: all });
  const { code, output } = await product.audit();
  expect(output).toContain('Every invariant holds');
  expect(code).toBe(0);
}

describe('kill -9 in the middle of claims loses and doubles nothing (SPEC C4)', () => {
  const kills: [string, (fixture: ProductFixture) => Promise<void>][] = [
    [
      'the service',
      async ({ serve }) => {
        await serve.end('SIGKILL');
        await serve.start();
      },
    ],
    [
      'the archiver',
      async ({ archive }) => {
        await archive.end('SIGKILL');
        await archive.start();
      },
    ],
    [
      'redis-server',
      async ({ redis }) => {
        await redis.kill();
        await redis.restart();
      },
    ],
    [
      'Postgres',
      async ({ postgres }) => {
        await postgres.kill();
        await postgres.restart();
      },
    ],
  ];

  it.each(kills)(
    '%s',
    async (name, kill) => {
      const promotionId = `crash-${name.replaceAll(/[^a-z]/gi, '').toLowerCase()}`;
      await createPromotion(promotionId);
      const acknowledged = await claimAll(promotionId, () => kill(product));
      await expectAllKept(promotionId, acknowledged);
    },
    120_000,
  );
});
