/**
 * The same life of coupons on every set-up of Redis: one server, one server with several partitions, master and replica
 * behind sentinels, and a cluster of six nodes; and masters that change places or die in the middle of claims. // SPEC C9
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventService } from '../../src/gen/hongbao/v1/event_service_pb.ts';
import { InsightService } from '../../src/gen/hongbao/v1/insight_service_pb.ts';
import { RedemptionService } from '../../src/gen/hongbao/v1/redemption_service_pb.ts';
import { startCluster } from '../chaos/topology/cluster.ts';
import type { RedisTopology } from '../chaos/topology/redis-topology.ts';
import { startReplica } from '../chaos/topology/replica.ts';
import { startSingle } from '../chaos/topology/single.ts';
import { type ProductFixture, startProduct } from '../product-fixture.ts';

const START_MS = 180_000;
const TEST_MS = 120_000;
const WORKERS = 16;
const USERS = 60;
const QUANTITY = 37;
const PAUSE_MS = 50;
/** A call that is still unknown after so many attempts fails the test. */
const ATTEMPTS = 600;
const SINGLE_PARTITIONS = '4';

interface SetUp {
  readonly name: string;
  readonly start: typeof startSingle;
  readonly environment: Readonly<Record<string, string>>;
}

const SET_UPS: readonly SetUp[] = [
  { name: 'one server', start: startSingle, environment: {} },
  {
    name: 'four partitions on one server',
    start: startSingle,
    environment: { HONGBAO_LEDGER_PARTITIONS: SINGLE_PARTITIONS },
  },
  { name: 'master and replica behind sentinels', start: startReplica, environment: {} },
  { name: 'a cluster of six nodes', start: startCluster, environment: {} },
];

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** What the contract asks of clients: an unknown outcome is asked again with the same request id. */
async function untilKnown<Answer>(call: () => Promise<Answer>): Promise<Answer | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const { code } = ConnectError.from(error);
      if (code === Code.FailedPrecondition || code === Code.ResourceExhausted) return undefined;
      if (code !== Code.Unavailable && code !== Code.DeadlineExceeded) throw error;
      await pause();
    }
  }
  throw new Error('the outcome stayed unknown');
}

describe.each(SET_UPS)('on $name', ({ start, environment }) => {
  let directory: string;
  let redis: RedisTopology;
  let product: ProductFixture;
  const closing: (() => Promise<void>)[] = [];
  let baseUrl: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hongbao-topology-'));
    closing.push(() => rm(directory, { recursive: true, force: true }));
    redis = await start({ directory, random: () => 1 / 2 });
    closing.push(() => redis.close());
    product = await startProduct({ REDIS_URL: redis.url, ...redis.environment, ...environment });
    closing.push(() => product.close());
    baseUrl = `http://127.0.0.1:${product.httpPort}`;
  }, START_MS);

  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
  }, START_MS);

  const transport = () => createConnectTransport({ baseUrl, httpVersion: '1.1' });

  async function promotion(promotionId: string, quantity?: number): Promise<void> {
    const stock = quantity === undefined ? {} : { stock: { quantity: BigInt(quantity) } };
    await untilKnown(() =>
      product.promotions.createPromotion({
        promotionId,
        requestId: `create-${promotionId}`,
        promotion: {
          name: { en: promotionId, zh: promotionId },
          currency: 'CNY',
          effect: { kind: { case: 'fixedAmountOff', value: { amountMinor: 1_000n } } },
          reach: { way: { case: 'claimable', value: {} } },
          validity: { kind: { case: 'daysAfterClaim', value: { days: 7 } } },
          ...stock,
        },
      }),
    );
    await untilKnown(() =>
      product.promotions.activatePromotion({ promotionId, requestId: `activate-${promotionId}` }),
    );
  }

  async function claim(promotionId: string, userId: string): Promise<string | undefined> {
    const request = { promotionId, userId, requestId: `claim-${promotionId}` };
    const answer = await untilKnown(() => product.coupons.claimCoupon(request, { timeoutMs: 2_000 }));
    return answer?.couponId;
  }

  /** Every user claims once, some at a time; `disturb` is called once a third of them is decided. */
  async function claimAll(
    promotionId: string,
    users: readonly string[],
    disturb?: () => Promise<void>,
  ): Promise<Map<string, string>> {
    const acknowledged = new Map<string, string>();
    const waiting = users.values();
    let disturbance: Promise<void> | undefined;
    let decided = 0;
    const work = async (): Promise<void> => {
      for (const userId of waiting) {
        const couponId = await claim(promotionId, userId);
        if (couponId !== undefined) acknowledged.set(userId, couponId);
        decided += 1;
        if (decided > users.length / 3) disturbance ??= disturb?.();
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
    await disturbance;
    return acknowledged;
  }

  const usersOf = (name: string, count = USERS): string[] =>
    Array.from({ length: count }, (_, user) => `${name}-${user}`);

  async function expectKept(promotionId: string, acknowledged: ReadonlyMap<string, string>): Promise<void> {
    for (const [userId, couponId] of acknowledged) {
      const list = await untilKnown(() => product.coupons.listCoupons({ userId }));
      expect(list?.coupons.map((coupon) => coupon.couponId)).toEqual([couponId]);
      expect(await claim(promotionId, userId)).toBe(couponId);
    }
    const count = BigInt(acknowledged.size);
    const statistics = () => product.promotions.getPromotionStatistics({ promotionId });
    await expect.poll(statistics, { timeout: 60_000 }).toMatchObject({ issued: count, archived: count });
  }

  async function expectSound(): Promise<void> {
    const { code, output } = await product.audit();
    expect(output).toContain('Every invariant holds');
    expect(code).toBe(0);
  }

  // LEDGER 8, 10: stock is exact however it is spread.
  it(
    'issues exactly the quantity, whoever asks',
    async () => {
      await promotion('limited', QUANTITY);
      const acknowledged = await claimAll('limited', usersOf('limited'));
      expect(acknowledged.size).toBe(QUANTITY);
      expect(new Set(acknowledged.values()).size).toBe(QUANTITY);
      await expectKept('limited', acknowledged);
      await expectSound();
    },
    TEST_MS,
  );

  it(
    'carries orders from reservation to return',
    async () => {
      await promotion('orders');
      const acknowledged = await claimAll('orders', usersOf('orders', 8));
      expect(acknowledged.size).toBe(8);
      const redemptions = createClient(RedemptionService, transport());
      for (const [userId, couponId] of acknowledged) {
        const orderId = `order-${userId}`;
        const cart = {
          currency: 'CNY',
          lines: [{ lineId: '1', itemId: 'tea', quantity: 1, unitPriceMinor: 5_000n }],
        };
        const order = { userId, orderId };
        const reserved = await redemptions.reserveCoupons({
          ...order,
          requestId: 'reserve',
          cart,
          couponIds: [couponId],
        });
        expect(reserved.redemption?.orderId).toBe(orderId);
        await redemptions.commitReservation({ ...order, requestId: 'commit' });
        await redemptions.returnCoupons({ ...order, requestId: 'return', reason: 'test' });
      }
      await expectSound();
    },
    TEST_MS,
  );

  it(
    'feeds and lists what happened to every user',
    async () => {
      await promotion('told');
      const since = new AbortController();
      const grpc = createGrpcTransport({ baseUrl: `http://127.0.0.1:${product.grpcPort}` });
      const stream = createClient(EventService, grpc).streamEvents({ cursor: '' }, { signal: since.signal });
      const messages = stream[Symbol.asyncIterator]();
      await messages.next();
      const acknowledged = await claimAll('told', usersOf('told', 20));
      const told = new Set<string>();
      while (told.size < acknowledged.size) {
        const { value } = await messages.next();
        for (const event of value?.events ?? []) told.add(event.userId);
      }
      since.abort();
      expect(told).toEqual(new Set(acknowledged.keys()));
      const listed: string[] = [];
      for (let pageToken = ''; ; ) {
        const page = await createClient(InsightService, transport()).listLedgerEvents({
          promotionId: 'told',
          pageSize: 7,
          pageToken,
        });
        for (const { userId } of page.events) if (userId !== '') listed.push(userId);
        pageToken = page.nextPageToken;
        if (pageToken === '') break;
      }
      expect(listed.toSorted()).toEqual([...acknowledged.keys()].toSorted());
    },
    TEST_MS,
  );

  it(
    'deletes a promotion only once every partition is past it',
    async () => {
      await promotion('gone');
      await product.promotions.deactivatePromotion({ promotionId: 'gone', requestId: 'stop' });
      await product.promotions.deletePromotion(
        { promotionId: 'gone', requestId: 'delete' },
        { timeoutMs: 10_000 },
      );
      expect(await claim('gone', 'late').catch((error) => ConnectError.from(error).code)).toBe(Code.NotFound);
    },
    TEST_MS,
  );

  const hasReplicas = start !== startSingle;

  // F15
  it.runIf(hasReplicas)(
    'loses and doubles nothing when a master hands over in the middle of claims',
    async () => {
      await promotion('handed');
      const acknowledged = await claimAll('handed', usersOf('handed', 300), async () => {
        const master = await redis.masterOf(0);
        const [replica] = await redis.replicasOf(master);
        if (replica === undefined) throw new Error('the master has no replica');
        await redis.handOver(master, replica);
        const isOther = () => redis.masterOf(0).then((now) => now !== master);
        await expect.poll(isOther, { timeout: 40_000 }).toBe(true);
      });
      expect(acknowledged.size).toBe(300);
      await expectKept('handed', acknowledged);
      await expectSound();
    },
    TEST_MS,
  );

  // F13
  it.runIf(hasReplicas)(
    'loses and doubles nothing when a master is killed in the middle of claims',
    async () => {
      await promotion('killed');
      const acknowledged = await claimAll('killed', usersOf('killed', 300), async () => {
        const master = await redis.masterOf(0);
        await master.server.kill();
        await pause();
        // The replica's place is taken again, or DURABLE would wait for a second copy for ever.
        await expect
          .poll(
            () =>
              redis.masterOf(0).then(
                (now) => now !== master,
                () => false,
              ),
            { timeout: 40_000 },
          )
          .toBe(true);
        await redis.repair();
      });
      expect(acknowledged.size).toBe(300);
      await expectKept('killed', acknowledged);
      await expectSound();
    },
    TEST_MS,
  );
});
