/** Traces of the running product, as a collector gets them. SPEC C7, C8 */
import { randomBytes } from 'node:crypto';
import { create, type Message, type MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CartService, EvaluateCartRequestSchema } from '../../src/gen/hongbao/v1/cart_service_pb.ts';
import {
  BatchClaimCouponsRequestSchema,
  ClaimCouponRequestSchema,
  CouponService,
} from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import {
  ListAuditEntriesRequestSchema,
  PromotionService,
} from '../../src/gen/hongbao/v1/promotion_service_pb.ts';
import {
  RedemptionService,
  UseCouponsRequestSchema,
} from '../../src/gen/hongbao/v1/redemption_service_pb.ts';
import { type ProductFixture, startProduct } from '../product-fixture.ts';
import { type WireCall, wireCalls } from '../transport/wire-clients.ts';
import { type Collector, type SeenSpan, startCollector } from './collector.ts';

const PATIENCE = { timeout: 15_000, interval: 50 };
const INTERNAL = 1;
const SERVER = 2;
const CLIENT = 3;
const PERSON = 'person-13800138000';
const PROMOTION = 'traced';

let collector: Collector;
let product: ProductFixture;
let ways: ReturnType<typeof wireCalls>;
let grpc: WireCall;

beforeAll(async () => {
  collector = await startCollector();
  product = await startProduct({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    HONGBAO_TRACING_SAMPLE_RATIO: '1',
  });
  ways = wireCalls({ grpcPort: product.grpcPort, httpPort: product.httpPort, opsPort: 0 });
  grpc = ways.calls['gRPC by grpc-js'] ?? (() => Promise.reject(new Error('no such way')));
  await product.promotions.createPromotion({
    promotionId: PROMOTION,
    requestId: 'create',
    promotion: {
      name: { en: PROMOTION, zh: PROMOTION },
      currency: 'CNY',
      effect: { kind: { case: 'fixedAmountOff', value: { amountMinor: 100n } } },
      reach: { way: { case: 'claimable', value: {} } },
      validity: { kind: { case: 'daysAfterClaim', value: { days: 7 } } },
    },
  });
  await product.promotions.activatePromotion({ promotionId: PROMOTION, requestId: 'activate' });
  await claim(grpc, PERSON, {});
}, 120_000);
afterAll(async () => {
  ways.close();
  await product.close();
  await collector.close();
}, 60_000);

/** A trace begun by a caller. */
function newTrace(flags = '01') {
  const traceId = randomBytes(16).toString('hex');
  const parentId = randomBytes(8).toString('hex');
  return { traceId, parentId, headers: { traceparent: `00-${traceId}-${parentId}-${flags}` } };
}

/** What has come of a trace, once all of these names are among it. */
async function seen(traceId: string, names: readonly string[]): Promise<SeenSpan[]> {
  const ofTrace = () => collector.spans.filter((span) => span.traceId === traceId);
  await vi.waitFor(
    () => expect(ofTrace().map(({ name }) => name)).toEqual(expect.arrayContaining([...names])),
    PATIENCE,
  );
  return ofTrace();
}

const named = (spans: readonly SeenSpan[], name: string): SeenSpan => {
  const found = spans.find((span) => span.name === name);
  if (found === undefined) throw new Error(`no span ${name}`);
  return found;
};

const claimOf = (userId: string): MessageInitShape<typeof ClaimCouponRequestSchema> => ({
  promotionId: PROMOTION,
  userId,
  requestId: 'one',
});

const claim = (way: WireCall, userId: string, headers: Readonly<Record<string, string>>) =>
  way(CouponService.method.claimCoupon, create(ClaimCouponRequestSchema, claimOf(userId)), headers);

const cart = {
  currency: 'CNY',
  lines: [{ lineId: '1', itemId: 'duck', quantity: 1, unitPriceMinor: 10_000n }],
};
const CLAIM = 'hongbao.v1.CouponService/ClaimCoupon';

/** In order: the end of the process comes last. */
describe('traces of the running product', { shuffle: false }, () => {
  describe('one call is one trace', () => {
    const systems = {
      'gRPC by grpc-js': 'grpc',
      'Connect, binary': 'connect_rpc',
      'Connect, JSON': 'connect_rpc',
      'gRPC-Web': 'grpc',
    };

    test.each(Object.entries(systems))(
      'a claim by %s, joined to the trace of its caller',
      async (name, system) => {
        const { traceId, parentId, headers } = newTrace();
        const way = ways.calls[name] ?? grpc;
        expect(await claim(way, `${PERSON}-${name.length}`, headers)).toHaveProperty('ok');
        const spans = await seen(traceId, [CLAIM, 'EVALSHA claim']);
        const server = named(spans, CLAIM);
        expect(server).toMatchObject({ parentId, kind: SERVER, isError: false, service: 'serve' });
        expect(server.attributes).toMatchObject({
          'rpc.system': system,
          'rpc.service': 'hongbao.v1.CouponService',
          'rpc.method': 'ClaimCoupon',
          'rpc.response.status_code': 'OK',
        });
        const script = named(spans, 'EVALSHA claim');
        expect(script).toMatchObject({ parentId: server.spanId, kind: CLIENT });
        expect(script.attributes).toMatchObject({
          'db.system.name': 'redis',
          'db.stored_procedure.name': 'claim',
        });
      },
    );

    test('a cart: wallet and worker threads', async () => {
      const { traceId, headers } = newTrace();
      const request = create(EvaluateCartRequestSchema, { userId: PERSON, useWallet: true, cart });
      await grpc(CartService.method.evaluateCart, request, headers);
      const spans = await seen(traceId, ['hongbao.v1.CartService/EvaluateCart', 'evaluate', 'read ledger']);
      const server = named(spans, 'hongbao.v1.CartService/EvaluateCart');
      expect(Number(server.attributes['hongbao.evaluation.worker_microseconds'])).toBeGreaterThan(0);
      const task = named(spans, 'evaluate');
      expect(task).toMatchObject({ parentId: server.spanId, kind: INTERNAL });
      expect(task.attributes['hongbao.evaluation.pool']).toBe('light');
      expect(named(spans, 'read wallets').parentId).toBe(server.spanId);
      expect(named(spans, 'read ledger').parentId).toBe(named(spans, 'read wallets').spanId);
    });

    test('a statement of Postgres, with its text and without its values', async () => {
      const { traceId, headers } = newTrace();
      const request = create(ListAuditEntriesRequestSchema, { promotionId: PROMOTION });
      await grpc(PromotionService.method.listAuditEntries, request, headers);
      const method = 'hongbao.v1.PromotionService/ListAuditEntries';
      const spans = await seen(traceId, [method]);
      const statement = spans.find(({ attributes }) => attributes['db.system.name'] === 'postgresql');
      expect(statement).toMatchObject({ parentId: named(spans, method).spanId, kind: CLIENT });
      expect(statement?.name).toMatch(/^SELECT \w+$/);
      expect(statement?.attributes['db.query.text']).toMatch(/\$1/);
      expect(statement?.attributes['db.query.text']).not.toContain(PROMOTION);
    });

    test('an order: decided, and written by a transaction', async () => {
      const { traceId, headers } = newTrace();
      const order = { userId: PERSON, requestId: 'use', orderId: 'order-1', cart };
      await grpc(RedemptionService.method.useCoupons, create(UseCouponsRequestSchema, order), headers);
      const spans = await seen(traceId, [
        'hongbao.v1.RedemptionService/UseCoupons',
        'evaluate',
        'EVALSHA transact',
      ]);
      const ids = new Set(spans.map(({ spanId }) => spanId));
      const strangers = spans.filter(({ parentId, kind }) => kind !== SERVER && !ids.has(parentId));
      expect(strangers).toEqual([]);
    });
  });

  describe('what serves several calls', () => {
    test('is linked with each of them, and found from each', async () => {
      const calls = Array.from({ length: 60 }, (_, index) => ({ ...newTrace(), user: `crowd-${index}` }));
      await Promise.all(calls.map(({ user, headers }) => claim(grpc, user, headers)));
      const servers = await Promise.all(
        calls.map(async ({ traceId }) => named(await seen(traceId, [CLAIM]), CLAIM)),
      );
      const batches = () =>
        collector.spans.filter(
          ({ name, traceId }) =>
            name === 'EVALSHA claim' && servers.some((server) => server.traceId === traceId),
        );
      await vi.waitFor(() => {
        const carried = batches().map(({ links }) => links.length + 1);
        expect(carried.reduce((sum, one) => sum + one, 0)).toBe(calls.length);
      }, PATIENCE);
      expect(batches().length).toBeLessThan(calls.length);
      for (const batch of batches()) {
        expect(Number(batch.attributes['db.operation.batch.size'])).toBe(batch.links.length + 1);
        for (const link of batch.links) {
          const server = servers.find(({ spanId }) => spanId === link.spanId);
          expect(server?.links).toContainEqual({ traceId: batch.traceId, spanId: batch.spanId });
        }
      }
    });

    test('carries all claims of one call without a link to itself', async () => {
      const { traceId, headers } = newTrace();
      const items = Array.from({ length: 20 }, (_, index) => claimOf(`item-${index}`));
      await grpc(
        CouponService.method.batchClaimCoupons,
        create(BatchClaimCouponsRequestSchema, { items }),
        headers,
      );
      const spans = await seen(traceId, ['hongbao.v1.CouponService/BatchClaimCoupons', 'EVALSHA claim']);
      const scripts = spans.filter(({ name }) => name === 'EVALSHA claim');
      const carried = scripts.map(({ attributes }) => Number(attributes['db.operation.batch.size']));
      expect(carried.reduce((sum, size) => sum + size, 0)).toBe(items.length);
      expect(scripts.flatMap(({ links }) => links)).toEqual([]);
    });
  });

  test('a refusal is an answer with its reason; a call nobody records is not recorded', async () => {
    const [refused, unrecorded] = [newTrace(), newTrace('00')];
    const absent = { promotionId: 'absent', userId: PERSON, requestId: 'one' };
    const request: Message = create(ClaimCouponRequestSchema, absent);
    for (const { headers } of [unrecorded, refused])
      await grpc(CouponService.method.claimCoupon, request, headers);
    const server = named(await seen(refused.traceId, [CLAIM]), CLAIM);
    expect(server.isError).toBe(false);
    expect(server.attributes).toMatchObject({
      'rpc.response.status_code': 'NOT_FOUND',
      'hongbao.refusal.reason': 'PROMOTION_NOT_FOUND',
    });
    expect(collector.spans.filter(({ traceId }) => traceId === unrecorded.traceId)).toEqual([]);
  });

  test('batches of the archive and runs of jobs are traces of their own', async () => {
    const ofArchive = () => collector.spans.filter(({ service }) => service === 'archive');
    const partsOf = (prefix: string) => {
      const roots = ofArchive().filter(({ name, parentId }) => name.startsWith(prefix) && parentId === '');
      return ofArchive().filter(({ parentId }) => roots.some(({ spanId }) => spanId === parentId));
    };
    await vi.waitFor(() => {
      // A statement that failed, and is made again, has no text to be named by.
      expect(partsOf('archive batch').map(({ name }) => name)).toContain('UPDATE ledger_cursor');
      expect(partsOf('job ')).not.toHaveLength(0);
    }, PATIENCE);
  });

  // SPEC S3
  test('no span names a person, a coupon or an order', async () => {
    const { traceId, headers } = newTrace();
    await claim(grpc, PERSON, headers);
    await seen(traceId, [CLAIM]);
    const said = JSON.stringify(collector.spans.map(({ name, attributes }) => [name, attributes]));
    for (const secret of ['13800138000', 'crowd-1', 'order-1', PROMOTION]) expect(said).not.toContain(secret);
  });

  test('a collector that fails costs spans, which are counted, and no call; then it goes on', async () => {
    const failed = async () => {
      const text = await (await fetch(`http://127.0.0.1:${product.opsPort}/metrics`)).text();
      return Number(/^promo_trace_spans_total\{outcome="failed"\} (\d+)$/m.exec(text)?.[1]);
    };
    const before = await failed();
    collector.status = 400;
    try {
      expect(await claim(grpc, 'unlucky', newTrace().headers)).toHaveProperty('ok');
      await vi.waitFor(async () => expect(await failed()).toBeGreaterThan(before), PATIENCE);
    } finally {
      collector.status = 200;
    }
    const { traceId, headers } = newTrace();
    await claim(grpc, 'lucky', headers);
    expect(await seen(traceId, [CLAIM])).toBeDefined();
  });

  test('a process that stops sends what it has', async () => {
    const { traceId, headers } = newTrace();
    await claim(grpc, 'last', headers);
    expect(await product.serve.end('SIGTERM')).toBe(0);
    expect(collector.spans.filter((span) => span.traceId === traceId).map(({ name }) => name)).toContain(
      CLAIM,
    );
  });
});
