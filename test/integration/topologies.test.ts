/**
 * The same life of coupons on every set-up of Redis beside the one server that all other tests run on: several partitions,
 * master and replica behind sentinels, and a cluster of six nodes; and masters that change places, die, or give a partition
 * away in the middle of claims. `npm run test:topologies` runs everything else on them too. // SPEC C9, LEDGER 18
 */
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventService } from '../../src/gen/hongbao/v1/event_service_pb.ts';
import { InsightService } from '../../src/gen/hongbao/v1/insight_service_pb.ts';
import { RedemptionService } from '../../src/gen/hongbao/v1/redemption_service_pb.ts';
import type { RedisNode } from '../chaos/topology/redis-node.ts';
import type { RedisTopology } from '../chaos/topology/redis-topology.ts';
import { type ProductFixture, promote, startProduct } from '../product-fixture.ts';
import type { SetUp } from '../redis-set-up.ts';

const START_MS = 180_000;
const TEST_MS = 180_000;
const WORKERS = 16;
const USERS = 48;
const QUANTITY = 31;
/** Claims in the middle of which something happens. */
const DISTURBED = 96;
const PAUSE_MS = 50;
/** A call that is still unknown after so many attempts fails the test. */
const ATTEMPTS = 600;
/** How long a change of masters may take on a loaded machine, in milliseconds. */
const CHANGE_MS = 60_000;
/** The partition that is moved. */
const MOVED = 3;

const CART = {
  currency: 'CNY',
  lines: [{ lineId: '1', itemId: 'tea', quantity: 1, unitPriceMinor: 5_000n }],
};

const SET_UPS = [
  { setUp: 'partitions', name: 'four partitions on one server' },
  { setUp: 'replica', name: 'master and replica behind sentinels' },
  { setUp: 'cluster', name: 'a cluster of six nodes' },
] as const;

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

for (const { setUp, name } of SET_UPS) describe(`on ${name}`, { shuffle: false }, () => lifeOn(setUp));

function lifeOn(setUp: SetUp): void {
  let product: ProductFixture;
  let baseUrl: string;

  beforeAll(async () => {
    product = await startProduct({}, setUp);
    baseUrl = `http://127.0.0.1:${product.httpPort}`;
  }, START_MS);

  afterAll(() => product?.close(), START_MS);

  /** The servers, and what can be done to them. */
  function servers(): RedisTopology {
    const { topology } = product.redis;
    if (topology === undefined) throw new Error('there is one server only');
    return topology;
  }

  const transport = () => createConnectTransport({ baseUrl, httpVersion: '1.1' });

  async function promotion(promotionId: string, quantity?: number): Promise<void> {
    const stock = quantity === undefined ? {} : { stock: { quantity: BigInt(quantity) } };
    await untilKnown(() => promote(product.promotions, promotionId, stock));
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
    expect(new Set(acknowledged.values()).size).toBe(acknowledged.size);
    const waiting = acknowledged.entries();
    const work = async (): Promise<void> => {
      for (const [userId, couponId] of waiting) {
        // First, as it waits for a partition that is shut; a list may not.
        expect(await claim(promotionId, userId)).toBe(couponId);
        const list = await untilKnown(() => product.coupons.listCoupons({ userId }));
        expect(list?.coupons.map((coupon) => coupon.couponId)).toEqual([couponId]);
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, work));
    const count = BigInt(acknowledged.size);
    const statistics = () => product.promotions.getPromotionStatistics({ promotionId });
    await expect.poll(statistics, { timeout: 60_000 }).toMatchObject({ issued: count, archived: count });
  }

  /** Everybody claims, something happens in the middle, and nothing is lost, doubled or refused. */
  async function claimThrough(promotionId: string, disturb: () => Promise<void>): Promise<void> {
    await promotion(promotionId);
    const acknowledged = await claimAll(promotionId, usersOf(promotionId, DISTURBED), disturb);
    expect(acknowledged.size).toBe(DISTURBED);
    await expectKept(promotionId, acknowledged);
  }

  async function untilMasterIsNot(before: RedisNode): Promise<void> {
    const now = () =>
      servers()
        .masterOf(0)
        .catch(() => before);
    await expect.poll(() => now().then((node) => node !== before), { timeout: CHANGE_MS }).toBe(true);
  }

  // LEDGER 8, 10: stock is exact however it is spread.
  it(
    'issues exactly the quantity, whoever asks',
    async () => {
      await promotion('limited', QUANTITY);
      const acknowledged = await claimAll('limited', usersOf('limited'));
      expect(acknowledged.size).toBe(QUANTITY);
      await expectKept('limited', acknowledged);
    },
    TEST_MS,
  );

  it(
    'carries orders from reservation to return, and hides a coupon that was used',
    async () => {
      await promotion('orders');
      const acknowledged = await claimAll('orders', usersOf('orders', 8));
      expect(acknowledged.size).toBe(8);
      const redemptions = createClient(RedemptionService, transport());
      for (const [userId, couponId] of acknowledged) {
        const orderId = `order-${userId}`;
        const order = { userId, orderId };
        const reserved = await redemptions.reserveCoupons({
          ...order,
          requestId: 'reserve',
          cart: CART,
          couponIds: [couponId],
        });
        expect(reserved.redemption?.orderId).toBe(orderId);
        await redemptions.commitReservation({ ...order, requestId: 'commit' });
        await redemptions.returnCoupons({ ...order, requestId: 'return', reason: 'test' });
      }
      const [[userId, couponId] = ['', '']] = acknowledged;
      const order = { userId, orderId: 'used-up' };
      await redemptions.reserveCoupons({ ...order, requestId: 'reserve', cart: CART, couponIds: [couponId] });
      await redemptions.commitReservation({ ...order, requestId: 'commit' });
      for (let times = 0; times < 2; times += 1) {
        await product.coupons.hideCoupon({ userId, couponId, requestId: 'hide' });
        expect((await product.coupons.listCoupons({ userId })).coupons).toEqual([]);
      }
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
        // What was claimed before may reach the feed only now.
        for (const { userId } of value?.events ?? []) if (userId.startsWith('told-')) told.add(userId);
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

  // LEDGER 15
  it(
    'gives a partition back what it lost',
    async () => {
      await promotion('lost');
      const acknowledged = await claimAll('lost', usersOf('lost'));
      await expectKept('lost', acknowledged);
      const { redis, keys } = await product.redis.at('lost-0');
      const lost = await redis.keys(keys.meta.replace('meta', '*'));
      expect(lost).toContain(`${keys.walletPrefix}lost-0`);
      await redis.del(lost);
      redis.disconnect();
      await expectKept('lost', acknowledged);
    },
    TEST_MS,
  );

  // F15
  it.runIf(setUp !== 'partitions')(
    'loses and doubles nothing when a master hands over in the middle of claims',
    () =>
      claimThrough('handed', async () => {
        const master = await servers().masterOf(0);
        const [replica] = await servers().replicasOf(master);
        if (replica === undefined) throw new Error('the master has no replica');
        await servers().handOver(master, replica);
        await untilMasterIsNot(master);
      }),
    TEST_MS,
  );

  // F13
  it.runIf(setUp !== 'partitions')(
    'loses and doubles nothing when a master is killed in the middle of claims',
    () =>
      claimThrough('killed', async () => {
        const master = await servers().masterOf(0);
        await master.server.kill();
        await untilMasterIsNot(master);
        // The replica's place is taken again, or DURABLE would wait for a second copy for ever.
        await servers().repair();
      }),
    TEST_MS,
  );

  // LEDGER 18: `hongbao move`
  it.runIf(setUp === 'cluster')(
    'loses, doubles and refuses nothing when a partition moves to another master in the middle of claims',
    async () => {
      const source = await servers().masterOf(MOVED);
      const target = (await servers().masters()).find((master) => master !== source);
      if (target === undefined) throw new Error('there is no other master');
      const move = ['move', '--partition', String(MOVED), '--to', `127.0.0.1:${target.proxy.port}`];
      await claimThrough('moved', async () => {
        const { code, output } = await product.run(...move);
        expect(output).toMatch(
          /partition 3 is at \S+, [1-9]\d* keys handed over, open; its writes waited \d+ ms/,
        );
        expect(code).toBe(0);
      });
      expect(await servers().masterOf(MOVED)).toBe(target);
      const again = await product.run(...move);
      expect(again).toMatchObject({ code: 0, output: expect.stringContaining('0 keys handed over, open') });
      const [nobody, noPartition] = await Promise.all([
        product.run('move', '--partition', String(MOVED), '--to', '127.0.0.1:1'),
        product.run('move', '--partition', '99', '--to', '127.0.0.1:1'),
      ]);
      expect(nobody.code).toBe(1);
      expect(nobody.output).toContain('127.0.0.1:1 is no master of this cluster');
      expect(noPartition.code).toBe(2);
      expect(await servers().masterOf(MOVED)).toBe(target);
    },
    TEST_MS,
  );

  // LEDGER 21: of everything that happened above.
  it(
    'leaves a ledger and an archive in which the audit finds nothing',
    async () => {
      const { code, output } = await product.audit();
      expect(output).toContain('Every invariant holds');
      expect(code).toBe(0);
    },
    TEST_MS,
  );
}
