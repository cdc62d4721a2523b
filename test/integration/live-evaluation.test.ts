/** What earlier orders and events left behind decides about carts, on the real product. */
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeUserFacts, mergeFacts, NO_FACTS } from '../../src/domain/user-facts.ts';
import { RejectionReason } from '../../src/gen/hongbao/v1/cart_service_pb.ts';
import { RedemptionService } from '../../src/gen/hongbao/v1/redemption_service_pb.ts';
import { type ProductFixture, type PromotionInit, promote, startProduct } from '../product-fixture.ts';

const PATIENCE = { timeout: 20_000, interval: 20 };
const AUTOMATIC = { way: { case: 'automatic', value: {} } } as const;

let product: ProductFixture;
let redemptions: ReturnType<typeof createClient<typeof RedemptionService>>;

beforeAll(async () => {
  product = await startProduct();
  const baseUrl = `http://127.0.0.1:${product.httpPort}`;
  redemptions = createClient(RedemptionService, createConnectTransport({ baseUrl, httpVersion: '1.1' }));
  await offer('once', 'mug', { limits: { usesTotal: 1n } });
  await offer('once-each', 'pot', { limits: { usesPerUser: 1n } });
  await offer('budget', 'jar', { limits: { budget: { amountMinor: 450n, shortfall: 2 } } });
  await offer('budget-again', 'tin', { limits: { budget: { amountMinor: 450n, shortfall: 2 } } });
  await offer('gold-only', 'cup', {
    target: { audience: { case: 'taggedUsers', value: { anyOfTags: ['gold'] } } },
  });
}, 120_000);
afterAll(() => product.close(), 60_000);

/** Defines an automatic promotion of 3.00 off one item, and waits until decisions know it. */
function offer(promotionId: string, itemId: string, changed: PromotionInit): Promise<void> {
  return promote(product.promotions, promotionId, {
    currency: 'USD',
    effect: { kind: { case: 'fixedAmountOff', value: { amountMinor: 300n } } },
    reach: AUTOMATIC,
    rules: [{ kind: { case: 'itemDiscountScope', value: { selection: { itemIds: [itemId] } } } }],
    ...changed,
  });
}

const cartOf = (itemId: string) => ({
  currency: 'USD',
  lines: [{ lineId: '1', itemId, quantity: 1, unitPriceMinor: 1_000n }],
});

const evaluate = (itemId: string, userId: string, explain = false) =>
  product.carts.evaluateCart({ userId, cart: cartOf(itemId), explain });

const use = (itemId: string, userId: string, orderId: string) =>
  redemptions.useCoupons({ userId, requestId: `use-${orderId}`, orderId, cart: cartOf(itemId) });

async function reasonsFor(itemId: string, userId: string): Promise<(RejectionReason | undefined)[]> {
  const { rejected } = await evaluate(itemId, userId);
  return rejected.map(({ rejection }) => rejection?.reason);
}

const paid = async (itemId: string, userId: string) => (await evaluate(itemId, userId)).totals?.payableMinor;

describe('limits that orders used up', () => {
  it('keep a promotion out of later carts of anybody, of one user, or in part (SPEC P9)', async () => {
    for (const itemId of ['mug', 'pot', 'jar']) {
      await expect.poll(() => paid(itemId, 'ann'), PATIENCE).toBe(700n);
      await use(itemId, 'ann', `order-${itemId}`);
    }
    await expect.poll(() => reasonsFor('mug', 'bob'), PATIENCE).toEqual([RejectionReason.USES_EXHAUSTED]);
    expect(await reasonsFor('pot', 'ann')).toEqual([RejectionReason.USER_USES_EXHAUSTED]);
    expect(await paid('pot', 'bob')).toBe(700n);
    // 4.50 less the 3.00 of the first order.
    await expect.poll(() => paid('jar', 'bob'), PATIENCE).toBe(850n);
  }, 60_000);

  it('are left out of an order that nobody asked to use them for, however fresh they are (SPEC P9)', async () => {
    await offer('last-one', 'lid', { limits: { usesTotal: 1n } });
    await expect.poll(() => paid('lid', 'ann'), PATIENCE).toBe(700n);
    await use('lid', 'ann', 'order-lid-1');
    const { redemption } = await use('lid', 'bob', 'order-lid-2');
    expect(redemption?.totals?.payableMinor).toBe(1_000n);
    expect(await reasonsFor('lid', 'carl')).toEqual([RejectionReason.USES_EXHAUSTED]);
  }, 60_000);

  it('come with the explanation, and a replay decides the same again (SPEC R13)', async () => {
    await expect.poll(() => paid('tin', 'ann'), PATIENCE).toBe(700n);
    await use('tin', 'ann', 'order-tin');
    await expect.poll(() => paid('tin', 'bob'), PATIENCE).toBe(850n);
    const explained = await evaluate('tin', 'bob', true);
    const { facts, liveLimits, resolvedCodes, ruleSetVersion, evaluatedAt } = explained;
    expect(liveLimits).toMatchObject([{ budget: { amountMinor: 450n, leftMinor: 150n } }]);
    const again = await product.carts.evaluateCart({
      userId: 'bob',
      cart: cartOf('tin'),
      explain: true,
      ...(facts && { facts }),
      ...(evaluatedAt && { at: evaluatedAt }),
      liveLimits,
      resolvedCodes,
      ruleSetVersion,
    });
    expect(again).toEqual(explained);
  }, 60_000);
});

describe('facts kept about a user', () => {
  it('count where the caller states none (SPEC S2)', async () => {
    await expect.poll(() => paid('cup', 'gina'), PATIENCE).toBe(1_000n);
    const facts = mergeFacts(NO_FACTS, { atMs: 1, whole: false, level: 'gold', attributes: new Map() });
    const { redis, keys } = await product.redis.at('gina');
    await redis.hset(`${keys.accountPrefix}gina`, 'f', Buffer.from(encodeUserFacts(facts)));
    redis.disconnect();
    await expect.poll(() => paid('cup', 'gina'), PATIENCE).toBe(700n);
    expect(await paid('cup', 'hugo')).toBe(1_000n);
    const stated = await product.carts.evaluateCart({
      userId: 'gina',
      cart: cartOf('cup'),
      facts: { level: 'tin' },
    });
    expect(stated.totals?.payableMinor).toBe(1_000n);
  }, 60_000);
});
