import { expect, test } from 'vitest';
import { REASONS } from '../domain/refusal.ts';
import { createMetrics } from './metrics.ts';

const build = { version: '1.2.3', node: 'v26.0.0' };

/** The sample lines of one metric, help and type included. */
async function linesOf(metrics: ReturnType<typeof createMetrics>, name: string): Promise<string[]> {
  const text = await metrics.registry.metrics();
  return text.split('\n').filter((line) => line.includes(name));
}

// SPEC C5
test('a scrape shows counters, gauges and sources', async () => {
  const metrics = createMetrics({ ...build, role: 'serve' });
  metrics.claims.child('claimed').value += 3;
  metrics.ledgerQueueItems.value = 7;
  metrics.ruleSetAgeSeconds.source = () => 1.5;
  expect(await linesOf(metrics, 'promo_claims_total{outcome="claimed"}')).toEqual([
    'promo_claims_total{outcome="claimed"} 3',
  ]);
  expect(await linesOf(metrics, 'promo_ledger_queue_items')).toContain('promo_ledger_queue_items 7');
  expect(await linesOf(metrics, 'promo_rule_set_age_seconds')).toContain('promo_rule_set_age_seconds 1.5');
  expect(await linesOf(metrics, 'promo_build_info')).toContain(
    'promo_build_info{version="1.2.3",node="v26.0.0",role="serve"} 1',
  );
});

test('scraping twice counts nothing twice', async () => {
  const metrics = createMetrics(build);
  metrics.archiveEvents.value += 5;
  await metrics.registry.metrics();
  expect(await linesOf(metrics, 'promo_archive_events_total')).toContain('promo_archive_events_total 5');
});

test('a histogram shows cumulative buckets, sum and count', async () => {
  const metrics = createMetrics(build);
  const seconds = metrics.serverHandlingSeconds.child('hongbao.v1.CouponService', 'ClaimCoupon');
  for (const value of [0.0005, 0.0006, 9]) seconds.observe(value);
  const lines = await linesOf(metrics, 'grpc_server_handling_seconds');
  const labels = 'grpc_service="hongbao.v1.CouponService",grpc_method="ClaimCoupon"';
  expect(lines).toContain('# TYPE grpc_server_handling_seconds histogram');
  expect(lines).toContain(`grpc_server_handling_seconds_bucket{le="0.0005",${labels}} 1`);
  expect(lines).toContain(`grpc_server_handling_seconds_bucket{le="0.001",${labels}} 2`);
  expect(lines).toContain(`grpc_server_handling_seconds_bucket{le="+Inf",${labels}} 3`);
  expect(lines).toContain(`grpc_server_handling_seconds_count{${labels}} 3`);
  expect(lines).toContain(`grpc_server_handling_seconds_sum{${labels}} ${0.0005 + 0.0006 + 9}`);
});

test('every outcome of a claim is there from the start', async () => {
  const lines = await linesOf(createMetrics(build), 'promo_claims_total{');
  const outcomes = ['claimed', 'replayed', ...Object.keys(REASONS)];
  expect(lines).toEqual(outcomes.map((outcome) => `promo_claims_total{outcome="${outcome}"} 0`));
});

test('every metric follows the naming rules and has a help text', async () => {
  const metrics = createMetrics(build);
  const ours = (await metrics.registry.getMetricsAsJSON()).filter(({ name }) =>
    /^(promo|grpc_server)_/.test(name),
  );
  expect(ours.length).toBeGreaterThan(25);
  for (const { name, help, type } of ours) {
    expect(help, name).toMatch(/^[A-Z0-9].*\.$/);
    expect(name.endsWith('_total'), `${name} is a ${type}`).toBe(String(type) === 'counter');
  }
});

// SPEC S3
test('no label can name a user, a coupon or a token', async () => {
  const ours = await createMetrics(build).registry.metrics();
  expect(ours).not.toMatch(/(user|coupon|token|phone|sub)(_id)?="/);
});

test('the event loop has been busy', async () => {
  const [value] = (await linesOf(createMetrics(build), 'promo_event_loop_active_seconds_total ')).slice(-1);
  expect(Number(value?.split(' ')[1])).toBeGreaterThan(0);
});
