/** PointsService on the real product, over gRPC: the sample catalogue, exchanges at once, history, who may see what. */
import { create } from '@bufbuild/protobuf';
import { ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { ErrorInfoSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import { CouponSource } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import {
  AwardTestPointsRequestSchema,
  GetBalanceRequestSchema,
  PointsService,
  PointsTransactionType,
} from '../../src/gen/hongbao/v1/points_service_pb.ts';
import { RefusalReason } from '../../src/gen/hongbao/v1/refusal_pb.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerSettings } from '../../src/ledger-settings.ts';
import { Points } from '../../src/points/points.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { awardTestPoints } from '../../src/transport/handlers/award-test-points.ts';
import { getBalance } from '../../src/transport/handlers/get-balance.ts';
import { loadCatalogue } from '../../tools/load-catalogue.ts';
import { staffCall } from '../definition-fixture.ts';
import { soon } from '../ledger-fixture.ts';
import { type ProductFixture, startProduct } from '../product-fixture.ts';
import type { TestRedis } from '../redis-set-up.ts';

const PARALLEL = 50;

let product: ProductFixture;
let client: ReturnType<typeof createClient<typeof PointsService>>;
let ledger: Ledger;
let points: Points;

beforeAll(async () => {
  product = await startProduct();
  const baseUrl = `http://127.0.0.1:${product.grpcPort}`;
  client = createClient(PointsService, createGrpcTransport({ baseUrl }));
  await loadCatalogue(`http://127.0.0.1:${product.httpPort}`, AbortSignal.timeout(60_000));
  ({ ledger, points } = await pointsOn(product.redis));
}, 120_000);
afterAll(async () => {
  await ledger.close();
  await product.close();
}, 60_000);

/** What takes in events: the points of another process, on the same ledger. */
async function pointsOn({ url, environment }: TestRedis): Promise<{ ledger: Ledger; points: Points }> {
  const DATABASE_URL = 'postgres://unused/unused';
  const config = readConfig('audit', { DATABASE_URL, REDIS_URL: url, ...environment });
  const metrics = createMetrics({ version: 'test', node: process.version });
  const made = new Ledger({
    settings: ledgerSettings(config),
    metrics,
    logger: createLogger({ level: 'silent', role: 'test' }),
    defineMissing: async () => false,
    nowMs: () => Date.now(),
  });
  await made.start(10_000);
  return { ledger: made, points: new Points({ ledger: made, settings: config.points, metrics }) };
}

async function earn(userId: string, paidMinor: number, orderId = 'order-1'): Promise<void> {
  await points.earn({ userId, orderId, paidMinor, currency: 'USD' }, soon());
}

async function refusalOf(call: Promise<unknown>) {
  const thrown = await call.then(
    () => new Error('the call was not refused'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof ConnectError)) throw thrown;
  const [info] = thrown.findDetails(ErrorInfoSchema);
  return { reason: info?.reason, metadata: info?.metadata };
}

// SPEC T2, T3
describe('points, from the order to the coupon', () => {
  it('buy what the catalogue offers, and the history adds up', async () => {
    const userId = 'ann';
    await earn(userId, 25_075);
    expect((await client.getBalance({ userId })).balance).toMatchObject({
      totalEarned: 250n,
      available: 250n,
      debt: 0n,
    });
    const offers = await client.listExchangeablePromotions({ userId });
    expect(offers.available).toBe(250n);
    expect(
      offers.promotions.map(({ promotion, pointsRequired, affordable, exchangeable, stockLeft }) => [
        promotion?.promotionId,
        pointsRequired,
        affordable,
        exchangeable,
        stockLeft,
      ]),
    ).toEqual([
      ['points-5-off', 100n, true, true, undefined],
      ['points-10-off', 200n, true, true, 1_000n],
    ]);

    const request = { userId, promotionId: 'points-10-off', requestId: 'r1' };
    const bought = await client.exchangeCoupon(request);
    expect(bought).toMatchObject({
      pointsSpent: 200n,
      pointsLeft: 50n,
      replayed: false,
      promotionVersion: 2,
    });
    const again = await client.exchangeCoupon(request);
    expect(again).toEqual({ ...bought, replayed: true });

    const wallet = await product.coupons.listCoupons({ userId });
    expect(wallet.coupons.map(({ couponId, source }) => [couponId, source])).toEqual([
      [bought.couponId, CouponSource.POINTS],
    ]);
    const { transactions } = await client.listTransactions({ userId });
    expect(
      transactions.map(({ transactionId, points: moved, balanceAfter, referenceType, referenceId }) => [
        transactionId,
        moved,
        balanceAfter,
        referenceType,
        referenceId,
      ]),
    ).toEqual([
      ['2', -200n, 50n, 'coupon', bought.couponId],
      ['1', 250n, 250n, 'order', 'order-1'],
    ]);
    expect(transactions[0]?.occurredAt).toEqual(bought.issuedAt);
  });

  it('are too few for what costs more, and the list says how many', async () => {
    const userId = 'bea';
    await earn(userId, 12_000);
    const { promotions } = await client.listExchangeablePromotions({ userId });
    expect(promotions.at(-1)).toMatchObject({
      affordable: false,
      pointsShort: 80n,
      exchangeable: false,
      refusalReason: RefusalReason.INSUFFICIENT_POINTS,
    });
    const call = client.exchangeCoupon({ userId, promotionId: 'points-10-off', requestId: 'r1' });
    expect(await refusalOf(call)).toMatchObject({
      reason: 'INSUFFICIENT_POINTS',
      metadata: expect.objectContaining({ needed: '200', seen: '120', short: '80' }),
    });
    await client.exchangeCoupon({ userId, promotionId: 'points-5-off', requestId: 'r2' });
    const after = await client.listExchangeablePromotions({ userId });
    expect(after.available).toBe(20n);
    expect(after.promotions[0]).toMatchObject({
      pointsShort: 80n,
      refusalReason: RefusalReason.INSUFFICIENT_POINTS,
    });
  });

  it.each([
    ['no-such-promotion', 'PROMOTION_NOT_FOUND'],
    ['no-threshold-10', 'PROMOTION_NOT_EXCHANGEABLE'],
  ])('do not buy %s: %s', async (promotionId, reason) => {
    const call = client.exchangeCoupon({ userId: 'cat', promotionId, requestId: 'r1' });
    expect(await refusalOf(call)).toMatchObject({ reason });
  });

  it('cannot be claimed around (SPEC P8)', async () => {
    const call = product.coupons.claimCoupon({ userId: 'dan', promotionId: 'points-5-off', requestId: 'r1' });
    expect(await refusalOf(call)).toMatchObject({ reason: 'PROMOTION_NOT_CLAIMABLE' });
  });

  it('for one coupon buy one, however many ask at once', async () => {
    const userId = 'eve';
    await earn(userId, 10_000);
    const promotionIds = ['points-5-off', 'points-10-off'];
    const outcomes = await Promise.allSettled(
      Array.from({ length: PARALLEL }, (_, index) =>
        client.exchangeCoupon({ userId, promotionId: promotionIds[index % 2] ?? '', requestId: `r${index}` }),
      ),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await product.coupons.listCoupons({ userId })).coupons).toHaveLength(1);
    expect((await client.getBalance({ userId })).balance).toMatchObject({ available: 0n, totalEarned: 100n });
  });
});

// SPEC T2
describe('the history of points', () => {
  it('comes in pages and by type, newest first, without holes', async () => {
    const userId = 'fay';
    for (let order = 1; order <= 7; order += 1) await earn(userId, 1_000, `order-${order}`);
    await client.awardTestPoints({ userId, requestId: 'r1', points: 5n, reason: 'to try' });
    const seen: string[] = [];
    for (let pageToken = ''; ; ) {
      const page = await client.listTransactions({ userId, pageSize: 3, pageToken });
      seen.push(...page.transactions.map(({ transactionId }) => transactionId));
      if (page.nextPageToken === '') break;
      pageToken = page.nextPageToken;
    }
    expect(seen).toEqual(['8', '7', '6', '5', '4', '3', '2', '1']);
    const awards = await client.listTransactions({ userId, types: [PointsTransactionType.AWARD] });
    expect(awards.transactions).toMatchObject([
      { points: 5n, balanceAfter: 75n, reason: 'to try', referenceType: 'test', referenceId: 'r1' },
    ]);
    expect(awards.transactions[0]?.description?.zh).toBe('测试赠送积分');
  });

  it('refuses a page of another list', async () => {
    await earn('kay', 1_000, 'order-1');
    await earn('kay', 1_000, 'order-2');
    const { nextPageToken } = await client.listTransactions({ userId: 'kay', pageSize: 1 });
    expect(nextPageToken).not.toBe('');
    const call = client.listTransactions({ userId: 'ann', pageSize: 1, pageToken: nextPageToken });
    expect(await refusalOf(call)).toMatchObject({ reason: 'INVALID_REQUEST' });
  });
});

// SPEC T4
describe('a test award', () => {
  it('is given once per request', async () => {
    const request = { userId: 'gus', requestId: 'r1', points: 100n };
    expect(await client.awardTestPoints(request)).toMatchObject({
      balance: { available: 100n },
      replayed: false,
    });
    expect(await client.awardTestPoints(request)).toMatchObject({
      balance: { available: 100n },
      replayed: true,
    });
  });

  it('is refused outside of development', async () => {
    const request = create(AwardTestPointsRequestSchema, { userId: 'gus', requestId: 'r2', points: 1n });
    const call = awardTestPoints({ points, isDevelopment: false })(request, staffCall());
    await expect(call).rejects.toMatchObject({ reason: 'NOT_IN_DEVELOPMENT' });
  });
});

it('an end user sees own points only (SPEC S1)', async () => {
  await earn('hal', 1_000);
  const identity = { kind: 'end_user', actor: 'hal', userId: 'hal', scopes: new Set<string>() } as const;
  const ask = (userId: string) =>
    getBalance({ points })(create(GetBalanceRequestSchema, { userId }), staffCall({ identity }));
  expect(await ask('')).toMatchObject({ balance: { available: 10n } });
  await expect(ask('ann')).rejects.toMatchObject({ reason: 'USER_NOT_FOUND' });
});

it('what can be spent is what all transactions brought, in the ledger and in the archive (SPEC T4)', async () => {
  await earn('lea', 20_000);
  await client.exchangeCoupon({ userId: 'lea', promotionId: 'points-5-off', requestId: 'r1' });
  await points.reverse({ userId: 'lea', orderId: 'order-1', remainingPaidMinor: 5_000, reason: '' }, soon());
  const { balance } = await client.getBalance({ userId: 'lea' });
  expect(balance).toMatchObject({ available: 0n, debt: 50n, totalEarned: 200n });
  const { code, output } = await product.audit();
  expect(output).toContain('points');
  expect(code, output).toBe(0);
}, 60_000);
