/** A load on the real product without faults: everything it does is recorded, settled and found to be as promised. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase } from '../../../src/database/client.ts';
import { LedgerAdmin } from '../../../src/ledger/admin.ts';
import { type ProductFixture, startProduct } from '../../product-fixture.ts';
import { checkHistory } from '../history/check-history.ts';
import { HistoryMemory } from '../history/history-file.ts';
import { reportOf, reportText } from '../history/report.ts';
import { awaitRest, dumpState, lookAtCursors, type StateSources } from '../history/state/dump-state.ts';
import { startLoad } from './load.ts';

const LOAD_MS = 10_000;
const SETTLE_MS = 20_000;

let product: ProductFixture;
let redis: Redis;
let sources: StateSources;

beforeAll(async () => {
  product = await startProduct();
  redis = new Redis(product.redis.url);
  const sql = createDatabase(product.databaseUrl, {
    applicationName: 'chaos-check',
    maxConnections: 2,
    statementTimeoutMs: 30_000,
    connectTimeoutMs: 5_000,
  });
  sources = { sql, generation: 1, admins: [new LedgerAdmin(redis, 1, 0)] };
}, 120_000);
afterAll(async () => {
  redis.disconnect();
  await sources.sql.end({ timeout: 1 });
  await product.close();
}, 60_000);

/** Waits, looking at the archive's cursors meanwhile. */
async function watch(history: HistoryMemory, untilMs: number): Promise<void> {
  while (Date.now() < untilMs) {
    for (const look of await lookAtCursors(sources.sql)) history.append(look);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe('the load of chaos runs, without faults (SPEC C3, C4, L5; F32)', () => {
  it('breaks no promise', async () => {
    const history = new HistoryMemory();
    const services = [{ host: '127.0.0.1', grpcPort: product.grpcPort, httpPort: product.httpPort }];
    const load = await startLoad({ seed: 7, services, history });
    await watch(history, Date.now() + LOAD_MS);
    await load.stop();
    const unsettled = await load.settle(Date.now() + SETTLE_MS);
    load.close();
    expect(await awaitRest(sources, Date.now() + SETTLE_MS)).toBe(true);
    const state = await dumpState(sources);
    const report = reportOf(checkHistory(history.records, state), history.records, state);
    expect(reportText(report)).toContain('every promise was kept');
    expect(unsettled).toBe(0);
    // Every kind of promise had something to hold.
    for (const what of [
      'coupons issued',
      'reservation steps',
      'points transactions',
      'answers held to the log',
    ])
      expect(report.looked[what]).toBeGreaterThan(50);
    expect(report.looked['requests answered more than once']).toBeGreaterThan(10);
    if (process.env['SHOW_CHAOS_REPORT']) console.log(reportText(report));
  }, 120_000);
});
