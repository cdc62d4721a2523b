/** Returns and refunds on the real product, over gRPC: what a shop does with an order after it was paid. */
import { setTimeout as sleep } from 'node:timers/promises';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { MS_PER_DAY } from '../../src/domain/durations.ts';
import { ErrorInfoSchema } from '../../src/gen/google/rpc/error_details_pb.ts';
import { UseOnCancel } from '../../src/gen/hongbao/v1/availability_pb.ts';
import { CouponState } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import {
  RedemptionService,
  RedemptionState,
  RefundPolicy,
  ReturnOutcome,
} from '../../src/gen/hongbao/v1/redemption_service_pb.ts';
import { type ProductFixture, type PromotionInit, promote, startProduct } from '../product-fixture.ts';

const PATIENCE = { timeout: 20_000, interval: 20 };
const SHORT_LIFE_MS = 6_000;

let product: ProductFixture;
let orders: ReturnType<typeof createClient<typeof RedemptionService>>;
/** Used coupons that live only so long: they expire while the other tests run. */
let endsMs: number;
let brief: string;
let extended: string;

beforeAll(async () => {
  product = await startProduct();
  const baseUrl = `http://127.0.0.1:${product.grpcPort}`;
  orders = createClient(RedemptionService, createGrpcTransport({ baseUrl }));
  await offer('ten', {});
  endsMs = Date.now() + SHORT_LIFE_MS;
  const validity: PromotionInit['validity'] = {
    kind: { case: 'fixedDates', value: { endsAt: timestampFromMs(endsMs) } },
  };
  await offer('brief', { validity });
  await offer('extended', { validity, returnPolicy: { extendExpiredDays: 2 } });
  brief = await pay('carl', 'brief');
  extended = await pay('dora', 'extended');
}, 120_000);
afterAll(async () => {
  await product.close();
}, 60_000);

/** A coupon of 20.00 off from 100.00 on, for a week, unless told. */
function offer(promotionId: string, promotion: PromotionInit): Promise<void> {
  return promote(product.promotions, promotionId, {
    effect: { kind: { case: 'fixedAmountOff', value: { amountMinor: 2_000n } } },
    rules: [{ kind: { case: 'minimumSpend', value: { amountMinor: 10_000n } } }],
    ...promotion,
  });
}

async function claim(promotionId: string, userId: string): Promise<string> {
  const { couponId } = await product.coupons.claimCoupon({
    promotionId,
    userId,
    requestId: `claim-${promotionId}`,
  });
  return couponId;
}

const cartOf = (quantity: number, shippingMinor = 0n) => ({
  currency: 'CNY',
  shippingMinor,
  lines: [{ lineId: 'a', itemId: 'duck', quantity, unitPriceMinor: 6_000n }],
});

/** Reserves, which a server that has not heard of the promotion yet refuses, and commits. */
async function pay(userId: string, promotionId: string, cart = cartOf(3)): Promise<string> {
  const couponId = await claim(promotionId, userId);
  const named = { userId, orderId: 'o1' };
  const reserve = () =>
    orders
      .reserveCoupons({ ...named, requestId: 'reserve', cart, couponIds: [couponId] })
      .then(({ redemption }) => redemption?.state, String);
  // Unlike `expect.poll` it may be used in hooks.
  await vi.waitFor(async () => expect(await reserve()).toBe(RedemptionState.RESERVED), PATIENCE);
  await orders.commitReservation({ ...named, requestId: 'commit' });
  return couponId;
}

async function reasonOf(call: Promise<unknown>): Promise<string | undefined> {
  const thrown = await call.then(
    () => new Error('the call was not refused'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof ConnectError)) throw thrown;
  return thrown.findDetails(ErrorInfoSchema)[0]?.reason;
}

async function stateOf(userId: string, couponId: string): Promise<CouponState | undefined> {
  return (await product.coupons.getCoupon({ userId, couponId })).coupon?.state;
}

// SPEC L4, SPEC R14
describe('an order that goes back bit by bit', () => {
  it('refunds exactly what was paid, gives the coupon back with the last unit, and keeps its history', async () => {
    const named = { userId: 'ann', orderId: 'o1' };
    const couponId = await pay('ann', 'ten', cartOf(3, 600n));
    const one = await orders.refundItems({
      ...named,
      requestId: 'r1',
      lines: [{ lineId: 'a', quantity: 1 }],
      reason: 'cold',
    });
    expect(one.refund).toMatchObject({
      refundId: 'r1',
      refundMinor: 5_334n,
      clawBackMinor: 0n,
      remainingPayableMinor: 11_266n,
      policy: RefundPolicy.KEEP,
      reason: 'cold',
    });
    expect(one.redemption).toMatchObject({ state: RedemptionState.COMMITTED, refundedMinor: 5_334n });
    expect(await stateOf('ann', couponId)).toBe(CouponState.USED);

    const rest = await orders.refundItems({
      ...named,
      requestId: 'r2',
      lines: [{ lineId: 'a', quantity: 2 }],
      shipping: true,
    });
    expect(rest.refund).toMatchObject({
      shippingMinor: 600n,
      refundMinor: 11_266n,
      refundedTotalMinor: 16_600n,
      remainingPayableMinor: 0n,
      coupons: [{ couponId, outcome: ReturnOutcome.USABLE_AGAIN }],
    });
    expect(rest.redemption?.state).toBe(RedemptionState.RETURNED);
    expect(await stateOf('ann', couponId)).toBe(CouponState.UNUSED);
    const { redemption, refunds } = await orders.getRedemption(named);
    expect(redemption).toEqual(rest.redemption);
    expect(refunds).toEqual([one.refund, rest.refund]);
    const again = await orders.refundItems({
      ...named,
      requestId: 'r1',
      lines: [{ lineId: 'a', quantity: 1 }],
      reason: 'cold',
    });
    expect([again.replayed, again.refund]).toEqual([true, one.refund]);
  });

  it.each([
    ['re-evaluated', RefundPolicy.REEVALUATE, 4_000n],
    ['clawed back', RefundPolicy.CLAW_BACK, 4_000n],
    ['kept', RefundPolicy.KEEP, 5_000n],
  ])('%s: decides by the rules of the order, also after they changed', async (_, policy, first) => {
    const promotionId = `changing-${policy}`;
    await offer(promotionId, {});
    const named = { userId: `user-${policy}`, orderId: 'o1' };
    await pay(named.userId, promotionId, cartOf(2));
    await product.promotions.finishPromotion({ promotionId, requestId: `finish-${policy}` });
    const back = { ...named, lines: [{ lineId: 'a', quantity: 1 }], policy };
    const dry = await orders.refundItems({ ...back, requestId: 'r1', dryRun: true });
    expect(dry.refund).toMatchObject({ refundId: '', refundMinor: first, clawBackMinor: 5_000n - first });
    const made = await orders.refundItems({ ...back, requestId: 'r1' });
    expect(made.refund).toMatchObject({ refundMinor: first, clawBackMinor: 5_000n - first });
    const last = await orders.refundItems({ ...back, requestId: 'r2' });
    expect(last.refund).toMatchObject({ refundMinor: 10_000n - first, refundedTotalMinor: 10_000n });
  });
});

// SPEC L4, SPEC P9
it('decides about the rest by what was left of limits before the order, whose own use counts', async () => {
  await offer('rare', { limits: { usesTotal: 1n, usesPerUser: 1n } });
  await pay('fred', 'rare');
  const { refund } = await orders.refundItems({
    userId: 'fred',
    orderId: 'o1',
    requestId: 'r1',
    lines: [{ lineId: 'a', quantity: 1 }],
    policy: RefundPolicy.REEVALUATE,
  });
  expect(refund).toMatchObject({ refundMinor: 6_000n, remainingPayableMinor: 10_000n });
});

// SPEC L4
describe('an order that is cancelled', () => {
  it('gives its coupon back, which another order can use; repeats change nothing', async () => {
    const named = { userId: 'bob', orderId: 'o1' };
    const couponId = await pay('bob', 'ten');
    const request = { ...named, requestId: 'c1', reason: 'changed my mind' };
    const returned = await orders.returnCoupons(request);
    expect(returned).toMatchObject({
      redemption: { state: RedemptionState.RETURNED, reason: 'changed my mind' },
      coupons: [{ couponId, outcome: ReturnOutcome.USABLE_AGAIN }],
      replayed: false,
    });
    expect(await orders.returnCoupons(request)).toEqual({ ...returned, replayed: true });
    expect(await reasonOf(orders.returnCoupons({ ...named, requestId: 'c2' }))).toBe('NOTHING_TO_RETURN');
    const next = await orders.useCoupons({
      userId: 'bob',
      orderId: 'o2',
      requestId: 'use',
      cart: cartOf(2),
      couponIds: [couponId],
    });
    expect(next.redemption?.totals?.payableMinor).toBe(10_000n);
  });

  it('after the coupon expired: it stays expired, or is extended, as its promotion says', async () => {
    await sleep(Math.max(0, endsMs - Date.now()) + 200);
    const one = await orders.returnCoupons({ userId: 'carl', orderId: 'o1', requestId: 'c1' });
    expect(one.coupons).toMatchObject([{ couponId: brief, outcome: ReturnOutcome.EXPIRED }]);
    expect(await stateOf('carl', brief)).toBe(CouponState.EXPIRED);
    const two = await orders.returnCoupons({ userId: 'dora', orderId: 'o1', requestId: 'c1' });
    expect(two.coupons).toMatchObject([{ couponId: extended, outcome: ReturnOutcome.EXTENDED }]);
    expect(await stateOf('dora', extended)).toBe(CouponState.UNUSED);
    const untilMs = two.coupons[0]?.expiresAt === undefined ? 0 : timestampMs(two.coupons[0].expiresAt);
    expect(untilMs).toBeGreaterThan(endsMs + 2 * MS_PER_DAY);
  });

  it('keeps a coupon used whose promotion gives no uses back', async () => {
    await offer('once', { returnPolicy: { useOnCancel: UseOnCancel.STAYS_USED } });
    const couponId = await pay('emma', 'once');
    const { coupons } = await orders.returnCoupons({ userId: 'emma', orderId: 'o1', requestId: 'c1' });
    expect(coupons).toMatchObject([{ couponId, outcome: ReturnOutcome.STAYS_USED }]);
    expect(await stateOf('emma', couponId)).toBe(CouponState.USED);
  });
});

// SPEC S1
it('refuses what is not there, and who may not', async () => {
  const named = { userId: 'nobody', orderId: 'o1', requestId: 'r1' };
  expect(await reasonOf(orders.returnCoupons(named))).toBe('ORDER_NOT_FOUND');
  expect(await reasonOf(orders.refundItems({ ...named, shipping: true }))).toBe('ORDER_NOT_FOUND');
  expect(await reasonOf(orders.refundItems(named))).toBe('INVALID_REQUEST');
  const asUser = { headers: { 'x-hongbao-identity': 'end_user:nobody' } };
  expect(await reasonOf(orders.returnCoupons(named, asUser))).toBe('PERMISSION_DENIED');
});

// SPEC C4
it('leaves coupons, orders and counts of uses as the events made them', async () => {
  const named = { userId: 'gina', orderId: 'o1' };
  await pay('gina', 'ten');
  await orders.refundItems({ ...named, requestId: 'r1', lines: [{ lineId: 'a', quantity: 1 }] });
  await orders.returnCoupons({ ...named, requestId: 'c1' });
  await orders.refundItems({ ...named, requestId: 'r2', lines: [{ lineId: 'a', quantity: 2 }] });
  const { code, output } = await product.audit();
  expect(code, output).toBe(0);
}, 60_000);
