/** `hongbao move`: a partition goes to another master while claims go on. LEDGER 18, SPEC C9 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCluster } from '../chaos/topology/cluster.ts';
import type { RedisTopology } from '../chaos/topology/redis-topology.ts';
import { type ProductFixture, startProduct } from '../product-fixture.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const START_MS = 180_000;
const TEST_MS = 120_000;
const PARTITION = 3;
const PROMOTION = 'moved';
const CLAIMERS = 8;
const CLAIMS_BEFORE = 40;

let directory: string;
let redis: RedisTopology;
let product: ProductFixture;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hongbao-move-'));
  redis = await startCluster({ directory, random: () => 1 / 2 });
  product = await startProduct({ REDIS_URL: redis.url, ...redis.environment });
  await product.promotions.createPromotion({
    promotionId: PROMOTION,
    requestId: 'create',
    promotion: {
      name: { en: PROMOTION, zh: PROMOTION },
      currency: 'CNY',
      effect: { kind: { case: 'fixedAmountOff', value: { amountMinor: 1_000n } } },
      reach: { way: { case: 'claimable', value: {} } },
      validity: { kind: { case: 'daysAfterClaim', value: { days: 7 } } },
    },
  });
  await product.promotions.activatePromotion({ promotionId: PROMOTION, requestId: 'activate' });
}, START_MS);

afterAll(async () => {
  await product.close();
  await redis.close();
  await rm(directory, { recursive: true, force: true });
}, START_MS);

async function move(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [MAIN, 'move', ...args], {
    env: { PATH: process.env['PATH'] ?? '', REDIS_URL: redis.url, ...redis.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text));
  await once(child, 'close');
  return { code: child.exitCode, output };
}

/** Claims for one user after the other until told to stop; answers with what was acknowledged. */
async function claimUntil(
  name: string,
  isOver: () => boolean,
  acknowledged: Map<string, string>,
): Promise<void> {
  for (let user = 0; !isOver(); user += 1) {
    const request = { promotionId: PROMOTION, userId: `${name}-${user}`, requestId: 'claim' };
    for (let isKnown = false; !isKnown; ) {
      try {
        const { couponId } = await product.coupons.claimCoupon(request, { timeoutMs: 2_000 });
        acknowledged.set(request.userId, couponId);
        isKnown = true;
      } catch {
        // Unknown: asked again with the same id.
        await sleep(20);
      }
    }
  }
}

it(
  'loses, doubles and refuses nothing, and the audit finds nothing',
  async () => {
    const source = await redis.masterOf(PARTITION);
    const target = (await redis.masters()).find((master) => master !== source);
    if (target === undefined) throw new Error('there is no other master');
    const acknowledged = new Map<string, string>();
    let isOver = false;
    const claiming = Array.from({ length: CLAIMERS }, (_, index) =>
      claimUntil(`claimer${index}`, () => isOver, acknowledged),
    );
    await expect.poll(() => acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(CLAIMS_BEFORE);

    const to = `127.0.0.1:${target.proxy.port}`;
    const moved = await move('--partition', String(PARTITION), '--to', to);
    expect(moved.output).toMatch(
      /partition 3 is at \S+, [1-9]\d* keys handed over, open; its writes waited \d+ ms/,
    );
    expect(moved.code).toBe(0);
    const again = await move('--partition', String(PARTITION), '--to', to);
    expect(again).toMatchObject({ code: 0, output: expect.stringContaining('0 keys handed over, open') });

    const atMove = acknowledged.size;
    await expect.poll(() => acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(atMove + CLAIMS_BEFORE);
    isOver = true;
    await Promise.all(claiming);
    expect(await redis.masterOf(PARTITION)).toBe(target);
    expect(new Set(acknowledged.values()).size).toBe(acknowledged.size);
    const issued = BigInt(acknowledged.size);
    await expect
      .poll(() => product.promotions.getPromotionStatistics({ promotionId: PROMOTION }), { timeout: 60_000 })
      .toMatchObject({ issued, archived: issued });
    const audit = await product.audit();
    expect(audit.output).toContain('Every invariant holds');
  },
  TEST_MS,
);

it('refuses what is no partition or no master, and changes nothing', async () => {
  const source = await redis.masterOf(PARTITION);
  const nobody = await move('--partition', String(PARTITION), '--to', '127.0.0.1:1');
  expect(nobody).toMatchObject({
    code: 1,
    output: expect.stringContaining('127.0.0.1:1 is no master of this cluster'),
  });
  for (const args of [
    ['--to', '127.0.0.1:1'],
    ['--partition', '99', '--to', '127.0.0.1:1'],
    ['--partition', '0'],
  ])
    expect((await move(...args)).code).toBe(2);
  expect(await redis.masterOf(PARTITION)).toBe(source);
});
