/** Retention on the real product: what left Redis is still listed, counted and found, and can be returned and refunded. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { createDatabase, type Sql } from '../../src/database/client.ts';
import { MS_PER_DAY } from '../../src/domain/durations.ts';
import { ErrorInfoSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import { CouponChange, CouponState, CouponView } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import { EventService } from '../../src/gen/hongbao/v1/event_service_pb.ts';
import {
  RedemptionService,
  RedemptionState,
  RefundPolicy,
} from '../../src/gen/hongbao/v1/redemption_service_pb.ts';
import { createRetireJob } from '../../src/jobs/retire-ledger.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerSettings } from '../../src/ledger-settings.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { PLACES, runOnce } from '../archived-ledger.ts';
import { type ProductFixture, startProduct } from '../product-fixture.ts';

const DAYS = 90;
const PATIENCE = { timeout: 20_000, interval: 20 };
const VIEWS = [CouponView.UNSPECIFIED, CouponView.AVAILABLE, CouponView.USED, CouponView.EXPIRED];
const CART = {
  currency: 'CNY',
  lines: [{ lineId: 'a', itemId: 'duck', quantity: 3, unitPriceMinor: 6_000n }],
};
const ORDERS = ['o1', 'o2', 'o3', 'o4'];

let product: ProductFixture;
let orders: ReturnType<typeof createClient<typeof RedemptionService>>;
let events: ReturnType<typeof createClient<typeof EventService>>;
let sql: Sql;
let ledger: Ledger;
/** Oldest first: used by the orders, revoked, unused. */
let couponIds: string[] = [];

beforeAll(async () => {
  product = await startProduct();
  const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${product.grpcPort}` });
  orders = createClient(RedemptionService, transport);
  events = createClient(EventService, transport);
  const databaseUrl = product.postgres.url('hongbao');
  const options = {
    applicationName: 'test',
    maxConnections: 2,
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 2_000,
  };
  sql = createDatabase(databaseUrl, options);
  const { url, environment } = product.redis;
  const config = readConfig('audit', { DATABASE_URL: databaseUrl, REDIS_URL: url, ...environment });
  ledger = new Ledger({
    settings: ledgerSettings(config),
    metrics: createMetrics({ version: 'test', node: process.version }),
    logger: createLogger({ level: 'silent', role: 'test' }),
    defineMissing: async () => false,
    nowMs: Date.now,
  });
  await ledger.start(10_000);
  await promote();
}, 120_000);
afterAll(async () => {
  await ledger.close();
  await sql.end({ timeout: 1 });
  await product.close();
}, 60_000);

async function promote(): Promise<void> {
  await product.promotions.createPromotion({
    promotionId: 'ten',
    requestId: 'create',
    promotion: {
      name: { en: 'ten', zh: 'ten' },
      currency: 'CNY',
      effect: { kind: { case: 'fixedAmountOff', value: { amountMinor: 2_000n } } },
      reach: { way: { case: 'claimable', value: {} } },
      stock: { unlimitedPerUser: true },
      validity: { kind: { case: 'daysAfterClaim', value: { days: 7 } } },
    },
  });
  await product.promotions.activatePromotion({ promotionId: 'ten', requestId: 'activate' });
}

async function claim(userId: string, name: string): Promise<string> {
  const request = { promotionId: 'ten', userId, requestId: `claim-${name}` };
  return (await product.coupons.claimCoupon(request)).couponId;
}

/** Uses a coupon for each order, gets one revoked, and keeps one. */
async function liveThrough(userId: string): Promise<string[]> {
  const ids: string[] = [];
  for (const orderId of ORDERS) {
    const couponId = await claim(userId, orderId);
    const use = () =>
      orders
        .useCoupons({ userId, orderId, requestId: 'use', cart: CART, couponIds: [couponId] })
        .then(({ redemption }) => redemption?.state, String);
    await expect.poll(use, PATIENCE).toBe(RedemptionState.COMMITTED);
    ids.push(couponId);
  }
  const revoked = await claim(userId, 'revoked');
  const list = { coupons: [{ userId, couponId: revoked }] };
  await product.promotions.revokeCoupons({
    requestId: 'revoke',
    reason: 'a mistake',
    coupons: { case: 'list', value: list },
  });
  return [...ids, revoked, await claim(userId, 'kept')];
}

async function retire(orderCount: number): Promise<void> {
  const job = createRetireJob({
    sql,
    places: PLACES,
    ledger,
    days: DAYS,
    cron: '0 3 * * *',
    timeZone: 'UTC',
    nowMs: Date.now,
  });
  const run = () => runOnce(job, Date.now() + (DAYS + 1) * MS_PER_DAY);
  let left = 0;
  const leave = async () => {
    left += Number((await run())['orders']);
    return left;
  };
  await expect.poll(leave, PATIENCE).toBe(orderCount);
}

async function pagesOf(userId: string, view: CouponView, pageSize: number) {
  const pages = [];
  for (let pageToken = ''; ; ) {
    const page = await product.coupons.listCoupons({ userId, view, pageSize, pageToken });
    pages.push(page);
    pageToken = page.nextPageToken;
    if (pageToken === '') return pages;
  }
}

/** Everything a user can see of coupons and orders. */
async function seen(userId: string) {
  const views = [];
  for (const view of VIEWS) for (const size of [1, 2, 100]) views.push(await pagesOf(userId, view, size));
  const coupons = await Promise.all(
    couponIds.map((couponId) => product.coupons.getCoupon({ userId, couponId })),
  );
  const known = await Promise.all(ORDERS.map((orderId) => orders.getRedemption({ userId, orderId })));
  const { counts } = await product.coupons.getCouponStatistics({ userId });
  return { views, coupons, known, counts };
}

async function walletFields(userId: string): Promise<number> {
  const [wallet] = await ledger.read(Date.now() + 5_000, (reads) =>
    reads.wallet(userId).then((all) => [all]),
  );
  return wallet?.length ?? 0;
}

async function refusalOf(call: Promise<unknown>): Promise<string | undefined> {
  const thrown = await call.then(
    () => new Error('the call was not refused'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof ConnectError)) throw thrown;
  return thrown.findDetails(ErrorInfoSchema)[0]?.reason;
}

async function stateOf(couponId: string): Promise<CouponState | undefined> {
  return (await product.coupons.getCoupon({ userId: 'ann', couponId })).coupon?.state;
}

// SPEC C9, L4, L10
describe('after its days in Redis', { shuffle: false }, () => {
  it('everything is listed in pages, counted and found with its history as before', async () => {
    couponIds = await liveThrough('ann');
    await claim('bob', 'only');
    const before = await seen('ann');
    expect(before.counts).toMatchObject({ unused: 1n, used: 4n, revoked: 1n });
    await retire(ORDERS.length);
    await expect.poll(() => walletFields('ann'), PATIENCE).toBe(1);
    expect(await seen('ann')).toEqual(before);
    const ids = (await pagesOf('ann', CouponView.UNSPECIFIED, 4)).flatMap(({ coupons }) =>
      coupons.map(({ couponId }) => couponId),
    );
    expect(ids).toEqual(couponIds.toReversed());
  });

  it('reading brings nothing back, and nobody sees the coupons of others', async () => {
    expect(await walletFields('ann')).toBe(1);
    const [couponId = ''] = couponIds;
    expect(await refusalOf(product.coupons.getCoupon({ userId: 'bob', couponId }))).toBe('COUPON_NOT_FOUND');
    expect(await refusalOf(orders.getRedemption({ userId: 'bob', orderId: 'o1' }))).toBe('ORDER_NOT_FOUND');
    expect(await refusalOf(orders.returnCoupons({ userId: 'bob', orderId: 'o1', requestId: 'r' }))).toBe(
      'ORDER_NOT_FOUND',
    );
  });

  it('an order is returned late, once, and its coupon can be used again', async () => {
    const [couponId = ''] = couponIds;
    const request = { userId: 'ann', orderId: 'o1', requestId: 'return', reason: 'late' };
    const [one, other] = await Promise.all([orders.returnCoupons(request), orders.returnCoupons(request)]);
    expect([one.replayed, other.replayed].sort()).toEqual([false, true]);
    expect(one.redemption?.state).toBe(RedemptionState.RETURNED);
    expect(await stateOf(couponId)).toBe(CouponState.UNUSED);
    const { history } = await product.coupons.getCoupon({ userId: 'ann', couponId });
    expect(history.map(({ change }) => change)).toEqual([
      CouponChange.ISSUED,
      CouponChange.USED,
      CouponChange.RETURNED,
    ]);
    const [available, used] = await Promise.all([
      product.coupons.listCoupons({ userId: 'ann', view: CouponView.AVAILABLE }),
      product.coupons.listCoupons({ userId: 'ann', view: CouponView.USED }),
    ]);
    expect([available.coupons.length, used.coupons.length]).toEqual([2, 3]);
    expect(used.counts).toMatchObject({ unused: 2n, used: 3n, revoked: 1n });
    const { counts } = await product.coupons.getCouponStatistics({ userId: 'ann' });
    expect(counts).toMatchObject({ unused: 2n, used: 3n, revoked: 1n });
  });

  it('units of an order are refunded late, exactly', async () => {
    const part = {
      userId: 'ann',
      orderId: 'o2',
      requestId: 'refund-1',
      lines: [{ lineId: 'a', quantity: 1 }],
      policy: RefundPolicy.KEEP,
    };
    const { refund } = await orders.refundItems(part);
    const rest = { ...part, requestId: 'refund-2', lines: [{ lineId: 'a', quantity: 2 }] };
    const { refund: last, redemption } = await orders.refundItems(rest);
    expect((refund?.refundMinor ?? 0n) + (last?.refundMinor ?? 0n)).toBe(16_000n);
    expect(redemption?.state).toBe(RedemptionState.RETURNED);
    expect(await stateOf(couponIds[1] ?? '')).toBe(CouponState.UNUSED);
    expect((await orders.refundItems(part)).replayed).toBe(true);
  });

  it.each([
    ['o3', 2, { case: 'orderCancelled', value: { orderId: 'o3', reason: 'lost' } }],
    ['o4', 3, { case: 'orderRefunded', value: { orderId: 'o4', refundedMinor: 16_000n, whole: true } }],
  ] as const)('an event about %s gives its coupon back', async (orderId, index, event) => {
    const occurredAt = timestampFromMs(Date.now());
    await events.ingestEvent({ eventId: `late-${orderId}`, userId: 'ann', occurredAt, event });
    await expect.poll(() => stateOf(couponIds[index] ?? ''), PATIENCE).toBe(CouponState.UNUSED);
    const { redemption } = await orders.getRedemption({ userId: 'ann', orderId });
    expect(redemption?.state).toBe(RedemptionState.RETURNED);
  });

  it('what came back leaves again, and the audit finds nothing', async () => {
    await retire(ORDERS.length);
    expect(await product.coupons.listCoupons({ userId: 'ann' })).toMatchObject({
      counts: { unused: 5n, used: 0n, revoked: 1n },
    });
    const { code, output } = await product.audit();
    expect(output).toContain('Every invariant holds.');
    expect(code).toBe(0);
  });

  it('without Postgres only users with coupons in the archive are refused', async () => {
    await product.coupons.listCoupons({ userId: 'bob' });
    await product.postgres.kill();
    expect(await refusalOf(product.coupons.listCoupons({ userId: 'ann' }))).toBe('ARCHIVE_UNAVAILABLE');
    expect(await refusalOf(product.coupons.getCouponStatistics({ userId: 'ann' }))).toBe(
      'ARCHIVE_UNAVAILABLE',
    );
    expect((await product.coupons.listCoupons({ userId: 'bob' })).coupons).toHaveLength(1);
    expect((await product.coupons.getCouponStatistics({ userId: 'bob' })).counts).toMatchObject({
      unused: 1n,
    });
    await product.postgres.restart();
  });
});
