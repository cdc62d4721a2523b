/** RedemptionService on the real product, over gRPC: orders decided by workers, held in Redis, swept and archived. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type Client, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorInfoSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import type { CartSchema } from '../../src/gen/hongbao/v1/cart_service_pb.ts';
import { CouponState } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import {
  RedemptionService,
  RedemptionState,
  type ReserveCouponsRequestSchema,
} from '../../src/gen/hongbao/v1/redemption_service_pb.ts';
import { type ProductFixture, type PromotionInit, promote, startProduct } from '../product-fixture.ts';

type ReserveInit = Exclude<MessageInitShape<typeof ReserveCouponsRequestSchema>, { $typeName: string }>;

const PATIENCE_MS = 20;
const UNKNOWN_PAUSE_MS = 50;

let product: ProductFixture;
let orders: Client<typeof RedemptionService>;

beforeAll(async () => {
  product = await startProduct();
  orders = createClient(
    RedemptionService,
    createGrpcTransport({ baseUrl: `http://127.0.0.1:${product.grpcPort}` }),
  );
  await offer('walnut-3', { rules: [only('walnut')] });
  await offer('walnut-50', {
    rules: [only('walnut'), { kind: { case: 'minimumSpend', value: { amountMinor: 5_000n } } }],
  });
  await offer('euro', { currency: 'EUR' });
  await offer('ten-uses', { rules: [only('plum')], limits: { usesTotal: 10n } });
  await offer('ten-dollars', { rules: [only('pear')], limits: { budget: { amountMinor: 1_000n } } });
  await offer('by-itself', {
    reach: { way: { case: 'automatic', value: {} } },
    rules: [only('fig')],
    limits: { usesPerUser: 1n },
  });
}, 120_000);
afterAll(async () => {
  await product.close();
}, 60_000);

/** A rule that keeps a promotion to one item, so that tests do not meet. */
const only = (itemId: string): NonNullable<PromotionInit['rules']>[number] => ({
  kind: { case: 'itemDiscountScope', value: { selection: { itemIds: [itemId] } } },
});

/** Changes made to promotions so far; each is a version of the rules. */
let changes = 0n;

/** Defines and activates a promotion of 3.00 off, by coupons unless told. Resolves when decisions know it. */
async function offer(promotionId: string, promotion: PromotionInit): Promise<void> {
  await promote(product.promotions, promotionId, {
    currency: 'USD',
    effect: { kind: { case: 'fixedAmountOff', value: { amountMinor: 300n } } },
    ...promotion,
  });
  changes += 2n;
  const isKnown = async () =>
    (await product.carts.evaluateCart({ cart: { currency: 'JPY' } })).ruleSetVersion >= changes;
  while (!(await isKnown())) await sleep(PATIENCE_MS);
}

async function claim(promotionId: string, userId: string, requestId = 'c'): Promise<string> {
  const { couponId } = await product.coupons.claimCoupon({
    promotionId,
    userId,
    requestId: `${promotionId}-${requestId}`,
  });
  return couponId;
}

const cartOf = (itemId: string, priceMinor = 1_000n): MessageInitShape<typeof CartSchema> => ({
  currency: 'USD',
  lines: [{ lineId: '1', itemId, quantity: 1, unitPriceMinor: priceMinor }],
  shippingMinor: 200n,
});

const order = (userId: string, itemId: string, more: ReserveInit = {}): ReserveInit => ({
  userId,
  orderId: 'o1',
  requestId: 'r1',
  cart: cartOf(itemId),
  ...more,
});

/** The reason of a refused call with its metadata; 'OK' when it was carried out. */
async function endOf(call: Promise<unknown>): Promise<{ reason: string; metadata: Record<string, string> }> {
  try {
    await call;
    return { reason: 'OK', metadata: {} };
  } catch (error) {
    const [info] = ConnectError.from(error).findDetails(ErrorInfoSchema);
    return { reason: info?.reason ?? String(error), metadata: info?.metadata ?? {} };
  }
}

/** As clients do: while it is unknown what became of a call, it is made again with the same request id. */
async function knownEndOf(call: () => Promise<unknown>): Promise<{ reason: string }> {
  for (;;) {
    const end = await endOf(call());
    if (end.reason !== 'LEDGER_UNAVAILABLE' && end.reason !== 'DEADLINE_EXCEEDED') return end;
    await sleep(UNKNOWN_PAUSE_MS);
  }
}

async function stateOf(userId: string, couponId: string): Promise<CouponState | undefined> {
  return (await product.coupons.getCoupon({ userId, couponId })).coupon?.state;
}

// SPEC L3, R9
describe('an order', () => {
  it('is reserved with its final cart, read, committed and archived', async () => {
    const userId = 'alice';
    const couponId = await claim('walnut-3', userId);
    const { redemption } = await orders.reserveCoupons(
      order(userId, 'walnut', { couponIds: [couponId], orderNumber: 'A-1', expectedPayableMinor: 900n }),
    );
    expect(redemption).toMatchObject({
      orderId: 'o1',
      orderNumber: 'A-1',
      userId,
      reservationId: 'r1',
      state: RedemptionState.RESERVED,
      currency: 'USD',
      totals: { itemsMinor: 1_000n, shippingMinor: 200n, itemsDiscountMinor: 300n, payableMinor: 900n },
      lines: [{ lineId: '1', itemId: 'walnut', quantity: 1, unitPriceMinor: 1_000n, payableMinor: 700n }],
      applied: [{ promotionId: 'walnut-3', source: { case: 'couponId', value: couponId } }],
      coupons: [{ couponId, promotionId: 'walnut-3', discountMinor: 300n, state: CouponState.RESERVED }],
    });
    const seconds = Number(redemption?.expiresAt?.seconds) - Number(redemption?.reservedAt?.seconds);
    expect(seconds).toBe(900);
    expect(await stateOf(userId, couponId)).toBe(CouponState.RESERVED);

    const committed = await orders.commitReservation({ userId, orderId: 'o1', requestId: 'p1' });
    expect(committed.redemption).toMatchObject({
      state: RedemptionState.COMMITTED,
      coupons: [{ state: CouponState.USED }],
    });
    expect(await stateOf(userId, couponId)).toBe(CouponState.USED);
    expect((await orders.getRedemption({ userId, orderId: 'o1' })).redemption).toEqual(committed.redemption);
    expect(await orders.commitReservation({ userId, orderId: 'o1', requestId: 'p1' })).toEqual({
      ...committed,
      replayed: true,
    });
  });

  it('lets go of everything when it is released', async () => {
    const userId = 'bob';
    const couponId = await claim('walnut-3', userId);
    await orders.reserveCoupons(order(userId, 'walnut', { couponIds: [couponId] }));
    const { redemption } = await orders.releaseReservation({
      userId,
      orderId: 'o1',
      requestId: 'x1',
      reason: 'card refused',
    });
    expect(redemption).toMatchObject({
      state: RedemptionState.RELEASED,
      reason: 'card refused',
      coupons: [{ state: CouponState.UNUSED }],
    });
    expect(await stateOf(userId, couponId)).toBe(CouponState.UNUSED);
    const used = await orders.useCoupons({
      userId,
      orderId: 'o1',
      requestId: 'u1',
      cart: cartOf('walnut'),
      couponIds: [couponId],
    });
    expect(used.redemption).toMatchObject({ state: RedemptionState.COMMITTED, reservationId: 'u1' });
    expect(used.redemption?.expiresAt).toBeUndefined();
    expect(await stateOf(userId, couponId)).toBe(CouponState.USED);
  });

  it('may hold automatic promotions only, and their limits', async () => {
    const first = await orders.reserveCoupons(order('carol', 'fig'));
    expect(first.redemption).toMatchObject({ applied: [{ promotionId: 'by-itself' }], coupons: [] });
    await orders.releaseReservation({ userId: 'carol', orderId: 'o1', requestId: 'x1' });
    const again = await orders.reserveCoupons(order('carol', 'fig', { orderId: 'o2', requestId: 'r2' }));
    expect(again.redemption?.totals?.payableMinor).toBe(900n);
    // What has run out is left out of the next order instead of standing in its way.
    const third = await orders.reserveCoupons(order('carol', 'fig', { orderId: 'o3', requestId: 'r3' }));
    expect(third.redemption).toMatchObject({ applied: [], totals: { payableMinor: 1_200n } });
  });

  it('is read by its own user, and by no other (SPEC S2)', async () => {
    await orders.reserveCoupons(order('dora', 'walnut'));
    const as = (user: string) => ({ headers: { 'x-hongbao-identity': `end_user:${user}` } });
    const read = (user: string) => orders.getRedemption({ userId: 'dora', orderId: 'o1' }, as(user));
    expect((await read('dora')).redemption?.orderId).toBe('o1');
    expect((await endOf(read('eve'))).reason).toBe('USER_NOT_FOUND');
    expect((await endOf(orders.reserveCoupons(order('dora', 'walnut'), as('dora')))).reason).toBe(
      'PERMISSION_DENIED',
    );
  });
});

// SPEC L3, L5, R9
describe('an order is refused', () => {
  it('with the coupon of another user', async () => {
    const couponId = await claim('walnut-3', 'fred');
    const end = await endOf(orders.reserveCoupons(order('gina', 'walnut', { couponIds: [couponId] })));
    expect(end).toEqual({
      reason: 'COUPON_NOT_FOUND',
      metadata: expect.objectContaining({ coupon_id: couponId }),
    });
  });

  it('with a coupon whose rules the final cart does not meet', async () => {
    const couponId = await claim('walnut-50', 'hugo');
    const end = await endOf(orders.reserveCoupons(order('hugo', 'walnut', { couponIds: [couponId] })));
    expect(end).toMatchObject({
      reason: 'COUPON_NOT_APPLICABLE',
      metadata: { coupon_id: couponId, rejection: 'MINIMUM_SPEND_NOT_MET', needed: '5000', seen: '1000' },
    });
  });

  it('with a coupon of another currency', async () => {
    const couponId = await claim('euro', 'ines');
    const end = await endOf(orders.reserveCoupons(order('ines', 'walnut', { couponIds: [couponId] })));
    expect(end).toMatchObject({ reason: 'CURRENCY_MISMATCH', metadata: { needed: 'EUR', seen: 'USD' } });
  });

  it('with a coupon that another order holds', async () => {
    const couponIds = [await claim('walnut-3', 'jack')];
    await orders.reserveCoupons(order('jack', 'walnut', { couponIds }));
    const other = order('jack', 'walnut', { orderId: 'o2', requestId: 'r2', couponIds });
    expect((await endOf(orders.reserveCoupons(other))).reason).toBe('COUPON_NOT_AVAILABLE');
  });

  it('with a code that nobody has', async () => {
    const end = await endOf(orders.reserveCoupons(order('kate', 'walnut', { codes: ['no-such-code'] })));
    expect(end).toMatchObject({ reason: 'CODE_NOT_FOUND', metadata: { code_index: '0' } });
  });

  it('that costs something else than the user was told', async () => {
    const end = await endOf(orders.reserveCoupons(order('lara', 'walnut', { expectedPayableMinor: 1n })));
    expect(end).toMatchObject({ reason: 'CART_CHANGED', metadata: { needed: '1', seen: '1200' } });
  });

  it('under the request id of another one', async () => {
    await orders.reserveCoupons(order('mike', 'walnut'));
    const other = order('mike', 'walnut', { cart: cartOf('walnut', 999n) });
    expect((await endOf(orders.reserveCoupons(other))).reason).toBe('REQUEST_ID_REUSED');
    const later = order('mike', 'walnut', { requestId: 'r2' });
    expect((await endOf(orders.reserveCoupons(later))).reason).toBe('ORDER_ALREADY_RESERVED');
  });

  it('when it is unknown, or its request cannot be read', async () => {
    const ending = { userId: 'nora', orderId: 'o9', requestId: 'x' };
    expect((await endOf(orders.commitReservation(ending))).reason).toBe('ORDER_NOT_FOUND');
    expect((await endOf(orders.releaseReservation(ending))).reason).toBe('ORDER_NOT_FOUND');
    expect((await endOf(orders.getRedemption({ userId: 'nora', orderId: 'o9' }))).reason).toBe(
      'ORDER_NOT_FOUND',
    );
    const long = order('nora', 'walnut', { timeout: { seconds: 86_401n } });
    expect((await endOf(orders.reserveCoupons(long))).reason).toBe('INVALID_REQUEST');
    const broken = order('nora', 'walnut', { cart: { currency: 'USD', lines: [{ lineId: '' }] } });
    expect((await endOf(orders.reserveCoupons(broken))).reason).toBe('INVALID_REQUEST');
  });
});

// SPEC L3, P9, C3
describe('a crowd', () => {
  it('of 64 orders gets one coupon once', async () => {
    const couponIds = [await claim('walnut-3', 'olga')];
    const ends = await Promise.all(
      Array.from({ length: 64 }, (_, index) =>
        endOf(
          orders.reserveCoupons(
            order('olga', 'walnut', { orderId: `o${index}`, requestId: `r${index}`, couponIds }),
          ),
        ),
      ),
    );
    expect(ends.filter(({ reason }) => reason === 'OK')).toHaveLength(1);
    expect(ends.filter(({ reason }) => reason === 'COUPON_NOT_AVAILABLE')).toHaveLength(63);
  });

  it.each([
    ['ten-uses', 'plum', 10, 'USES_EXHAUSTED'],
    ['ten-dollars', 'pear', 3, 'BUDGET_EXHAUSTED'],
  ])(
    'of 100 orders never goes beyond the limit of %s',
    async (promotionId, itemId, allowed, reason) => {
      const users = Array.from({ length: 100 }, (_, index) => `${promotionId}-user-${index}`);
      const couponIds = await Promise.all(users.map((userId) => claim(promotionId, userId)));
      const ends = await Promise.all(
        users.map((userId, index) =>
          knownEndOf(() =>
            orders.reserveCoupons(order(userId, itemId, { couponIds: couponIds.slice(index, index + 1) })),
          ),
        ),
      );
      expect(ends.filter((end) => end.reason === 'OK')).toHaveLength(allowed);
      // Who has to ask once more may hear it from the evaluation, which knows by then.
      const reasons = product.redis.partitions === 1 ? [reason] : [reason, 'COUPON_NOT_APPLICABLE'];
      const refused = ends.map((end) => end.reason).filter((end) => end !== 'OK');
      expect(refused.filter((end) => !reasons.includes(end))).toEqual([]);
    },
    120_000,
  );
});
