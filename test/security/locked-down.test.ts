/** The product with the least of rights: everything works, and no log holds a secret or a person. */
// SPEC S1, S3
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  CODES_KEY,
  type LockedProduct,
  passwordOf,
  startLockedProduct,
  USERS,
} from './locked-down-fixture.ts';

const PHONE = '13912345678';
const NAME = '欧阳测试员';
const START_LIMIT_MS = 120_000;

let product: LockedProduct;
let admin: Redis;
/** The coupon of alice. */
let couponId: unknown;
let refused: readonly unknown[];

beforeAll(async () => {
  product = await startLockedProduct();
  admin = new Redis(product.redisUrl('admin'));
  // Tests come in any order, and some of them begin Redis anew.
  await useEverything();
  refused = await refusedOfOurs();
}, START_LIMIT_MS);
afterAll(async () => {
  admin?.disconnect();
  await product?.stop();
});

const ADMIN = { sub: 'ada', kind: 'admin' };
const MARKETING = { sub: 'mia', kind: 'marketing' };
const GATEWAY = {
  sub: 'gateway',
  kind: 'service',
  scope: 'coupons:claim events:write orders:redeem carts:evaluate coupons:read points:read',
};

/** Calls until it succeeds: the archive and the rule set follow in their own time. */
async function succeeds(
  who: Record<string, string>,
  method: string,
  body: object,
): Promise<Record<string, unknown>> {
  let answer: Record<string, unknown> = {};
  await vi.waitFor(
    async () => {
      const { status, body: given } = await product.call(who, method, body);
      expect(status, `${method} ${JSON.stringify(given)}`).toBe(200);
      answer = given;
    },
    { timeout: 15_000, interval: 100 },
  );
  return answer;
}

const promotion = (promotionId: string, reach: object) => ({
  requestId: `create-${promotionId}`,
  promotionId,
  promotion: {
    name: { en: promotionId, zh: promotionId },
    category: 'PROMOTION_CATEGORY_NORMAL',
    currency: 'CNY',
    effect: { noThresholdVoucher: { amountMinor: '1000' } },
    stock: { perUserLimit: 5 },
    validity: { daysAfterClaim: { days: 30 } },
    acknowledgement: 'ACKNOWLEDGEMENT_LEVEL_DURABLE',
    ...reach,
  },
});

/** Calls of every kind, one after the other, and a run of every job. */
async function useEverything(): Promise<void> {
  const created = await product.call(
    MARKETING,
    'PromotionService/CreatePromotion',
    promotion('spring', { reach: { claimable: {} } }),
  );
  expect(created.status, JSON.stringify(created.body)).toBe(200);
  await succeeds(MARKETING, 'PromotionService/ActivatePromotion', {
    promotionId: 'spring',
    requestId: 'activate',
  });
  const claim = { promotionId: 'spring', userId: 'alice', requestId: 'claim-1' };
  ({ couponId } = await succeeds(GATEWAY, 'CouponService/ClaimCoupon', claim));
  const cart = {
    currency: 'CNY',
    lines: [{ lineId: 'l1', itemId: 'duck', quantity: 1, unitPriceMinor: '9000' }],
  };
  await succeeds(GATEWAY, 'CartService/EvaluateCart', {
    userId: 'alice',
    cart,
    selection: { couponIds: [couponId] },
  });
  const order = { userId: 'alice', orderId: 'order-1' };
  await succeeds(GATEWAY, 'RedemptionService/ReserveCoupons', {
    ...order,
    requestId: 'r-1',
    cart,
    couponIds: [couponId],
  });
  await succeeds(GATEWAY, 'RedemptionService/CommitReservation', { ...order, requestId: 'r-2' });
  await succeeds(GATEWAY, 'RedemptionService/RefundItems', {
    ...order,
    requestId: 'r-3',
    lines: [{ lineId: 'l1', quantity: 1 }],
    policy: 'REFUND_POLICY_KEEP',
    reason: 'cold',
  });
  const event = { eventId: 'e-1', userId: 'alice', occurredAt: new Date().toISOString() };
  await succeeds(GATEWAY, 'EventService/IngestEvent', {
    ...event,
    userRegistered: { phone: PHONE, name: NAME },
  });
  await succeeds(ADMIN, 'PrivacyService/GetUserProfile', { userId: 'alice' });
  expect(await succeeds(ADMIN, 'PrivacyService/FindUserByPhone', { phone: PHONE })).toMatchObject({
    userId: 'alice',
  });
  await succeeds(GATEWAY, 'PointsService/GetBalance', { userId: 'alice' });
  await succeeds(GATEWAY, 'CouponService/ListCoupons', { userId: 'alice' });
  await succeeds(GATEWAY, 'CouponService/GetCoupon', { userId: 'alice', couponId });
  await succeeds(ADMIN, 'InsightService/ListIssuedCoupons', {});
  await succeeds(ADMIN, 'InsightService/ListLedgerEvents', {});
  for (const { name } of Object(await succeeds(ADMIN, 'JobService/ListJobs', {})).jobs) {
    await succeeds(ADMIN, 'JobService/RunJob', { job: name, requestId: `run-${name}` });
  }
  await succeeds(ADMIN, 'PrivacyService/EraseUser', { userId: 'bob', requestId: 'erase' });
}

/** What the product asks for and can do without: whether Redis fsyncs is then stated by the operator. */
const PROBED = new Set<unknown>(['config|get', 'client|setinfo']);

/** What Redis refused to the product, beside what it can do without. */
async function refusedOfOurs(): Promise<unknown[]> {
  const refused = (await admin.call('ACL', 'LOG')) as unknown[][];
  const lines = refused.map((entry) =>
    Object.fromEntries(entry.flatMap((value, index) => (index % 2 === 0 ? [[value, entry[index + 1]]] : []))),
  );
  return lines.filter((line) => !PROBED.has(line.object));
}

describe('with the least of rights', () => {
  test('everything works, and no command and no key was refused on the way', () => {
    expect(refused).toEqual([]);
    expect(product.logs()).not.toMatch(/NOPERM|permission denied for/i);
  });

  test('no log holds a token, a phone, a name or a password', () => {
    const logs = product.logs();
    expect(logs.length).toBeGreaterThan(500);
    const secrets = [...product.tokens, PHONE, NAME, ...USERS.map(passwordOf), CODES_KEY];
    expect(secrets.filter((secret) => logs.includes(secret))).toEqual([]);
    const signatures = product.tokens.map((token) => token.split('.')[2] ?? '');
    expect(signatures.filter((signature) => logs.includes(signature))).toEqual([]);
  });

  test('changes are kept under the name in the token', async () => {
    const { entries } = await succeeds(ADMIN, 'PromotionService/ListAuditEntries', { promotionId: 'spring' });
    const actors = Object(entries).map(({ actor }: { actor: string }) => actor);
    expect(actors).toEqual([MARKETING.sub, MARKETING.sub]);
  });
});

describe('with the least of rights, beside what runs all day', () => {
  const audit = () => product.run('reader', 'hongbao_reader', 'audit');
  const rebuild = (...args: string[]) =>
    product.run('rebuild', 'hongbao_migrator', 'rebuild', 'redis', ...args, '--yes');

  /** The audit holds, and nothing was refused. */
  async function passesAudit(): Promise<void> {
    const { code, output } = await audit();
    expect(code, output).toBe(0);
    expect(output).toContain('Every invariant holds');
    expect(await refusedOfOurs()).toEqual([]);
  }

  test('the audit reads all it needs', passesAudit, START_LIMIT_MS);

  test(
    'a rebuild sees who is connected',
    async () => {
      const busy = await rebuild('--new-generation');
      expect(busy, busy.output).toMatchObject({
        code: 1,
        output: expect.stringContaining('hongbao-archive'),
      });
    },
    START_LIMIT_MS,
  );

  test(
    'Redis that lost everything is filled again, made anew, and serves as before',
    async () => {
      await Promise.all([product.serve.end('SIGTERM'), product.archive.end('SIGTERM')]);
      await admin.flushall();
      await product.redis.restart();
      const filled = await rebuild();
      expect(filled, filled.output).toMatchObject({ code: 0, output: expect.stringContaining('rebuilt at') });
      const made = await rebuild('--new-generation');
      expect(made, made.output).toMatchObject({ code: 0, output: expect.stringContaining('done:') });
      await Promise.all([product.serve.start(), product.archive.start()]);
      await succeeds(GATEWAY, 'CouponService/GetCoupon', { userId: 'alice', couponId });
      await passesAudit();
    },
    START_LIMIT_MS,
  );
});
