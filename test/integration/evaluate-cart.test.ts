/** CartService on the real product: gRPC by grpc-js, Connect and JSON, wallets in Redis, rules in Postgres, decisions in workers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError } from '@connectrpc/connect';
import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type Sql } from '../../src/database/client.ts';
import {
  type CartSchema,
  CartService,
  EvaluateCartRequestSchema,
  type EvaluateCartResponse,
  EvaluateCartResponseSchema,
  RejectionReason,
} from '../../src/gen/hongbao/v1/cart_service_pb.ts';
import { CouponState } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import type { PromotionSchema } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import { RefusalReason } from '../../src/gen/hongbao/v1/refusal_pb.ts';
import { pathOf } from '../../src/transport/binding.ts';
import { loadCatalogue } from '../../tools/load-catalogue.ts';
import { type ProductFixture, startProduct } from '../product-fixture.ts';
import { wireCalls } from '../transport/wire-clients.ts';

type EvaluateInit = MessageInitShape<typeof EvaluateCartRequestSchema>;
type PromotionInit = Exclude<MessageInitShape<typeof PromotionSchema>, { $typeName: string }>;

const { method } = CartService;
const PATIENCE = { timeout: 20_000, interval: 20 };
/** A Saturday evening in Shanghai: no lunch, and an instant that never moves. */
const SATURDAY_EVENING = timestampFromMs(Date.UTC(2027, 0, 2, 12, 0));
const YUAN = 100n;

let product: ProductFixture;
let grpc: Client;
let sql: Sql;

beforeAll(async () => {
  product = await startProduct();
  grpc = new Client(`127.0.0.1:${product.grpcPort}`, credentials.createInsecure());
  sql = createDatabase(product.postgres.url('hongbao'), {
    applicationName: 'test',
    maxConnections: 1,
    statementTimeoutMs: 5_000,
    connectTimeoutMs: 5_000,
  });
  await loadCatalogue(`http://127.0.0.1:${product.httpPort}`, AbortSignal.timeout(60_000));
  await promote('every-way', { effect: off(700n), reach: AUTOMATIC, rules: [only('every-way')] });
  await promote('in-wallet', {
    effect: off(300n),
    reach: CLAIMABLE,
    validity: WEEK,
    rules: [only('walnut')],
  });
  await claim('in-wallet', 'wendy');
}, 120_000);
afterAll(async () => {
  grpc.close();
  await sql.end({ timeout: 1 });
  await product.close();
}, 60_000);

/** Defines and activates a promotion in US dollars, apart from the catalogue. Resolves when decisions know it. */
async function promote(promotionId: string, promotion: PromotionInit): Promise<void> {
  await product.promotions.createPromotion({
    promotionId,
    requestId: `create-${promotionId}`,
    promotion: { ...named(promotionId), ...promotion },
  });
  await product.promotions.activatePromotion({ promotionId, requestId: `activate-${promotionId}` });
  await untilCurrent();
}

const named = (name: string) => ({ name: { en: name, zh: name }, currency: 'USD' });

/** Waits until decisions are made by the rules as they are now. Unlike `expect.poll` it may be used in hooks. */
async function untilCurrent(): Promise<void> {
  const [row] = await sql<{ version: string }[]>`select version from rule_set`;
  const newest = BigInt(row?.version ?? 0);
  const isCurrent = async () =>
    (await product.carts.evaluateCart({ cart: { currency: 'JPY' } })).ruleSetVersion >= newest;
  while (!(await isCurrent())) await sleep(PATIENCE.interval);
}

const off = (amountMinor: bigint): PromotionInit['effect'] => ({
  kind: { case: 'fixedAmountOff', value: { amountMinor } },
});
const AUTOMATIC = { way: { case: 'automatic', value: {} } } as const;
const CLAIMABLE = { way: { case: 'claimable', value: {} } } as const;
const WEEK = { kind: { case: 'daysAfterClaim', value: { days: 7 } } } as const;

/** A rule that keeps a promotion to one item, so that tests do not meet. */
const only = (itemId: string): NonNullable<PromotionInit['rules']>[number] => ({
  kind: { case: 'itemDiscountScope', value: { selection: { itemIds: [itemId] } } },
});

const cartOf = (itemId: string, unitPriceMinor: bigint): MessageInitShape<typeof CartSchema> => ({
  currency: 'USD',
  lines: [{ lineId: '1', itemId, quantity: 1, unitPriceMinor }],
});

const claim = (promotionId: string, userId: string) =>
  product.coupons.claimCoupon({ promotionId, userId, requestId: `claim-${promotionId}` });

const as = (identity: string) => ({ headers: { 'x-hongbao-identity': identity } });

const appliedIds = ({ applied }: EvaluateCartResponse): string[] =>
  applied.map(({ promotionId }) => promotionId);

async function codeOf(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => 'OK',
    (error: unknown) => Code[ConnectError.from(error).code],
  );
}

describe('the first example of the README', () => {
  const dinner = (duckMinor: bigint): EvaluateInit => ({
    userId: 'alice',
    useWallet: true,
    at: timestampFromMs(nextSaturdayEveningMs()),
    cart: {
      currency: 'CNY',
      lines: [
        { lineId: '1', itemId: 'duck', categoryIds: ['roast-duck'], quantity: 1, unitPriceMinor: duckMinor },
        { lineId: '2', itemId: 'salad', categoryIds: ['cold-dish'], quantity: 1, unitPriceMinor: 30n * YUAN },
      ],
    },
  });

  beforeAll(() => claim('roast-duck-100-20', 'alice'));

  it('120 of duck and 30 of cold dishes pay 130 with 烤鸭节满100减20, all of it taken off the duck (SPEC R1)', async () => {
    const { totals, applied, lines } = await product.carts.evaluateCart(dinner(120n * YUAN));
    expect(applied.map(({ promotionId }) => promotionId)).toEqual(['roast-duck-100-20']);
    expect(totals).toMatchObject({ itemsMinor: 15_000n, itemsDiscountMinor: 2_000n, payableMinor: 13_000n });
    expect(lines.map(({ discountMinor }) => discountMinor)).toEqual([2_000n, 0n]);
  });

  it('80 of duck and 30 of cold dishes are 2000 minor units short inside the scope (SPEC R10)', async () => {
    const { rejected, nearMisses } = await product.carts.evaluateCart(dinner(80n * YUAN));
    const duck = rejected.find(({ promotionId }) => promotionId === 'roast-duck-100-20');
    expect(duck?.rejection).toMatchObject({
      reason: RejectionReason.MINIMUM_SPEND_NOT_MET,
      needed: { case: 'neededNumber', value: 10_000n },
      seen: { case: 'seenNumber', value: 8_000n },
      shortfall: { case: 'shortfallMinor', value: 2_000n },
    });
    expect(nearMisses.find(({ promotionId }) => promotionId === 'roast-duck-100-20')).toMatchObject({
      missing: { case: 'missingMinor', value: 2_000n },
    });
  });
});

/** The next Saturday at 20:00 in Shanghai, within the week in which a coupon claimed now can be used. */
function nextSaturdayEveningMs(): number {
  const at = new Date();
  at.setUTCHours(12, 0, 0, 0);
  at.setUTCDate(at.getUTCDate() + ((6 - at.getUTCDay() + 7) % 7) + (at.getUTCDay() === 6 ? 7 : 0));
  return at.getTime();
}

describe('every way in', () => {
  const request = (itemId: string) =>
    create(EvaluateCartRequestSchema, { cart: cartOf(itemId, 5_000n), at: SATURDAY_EVENING });

  function overGrpc(bytes: Uint8Array): Promise<Buffer> {
    const asIs = (message: Buffer): Buffer => message;
    return new Promise((resolve, reject) => {
      grpc.makeUnaryRequest(pathOf(method.evaluateCart), asIs, asIs, Buffer.from(bytes), (error, answer) =>
        error === null && answer !== undefined ? resolve(answer) : reject(error),
      );
    });
  }

  async function overConnect(bytes: Uint8Array): Promise<Buffer> {
    const response = await fetch(`http://127.0.0.1:${product.httpPort}${pathOf(method.evaluateCart)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/proto' },
      body: Buffer.from(bytes),
    });
    return Buffer.from(await response.arrayBuffer());
  }

  it('gives the same bytes over gRPC and Connect (SPEC C1)', async () => {
    const bytes = toBinary(EvaluateCartRequestSchema, request('every-way'));
    const answers = [await overGrpc(bytes), await overConnect(bytes)];
    expect(answers[0]?.length).toBeGreaterThan(50);
    expect(answers[0]).toEqual(answers[1]);
  });

  it('gives the same answer over gRPC, gRPC-Web, Connect and JSON, and the same refusal', async () => {
    const ways = wireCalls({ grpcPort: product.grpcPort, httpPort: product.httpPort, opsPort: 0 });
    try {
      const malformed = create(EvaluateCartRequestSchema, { cart: { currency: 'yuan' }, codes: [''] });
      const answers = [];
      const refusals = [];
      for (const way of Object.values(ways.calls)) {
        answers.push(JSON.stringify(await way(method.evaluateCart, request('every-way'), {})));
        refusals.push(JSON.stringify(await way(method.evaluateCart, malformed, {})));
      }
      expect(new Set(answers)).toHaveLength(1);
      expect(answers[0]).toContain('every-way');
      expect(new Set(refusals)).toHaveLength(1);
      expect(refusals[0]).toContain('cart.currency');
      expect(refusals[0]).toContain('codes[0]');
    } finally {
      ways.close();
    }
  });
});

describe('a wallet', () => {
  it('applies, and only where it is asked for (SPEC R11)', async () => {
    await promote('in-wallet', {
      effect: off(300n),
      reach: CLAIMABLE,
      validity: WEEK,
      rules: [only('walnut')],
    });
    const { couponId } = await claim('in-wallet', 'wendy');
    const cart = cartOf('walnut', 1_000n);
    const decision = await product.carts.evaluateCart({ userId: 'wendy', useWallet: true, cart });
    expect(decision.applied).toMatchObject([
      { promotionId: 'in-wallet', source: { case: 'couponId', value: couponId }, discountMinor: 300n },
    ]);
    const without = await product.carts.evaluateCart({ userId: 'wendy', cart });
    expect(appliedIds(without)).toEqual([]);
    expect(without.factsDigest).not.toEqual(decision.factsDigest);
  });

  it('keeps the version it was claimed under (SPEC P1)', async () => {
    const promotion = {
      ...named('kept'),
      reach: CLAIMABLE,
      validity: WEEK,
      rules: [only('kept')],
    };
    await promote('kept', { ...promotion, effect: off(300n) });
    await claim('kept', 'early');
    await product.promotions.updatePromotion({
      promotionId: 'kept',
      requestId: 'update-kept',
      promotion: { ...promotion, effect: off(500n) },
    });
    await untilCurrent();
    await claim('kept', 'late');
    const savedBy = async (userId: string) => {
      const { applied } = await product.carts.evaluateCart({
        userId,
        useWallet: true,
        cart: cartOf('kept', 1_000n),
      });
      return applied.map(({ promotionVersion, discountMinor }) => [promotionVersion, discountMinor]);
    };
    expect(await savedBy('early')).toEqual([[2, 300n]]);
    expect(await savedBy('late')).toEqual([[3, 500n]]);
  });

  it("is its user's alone (SPEC S1)", async () => {
    const asked = { cart: cartOf('walnut', 1_000n), useWallet: true };
    const own = await product.carts.evaluateCart(asked, as('end_user:wendy'));
    expect(appliedIds(own)).toEqual(['in-wallet']);
    const others = product.carts.evaluateCart({ ...asked, userId: 'wendy' }, as('end_user:mallory'));
    expect(await codeOf(others)).toBe('NotFound');
    const anonymous = await product.carts.evaluateCart(asked, as('service:checkout'));
    expect(appliedIds(anonymous)).toEqual([]);
  });

  it('is heavy beyond twenty coupons, and decided all the same', async () => {
    const ids = Array.from({ length: 24 }, (_, index) => `many-${index}`);
    for (const [index, id] of ids.entries()) {
      const effect = off(100n + BigInt(index));
      await promote(id, { effect, reach: CLAIMABLE, validity: WEEK, rules: [only('many')] });
    }
    for (const id of ids) await claim(id, 'collector');
    const decision = await product.carts.evaluateCart({
      userId: 'collector',
      useWallet: true,
      cart: cartOf('many', 9_000n),
    });
    expect(appliedIds(decision)).toEqual(['many-23']);
    expect(decision.rejected.filter(({ promotionId }) => promotionId.startsWith('many-'))).toHaveLength(23);
    expect(await metric('promo_evaluation_batch_items_count{pool="heavy"}')).toBeGreaterThan(0);
  });
});

async function metric(name: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${product.opsPort}/metrics`);
  const line = (await response.text()).split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.split(' ').at(-1) ?? Number.NaN);
}

describe('facts', () => {
  it('are believed from a caller with the scope and ignored from an end user (SPEC S2)', async () => {
    await promote('vip-only', {
      effect: off(900n),
      reach: AUTOMATIC,
      rules: [only('velvet')],
      target: { audience: { case: 'taggedUsers', value: { anyOfTags: ['vip'] } } },
    });
    const asked = { cart: cartOf('velvet', 1_000n), facts: { tags: ['vip'] } };
    expect(appliedIds(await product.carts.evaluateCart(asked))).toEqual(['vip-only']);
    expect(appliedIds(await product.carts.evaluateCart(asked, as('end_user:eve')))).toEqual([]);
  });
});

describe('replay', () => {
  it('gives the same bytes by the version an earlier answer names (SPEC R13)', async () => {
    const promotion = {
      name: { en: 'r', zh: 'r' },
      currency: 'USD',
      reach: AUTOMATIC,
      rules: [only('replayed')],
    };
    await promote('replayed', { ...promotion, effect: off(100n) });
    const asked = {
      userId: 'wendy',
      useWallet: true,
      at: SATURDAY_EVENING,
      facts: { tags: ['b', 'a'] },
      cart: cartOf('replayed', 1_000n),
    };
    const then = await product.carts.evaluateCart(asked);
    await product.promotions.updatePromotion({
      promotionId: 'replayed',
      requestId: 'update-replayed',
      promotion: { ...promotion, effect: off(200n) },
    });
    const discountNow = async () => (await product.carts.evaluateCart(asked)).totals?.itemsDiscountMinor;
    await expect.poll(discountNow, PATIENCE).toBe(200n);
    const replayed = await product.carts.evaluateCart({ ...asked, ruleSetVersion: then.ruleSetVersion });
    expect(toBinary(EvaluateCartResponseSchema, replayed)).toEqual(
      toBinary(EvaluateCartResponseSchema, then),
    );
  });

  it('takes the wallet an explained answer gave', async () => {
    const asked = { userId: 'wendy', useWallet: true, explain: true, cart: cartOf('walnut', 1_000n) };
    const then = await product.carts.evaluateCart({ ...asked, at: timestampFromMs(Date.now()) });
    expect(then.wallet).toMatchObject([{ state: CouponState.UNUSED, promotionVersion: 2 }]);
    const replayed = await product.carts.evaluateCart({
      ...asked,
      ...(then.evaluatedAt && { at: then.evaluatedAt }),
      ruleSetVersion: then.ruleSetVersion,
      heldCoupons: then.wallet,
    });
    expect(toBinary(EvaluateCartResponseSchema, replayed)).toEqual(
      toBinary(EvaluateCartResponseSchema, then),
    );
  });

  it('is refused for a version that never was, and to those who may not', async () => {
    const asked = { cart: cartOf('walnut', 1_000n), ruleSetVersion: 1_000_000n };
    expect(await codeOf(product.carts.evaluateCart(asked))).toBe('NotFound');
    expect(await codeOf(product.carts.evaluateCart(asked, as('end_user:eve')))).toBe('PermissionDenied');
  });
});

describe('BatchEvaluateCarts', () => {
  it('answers each cart as if it had come alone, in order (SPEC C1)', async () => {
    const items = [
      { cart: cartOf('every-way', 5_000n), at: SATURDAY_EVENING },
      { cart: cartOf('nothing', 100n), ruleSetVersion: 1_000_000n },
      { cart: cartOf('nothing', 100n), at: SATURDAY_EVENING },
    ];
    const { results } = await product.carts.batchEvaluateCarts({ items });
    const alone = await product.carts.evaluateCart({
      cart: cartOf('every-way', 5_000n),
      at: SATURDAY_EVENING,
    });
    expect(results.map(({ outcome }) => outcome.case)).toEqual(['decision', 'refusal', 'decision']);
    expect(results[0]?.outcome.value).toEqual(alone);
    expect(results[1]?.outcome.value).toMatchObject({ reason: RefusalReason.RULE_SET_VERSION_NOT_FOUND });
  });

  it('refuses the whole for one malformed cart, naming it', async () => {
    const items = [{ cart: cartOf('nothing', 100n) }, { cart: { currency: 'yuan' } }];
    const error = await product.carts.batchEvaluateCarts({ items }).catch((cause: unknown) => cause);
    expect(ConnectError.from(error).code).toBe(Code.InvalidArgument);
    expect(JSON.stringify(ConnectError.from(error).details)).toContain('items[1].cart.currency');
  });
});

describe('coupons for an order', () => {
  it('are listed with what each saves, usable ones first (SPEC R12)', async () => {
    await promote('list-small', {
      effect: off(100n),
      reach: CLAIMABLE,
      validity: WEEK,
      rules: [only('listed')],
    });
    await promote('list-large', {
      effect: off(400n),
      reach: CLAIMABLE,
      validity: WEEK,
      rules: [only('listed')],
    });
    await promote('list-other', {
      effect: off(900n),
      reach: CLAIMABLE,
      validity: WEEK,
      rules: [only('other')],
    });
    for (const id of ['list-small', 'list-other', 'list-large']) await claim(id, 'lister');
    const order = { case: 'cart', value: cartOf('listed', 1_000n) } as const;
    const { coupons } = await product.carts.listUsableCoupons({ userId: 'lister', order });
    expect(coupons.map(({ promotionId, outcome }) => [promotionId, outcome.case])).toEqual([
      ['list-large', 'usable'],
      ['list-small', 'usable'],
      ['list-other', 'rejection'],
    ]);
    expect(await codeOf(product.carts.listUsableCoupons({ order }))).toBe('InvalidArgument');
  });

  it('are validated one by one; what is not held is not found', async () => {
    const order = { case: 'cart', value: cartOf('walnut', 1_000n) } as const;
    const { coupons } = await product.carts.listUsableCoupons({ userId: 'wendy', order });
    const couponId = coupons[0]?.couponId ?? '';
    const subject = { case: 'couponId', value: couponId } as const;
    const own = await product.carts.validateCoupon({ userId: 'wendy', subject, order });
    expect(own).toMatchObject({
      promotionId: 'in-wallet',
      outcome: { case: 'usable', value: { discountMinor: 300n } },
    });
    const others = await product.carts.validateCoupon({ userId: 'mallory', subject, order });
    expect(others.outcome).toMatchObject({
      case: 'rejection',
      value: { reason: RejectionReason.COUPON_NOT_FOUND },
    });
    const code = await product.carts.validateCoupon({ subject: { case: 'code', value: 'nonsense' }, order });
    expect(code.outcome).toMatchObject({
      case: 'rejection',
      value: { reason: RejectionReason.CODE_UNKNOWN },
    });
  });
});

describe('rules that change under load', () => {
  it('never fail a request, and every answer is that of the version it names (SPEC C1, R13)', async () => {
    const promotion = {
      name: { en: 's', zh: 's' },
      currency: 'USD',
      reach: AUTOMATIC,
      rules: [only('swapped')],
    };
    await promote('swapped', { ...promotion, effect: off(1n) });
    const asked = { cart: cartOf('swapped', 10_000n), at: SATURDAY_EVENING };
    const seen = new Map<bigint, { version: number | undefined; discount: bigint | undefined }>();
    let isChanging = true;
    const load = async () => {
      for (let last = 0n; isChanging; ) {
        const { ruleSetVersion, applied } = await product.carts.evaluateCart(asked);
        const answer = { version: applied[0]?.promotionVersion, discount: applied[0]?.discountMinor };
        expect(seen.get(ruleSetVersion) ?? answer).toEqual(answer);
        expect(ruleSetVersion).toBeGreaterThanOrEqual(last);
        seen.set(ruleSetVersion, answer);
        last = ruleSetVersion;
      }
    };
    const loads = Array.from({ length: 8 }, load);
    for (let change = 2n; change <= 20n; change += 1n) {
      await product.promotions.updatePromotion({
        promotionId: 'swapped',
        requestId: `update-swapped-${change}`,
        promotion: { ...promotion, effect: off(change) },
      });
    }
    const latest = async () => (await product.carts.evaluateCart(asked)).applied[0]?.discountMinor;
    await expect.poll(latest, PATIENCE).toBe(20n);
    isChanging = false;
    await Promise.all(loads);
    expect(seen.size).toBeGreaterThan(3);
    // Created inactive with 1, activated, then one version per change.
    for (const { version = 0, discount } of seen.values())
      expect(discount).toBe(BigInt(Math.max(1, version - 1)));
    const [ruleSetVersion = 0n, answer] = [...seen][Math.floor(seen.size / 2)] ?? [];
    const replayed = await product.carts.evaluateCart({ ...asked, ruleSetVersion });
    expect(replayed.applied[0]).toMatchObject({
      promotionVersion: answer?.version,
      discountMinor: answer?.discount,
    });
  });
});

describe('while Redis is down', () => {
  it('refuses where the wallet is needed, and decides where it is not; without Postgres too', async () => {
    await product.redis.kill();
    const cart = cartOf('every-way', 5_000n);
    const withWallet = () => codeOf(product.carts.evaluateCart({ userId: 'wendy', useWallet: true, cart }));
    await expect.poll(withWallet, PATIENCE).toBe('Unavailable');
    expect(appliedIds(await product.carts.evaluateCart({ userId: 'wendy', cart }))).toEqual(['every-way']);
    await product.postgres.kill();
    expect(appliedIds(await product.carts.evaluateCart({ cart }))).toEqual(['every-way']);
    await product.postgres.restart();
    await product.redis.restart();
    await expect.poll(withWallet, PATIENCE).toBe('OK');
  }, 60_000);
});
