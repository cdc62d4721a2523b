/**
 * Prometheus before a running product: what panels, recording rules and alerts ask must have an answer. SPEC C5
 */
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { RedemptionService } from '../../src/gen/hongbao/v1/redemption_service_pb.ts';
import { type ProductFixture, startProduct } from '../product-fixture.ts';
import { type PrometheusServer, startPrometheus } from './prometheus-server.ts';
import { alerts, hasProgram, panelQueries, recordings } from './rules.ts';

/** Metrics that have no series before something has happened that this load does not do, each with the reason. */
const EMPTY_UNTIL: ReadonlyMap<string, string> = new Map([
  ['promo_events_total', 'kinds of events are labels, and no event of a shop comes in'],
]);

const USERS = 20;
const READY_MS = 60_000;

const canRun = hasProgram('prometheus');
if (!canRun) console.warn('SKIPPED: queries are not asked, because prometheus is not installed');

let product: ProductFixture;
let prometheus: PrometheusServer;
let load: Promise<void>;
let isOver = false;

/** What a dashboard asks when nothing is chosen at its top. */
function asked(expression: string): string {
  return expression
    .replaceAll('$s', 'namespace=~".*",instance=~".*"')
    .replaceAll('$__rate_interval', '30s')
    .replaceAll('$__range', '5m')
    .replaceAll(/\$(namespace|instance|method)/g, '.*');
}

async function createPromotion(promotionId: string): Promise<void> {
  await product.promotions.createPromotion({
    promotionId,
    requestId: 'create',
    promotion: {
      name: { en: promotionId, zh: promotionId },
      currency: 'CNY',
      effect: { kind: { case: 'fixedAmountOff', value: { amountMinor: 100n } } },
      reach: { way: { case: 'claimable', value: {} } },
      stock: { quantity: 1_000_000n },
      validity: { kind: { case: 'daysAfterClaim', value: { days: 7 } } },
    },
  });
  await product.promotions.activatePromotion({ promotionId, requestId: 'activate' });
}

/** Buyers that claim a coupon, look at their cart and pay, over and over. */
async function buy(orders: ReturnType<typeof redemptions>, round: number): Promise<void> {
  const users = Array.from({ length: USERS }, (_, index) => `user-${round}-${index}`);
  await Promise.all(
    users.map(async (userId) => {
      const claim = { promotionId: 'lunch', userId, requestId: 'claim' };
      const { couponId } = await product.coupons.claimCoupon(claim);
      const lines = [{ lineId: 'l1', itemId: 'dumplings', unitPriceMinor: 2_000n, quantity: 1 }];
      const cart = { currency: 'CNY', lines };
      await product.carts.evaluateCart({ userId, cart });
      await orders.useCoupons({ userId, orderId: 'o1', requestId: 'use', cart, couponIds: [couponId] });
    }),
  );
}

function redemptions() {
  const transport = createConnectTransport({ baseUrl: product.baseUrl, httpVersion: '1.1' });
  return createClient(RedemptionService, transport);
}

async function loadUntilOver(): Promise<void> {
  const orders = redemptions();
  for (let round = 0; !isOver; round += 1) await buy(orders, round);
}

describe.skipIf(!canRun)('with Prometheus', () => {
  beforeAll(async () => {
    product = await startProduct();
    prometheus = await startPrometheus([product.opsPort, product.archiveOpsPort]);
    await createPromotion('lunch');
    load = loadUntilOver();
    const isReady = async (): Promise<boolean> => {
      const [last] = await prometheus.query('namespace:grpc_server_slow:ratio_rate3d >= 0');
      const [issued = 0] = await prometheus.query('sum(increase(promo_coupons_issued_total[30s]))');
      const [used = 0] = await prometheus.query('sum(increase(promo_coupons_used_total[30s]))');
      return last !== undefined && issued > 0 && used > 0;
    };
    await vi.waitFor(async () => expect(await isReady()).toBe(true), { timeout: READY_MS, interval: 1_000 });
  }, 180_000);

  afterAll(async () => {
    isOver = true;
    await load;
    await prometheus.stop();
    await product.close();
  });

  test('every query of every panel has data', async () => {
    const empty: string[] = [];
    for (const { panel, expression } of panelQueries) {
      const values = await prometheus.query(asked(expression));
      const excuse = [...EMPTY_UNTIL.keys()].find((name) => expression.includes(name));
      if (values.length === 0) empty.push(excuse ?? `${panel}: ${expression}`);
    }
    expect(empty).toEqual([...EMPTY_UNTIL.keys()]);
  });

  test('what the load does is seen', async () => {
    const shown = [
      'sum(rate(promo_claims_total{outcome="claimed"}[30s]))',
      'sum(rate(promo_evaluations_total{outcome="decided"}[30s]))',
      'sum(rate(promo_coupons_issued_total{source="claim"}[30s]))',
      'sum(rate(promo_coupons_used_total[30s]))',
      'sum(rate(promo_discount_minor_total{currency="CNY"}[30s]))',
      'histogram_quantile(0.99, sum by (le) (rate(promo_archive_lag_seconds_bucket[30s])))',
    ];
    for (const expression of shown) {
      const [value] = await prometheus.query(expression);
      expect(value, expression).toBeGreaterThan(0);
    }
  });

  test('every recording rule has data, and no rule fails', async () => {
    for (const { record } of recordings) expect(await prometheus.query(record), record).not.toEqual([]);
    const rules = await prometheus.rules();
    expect(rules).toHaveLength(recordings.length + alerts.length);
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  });

  test('a healthy product pages nobody', async () => {
    expect(await prometheus.query('ALERTS{alertstate="firing",severity="page",alertname!~".*Burn"}')).toEqual(
      [],
    );
  });
});
