import { create, fromBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { soon } from '../../test/ledger-fixture.ts';
import {
  caller,
  DISCOUNT_MINOR,
  orderCart,
  orderOf,
  type RedemptionFixture,
  startRedemptionFixture,
  type TestPromotion,
} from '../../test/redemption-fixture.ts';
import { decodeCouponValue, encodeCouponValue } from '../domain/coupon.ts';
import { Refusal, type RefusalReason } from '../domain/refusal.ts';
import { MoneyBudgetSchema } from '../gen/hongbao/v1/availability_pb.ts';
import { EvaluateCartRequestSchema } from '../gen/hongbao/v1/cart_service_pb.ts';
import { couponField } from './coupon-steps.ts';
import type { RedemptionAnswer } from './end-order.ts';
import type { OrderRequest } from './order-request.ts';
import { readOrder } from './read-order.ts';
import { decodeStoredDecision } from './stored-decision.ts';
import { createSweepJob } from './sweep-job.ts';

let fixture: RedemptionFixture;
beforeAll(async () => {
  fixture = await startRedemptionFixture();
  await fixture.define({ ref: 1 });
});
afterAll(async () => {
  await fixture.close();
});

type Limited = NonNullable<TestPromotion['limits']>;

const ended = (order: Partial<OrderRequest> & { requestId: string }) => ({
  userId: 'ann',
  orderId: 'o1',
  reservationId: '',
  reason: '',
  ...order,
});
const reserve = (order: Partial<OrderRequest>): Promise<RedemptionAnswer> =>
  fixture.redemptions.reserve(orderOf(order), caller());
const commit = (order: Partial<OrderRequest> & { requestId: string }) =>
  fixture.redemptions.commit(ended(order), soon());
const release = (order: Partial<OrderRequest> & { requestId: string }) =>
  fixture.redemptions.release(ended(order), soon());

async function reasonOf(call: Promise<unknown>): Promise<RefusalReason | 'none'> {
  return await call.then(
    () => 'none' as const,
    (error: unknown) => {
      if (error instanceof Refusal) return error.reason;
      throw error;
    },
  );
}

async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Refusal) return error;
  throw new Error(`not refused: ${String(error)}`);
}

async function couponOf(userId: string, couponId: string) {
  const { wallet, account } = await readOrder(fixture.ledger.ledger, userId, 'none', soon());
  const bytes = wallet.get(couponField(couponId).toString('latin1'));
  if (bytes === undefined) throw new Error('no such coupon');
  const holder = account.get(`>${couponField(couponId).toString('latin1')}`)?.toString();
  return { ...decodeCouponValue(bytes), holder, live: wallet.get('@')?.readUInt16BE(6) };
}

/** Lets a reservation of one millisecond lapse. */
async function lapse(userId: string, orderId: string): Promise<void> {
  await expect.poll(() => fixture.redemptions.lapse(userId, orderId, soon()), { timeout: 5_000 }).toBe(true);
}

// SPEC C5
it('counts used coupons and the discount of orders once, when they are committed', async () => {
  await fixture.define({ ref: 60 });
  const { couponsUsed, discounts } = fixture.ports.metrics;
  const order = { userId: 'eve', couponIds: [await fixture.issue('eve', 60)] };
  const { order: known } = await reserve(order);
  const { currency } = known.redemption;
  const before = { used: couponsUsed.value, minor: discounts.child(currency).value };
  await commit({ userId: 'eve', requestId: 'c1' });
  await commit({ userId: 'eve', requestId: 'c1' });
  const after = { used: before.used + 1, minor: before.minor + DISCOUNT_MINOR };
  expect({ used: couponsUsed.value, minor: discounts.child(currency).value }).toEqual(after);
});

// SPEC L3, P9
describe('the life of an order', () => {
  it('is reserved, committed, and counted once', async () => {
    await fixture.define({ ref: 6 });
    const couponId = await fixture.issue('ann', 6);
    const { order, replayed } = await reserve({ couponIds: [couponId] });
    expect(replayed).toBe(false);
    expect(order.redemption).toMatchObject({
      state: 'reserved',
      reservationId: 'r1',
      payableMinor: 900,
      coupons: [{ couponId, promotionRef: 6, discountMinor: DISCOUNT_MINOR, returned: false }],
      promotions: [{ promotionId: 'p6', couponId, givenBack: false }],
    });
    const { reservedAtMs, dueAtMs } = order.redemption;
    expect(dueAtMs - reservedAtMs).toBe(15 * 60_000);
    expect(await couponOf('ann', couponId)).toMatchObject({ state: 'reserved', holder: 'o1', live: 1 });
    expect(await fixture.ledger.redis.zscore('{p0}due', 'ann/o1')).toBe(String(dueAtMs));

    const committed = await commit({ requestId: 'c1' });
    expect(committed.replayed).toBe(false);
    expect(committed.order.redemption).toMatchObject({ state: 'committed', reservedAtMs, dueAtMs });
    expect(committed.order.redemption.committedAtMs).toBeGreaterThanOrEqual(reservedAtMs);
    expect(await couponOf('ann', couponId)).toMatchObject({ state: 'used', holder: 'o1', live: 0 });
    expect(await fixture.ledger.redis.zscore('{p0}due', 'ann/o1')).toBeNull();
    const stored = await readOrder(fixture.ledger.ledger, 'ann', 'o1', soon());
    expect(stored.redemption).toEqual(committed.order.redemption);
    expect([await fixture.used(6, 'n'), await fixture.used(6, 'm')]).toEqual([1, DISCOUNT_MINOR]);
    expect(stored.account.get('u\0\0\0\u0006')?.toString()).toBe('1');
  });

  it('answers repeats as they stand, whatever became of the order since', async () => {
    const couponId = await fixture.issue('bea', 1);
    const order = { userId: 'bea', couponIds: [couponId] };
    await reserve(order);
    expect(await reserve(order)).toMatchObject({
      replayed: true,
      order: { redemption: { state: 'reserved' } },
    });
    await commit({ userId: 'bea', requestId: 'c1' });
    expect(await commit({ userId: 'bea', requestId: 'c1' })).toMatchObject({ replayed: true });
    expect(await commit({ userId: 'bea', requestId: 'c2' })).toMatchObject({ replayed: true });
    expect(await reserve(order)).toMatchObject({
      replayed: true,
      order: { redemption: { state: 'committed' } },
    });
    expect(await reasonOf(reserve({ ...order, requestId: 'r2' }))).toBe('ORDER_ALREADY_COMMITTED');
    expect(await reasonOf(release({ userId: 'bea', requestId: 'x1' }))).toBe('ORDER_ALREADY_COMMITTED');
  });

  it('gives everything back when it is released, and can be reserved anew', async () => {
    await fixture.define({ ref: 2, limits: { usesPerDay: 1n, timeZone: 'Asia/Shanghai' } });
    const couponId = await fixture.issue('cat', 2);
    const order = { userId: 'cat', couponIds: [couponId] };
    const reserved = await reserve(order);
    const [period = ''] = reserved.order.redemption.promotions[0]?.periods ?? [];
    expect(period).toMatch(/^d\d{8}$/);
    expect(await fixture.used(2, period)).toBe(1);
    const released = await release({ userId: 'cat', requestId: 'x1' });
    expect(released.order.redemption).toMatchObject({
      state: 'released',
      promotions: [{ givenBack: true }],
    });
    expect(await couponOf('cat', couponId)).toMatchObject({ state: 'unused', holder: undefined, live: 1 });
    expect([await fixture.used(2, 'n'), await fixture.used(2, 'm'), await fixture.used(2, period)]).toEqual([
      0, 0, 0,
    ]);
    expect(await reasonOf(commit({ userId: 'cat', requestId: 'c1' }))).toBe('RESERVATION_RELEASED');
    expect(await release({ userId: 'cat', requestId: 'x2' })).toMatchObject({ replayed: true });
    // The same request is the same reservation, and that is over; another one is another.
    expect(await reserve(order)).toMatchObject({
      replayed: true,
      order: { redemption: { state: 'released' } },
    });
    expect(await reserve({ ...order, requestId: 'r2' })).toMatchObject({ replayed: false });
    // What ended the first reservation, or found it ended, does not end the second when it is told again.
    for (const requestId of ['x1', 'x2'])
      expect(await release({ userId: 'cat', requestId })).toMatchObject({
        replayed: true,
        order: { redemption: { state: 'reserved', reservationId: 'r2' } },
      });
    expect(await reasonOf(commit({ userId: 'cat', requestId: 'x1' }))).toBe('REQUEST_ID_REUSED');
    expect(
      await reasonOf(
        fixture.redemptions.commit(
          { userId: 'cat', orderId: 'o1', requestId: 'c1', reservationId: 'r1' },
          soon(),
        ),
      ),
    ).toBe('RESERVATION_NOT_FOUND');
  });

  it('uses in one step what is paid already', async () => {
    const couponId = await fixture.issue('dan', 1);
    const order = orderOf({ userId: 'dan', couponIds: [couponId] });
    const { order: used } = await fixture.redemptions.use(order, caller());
    expect(used.redemption).toMatchObject({ state: 'committed', dueAtMs: 0 });
    expect(used.redemption.committedAtMs).toBe(used.redemption.reservedAtMs);
    expect(await couponOf('dan', couponId)).toMatchObject({ state: 'used', holder: 'o1', live: 0 });
    expect(await fixture.redemptions.use(order, caller())).toMatchObject({ replayed: true });
    expect(await reasonOf(fixture.redemptions.reserve(order, caller()))).toBe('REQUEST_ID_REUSED');
  });

  it('may hold no coupon at all', async () => {
    expect((await reserve({ userId: 'eli' })).order.redemption.coupons).toEqual([]);
    expect((await commit({ userId: 'eli', requestId: 'c1' })).order.redemption.state).toBe('committed');
  });

  it('keeps what is needed to decide again', async () => {
    const couponId = await fixture.issue('fay', 1);
    const { order } = await reserve({ userId: 'fay', couponIds: [couponId] });
    const bytes = order.order.get('d');
    if (bytes === undefined) throw new Error('no decision');
    const request = fromBinary(EvaluateCartRequestSchema, decodeStoredDecision(bytes).request);
    expect(request).toMatchObject({ ruleSetVersion: 1n, useWallet: true, heldCoupons: [{ couponId }] });
  });

  it('may be of 5,000 lines', async () => {
    const lines = Array.from({ length: 5_000 }, (_, index) => ({
      lineId: `line-${index}`,
      itemId: `item-with-a-rather-long-name-${index}`,
      quantity: 1,
      unitPriceMinor: 100n,
    }));
    await reserve({ userId: 'gus', cart: orderCart({ currency: 'USD', lines }) });
    const { order } = await commit({ userId: 'gus', requestId: 'c1' });
    expect(order.redemption.lines).toHaveLength(5_000);
  });
});

// SPEC L3, L5
describe('a call that cannot be carried out', () => {
  it('is refused for an order that is not there or is reserved by another call', async () => {
    expect(await reasonOf(commit({ userId: 'hal', requestId: 'c1' }))).toBe('ORDER_NOT_FOUND');
    expect(await reasonOf(release({ userId: 'hal', requestId: 'x1' }))).toBe('ORDER_NOT_FOUND');
    expect(await reasonOf(fixture.redemptions.get('hal', 'o1', soon()))).toBe('ORDER_NOT_FOUND');
    await reserve({ userId: 'hal' });
    const refusal = await refusalOf(reserve({ userId: 'hal', requestId: 'r2' }));
    expect(refusal.reason).toBe('ORDER_ALREADY_RESERVED');
    expect(refusal.detail.metadata).toMatchObject({ reservation_id: 'r1' });
  });

  it('is refused when its request id stands for something else', async () => {
    await reserve({ userId: 'ida' });
    expect(await reasonOf(reserve({ userId: 'ida', orderNumber: '7' }))).toBe('REQUEST_ID_REUSED');
    expect(await reasonOf(reserve({ userId: 'ida', holdMs: 60_000 }))).toBe('REQUEST_ID_REUSED');
    expect((await reserve({ userId: 'ida', requestId: 'r1' })).replayed).toBe(true);
  });

  it.each(['constructor', '__proto__'])('takes "%s" for a request id like any other', async (requestId) => {
    const userId = `joe-${requestId}`;
    await reserve({ userId, requestId });
    expect(await reserve({ userId, requestId })).toMatchObject({ replayed: true });
    expect(await release({ userId, requestId })).toMatchObject({ replayed: false });
    expect(await release({ userId, requestId })).toMatchObject({ replayed: true });
    expect(await reserve({ userId, requestId })).toMatchObject({ replayed: true });
  });

  it('is refused when the order costs something else than was expected', async () => {
    const couponIds = [await fixture.issue('kim', 1)];
    const refusal = await refusalOf(reserve({ userId: 'kim', couponIds, expectedPayableMinor: 1_000 }));
    expect(refusal.reason).toBe('CART_CHANGED');
    expect(refusal.detail.metadata).toEqual({ needed: '1000', seen: '900' });
    expect(await reserve({ userId: 'kim', couponIds, expectedPayableMinor: 900 })).toMatchObject({
      replayed: false,
    });
  });

  it('is refused for a coupon of somebody else', async () => {
    const couponIds = [await fixture.issue('leo', 1)];
    expect(await reasonOf(reserve({ userId: 'not-leo', couponIds }))).toBe('COUPON_NOT_FOUND');
  });

  it('is refused for a user who was erased', async () => {
    await fixture.ledger.redis.hset('{p0}a:moe', 'x', '1');
    expect(await reasonOf(reserve({ userId: 'moe' }))).toBe('USER_NOT_FOUND');
  });
});

// SPEC L3, P9
describe('many calls at once', () => {
  it('give one coupon to one of 64 orders', async () => {
    await fixture.define({ ref: 7 });
    const couponIds = [await fixture.issue('ned', 7)];
    const ends = await Promise.all(
      Array.from({ length: 64 }, (_, index) =>
        reasonOf(reserve({ userId: 'ned', orderId: `o${index}`, requestId: `r${index}`, couponIds })),
      ),
    );
    expect(ends.filter((reason) => reason === 'none')).toHaveLength(1);
    expect(ends.filter((reason) => reason === 'COUPON_NOT_AVAILABLE')).toHaveLength(63);
    expect(await fixture.used(7, 'n')).toBe(1);
  });

  it('make one reservation of 32 repeats', async () => {
    const couponIds = [await fixture.issue('oda', 1)];
    const answers = await Promise.all(
      Array.from({ length: 32 }, () => reserve({ userId: 'oda', couponIds })),
    );
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
  });

  it.each<[string, Limited, RefusalReason, Record<string, string>]>([
    ['uses in all', { usesTotal: 10n }, 'USES_EXHAUSTED', { period: 'total', needed: '10', seen: '10' }],
    ['uses in a week', { usesPerWeek: 10n, timeZone: 'UTC' }, 'USES_EXHAUSTED', { period: 'week' }],
    [
      'money',
      { budget: create(MoneyBudgetSchema, { amountMinor: 1_050n }) },
      'BUDGET_EXHAUSTED',
      { needed: '100', seen: '50' },
    ],
  ])('never go beyond the limit of %s', async (what, limits, reason, metadata) => {
    const ref = 20 + what.length;
    await fixture.define({ ref, limits });
    const users = Array.from({ length: 100 }, (_, index) => `u${index}-${ref}`);
    const couponIds = await Promise.all(users.map((userId) => fixture.issue(userId, ref)));
    const ends = await Promise.allSettled(
      users.map((userId, index) => reserve({ userId, couponIds: couponIds.slice(index, index + 1) })),
    );
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
    expect(refused.every((error) => error instanceof Refusal && error.reason === reason)).toBe(true);
    expect(refused[0]?.detail.metadata).toMatchObject({ promotion_id: `p${ref}`, ...metadata });
    expect([await fixture.used(ref, 'n'), await fixture.used(ref, 'm')]).toEqual([10, 1_000]);
    // One is given back, one more may follow.
    const winner = users[ends.findIndex(({ status }) => status === 'fulfilled')] ?? '';
    const loser = ends.findIndex(({ status }) => status === 'rejected');
    await release({ userId: winner, requestId: 'x1' });
    await reserve({ userId: users[loser] ?? '', couponIds: couponIds.slice(loser, loser + 1) });
    expect(await fixture.used(ref, 'n')).toBe(10);
  });

  it('never go beyond the limit of one user', async () => {
    await fixture.define({ ref: 3, limits: { usesPerUser: 2n } });
    const couponIds = [
      await fixture.issue('pam', 3),
      await fixture.issue('pam', 3),
      await fixture.issue('pam', 3),
    ];
    const refusal = await refusalOf(reserve({ userId: 'pam', couponIds }));
    expect(refusal.reason).toBe('USER_USES_EXHAUSTED');
    expect(refusal.detail.metadata).toEqual({ promotion_id: 'p3', needed: '2', seen: '2' });
    expect(await fixture.used(3, 'n')).toBe(0);
    await reserve({ userId: 'pam', couponIds: couponIds.slice(0, 2) });
    expect(await fixture.used(3, 'n')).toBe(2);
  });
});

// SPEC L3
describe('a reservation past its time', () => {
  it('lapses by the sweep, and not before', async () => {
    const couponId = await fixture.issue('rex', 1);
    await reserve({ userId: 'rex', orderId: 'later' });
    await reserve({ userId: 'rex', couponIds: [couponId], holdMs: 1 });
    const job = createSweepJob({ ...fixture.ports, nowMs: Date.now });
    const context = { signal: new AbortController().signal, nowMs: 0, progress: () => undefined };
    await expect.poll(async () => (await job.run(context))['lapsed'], { timeout: 5_000 }).toBe(1);
    expect(await couponOf('rex', couponId)).toMatchObject({ state: 'unused', holder: undefined });
    expect((await fixture.redemptions.get('rex', 'o1', soon())).redemption).toMatchObject({
      state: 'expired',
    });
    expect((await fixture.redemptions.get('rex', 'later', soon())).redemption.state).toBe('reserved');
    expect(await job.run(context)).toEqual({ lapsed: 0, settled: 0, failed: 0 });
  });

  it('is freed at once for the next call of its user', async () => {
    const couponIds = [await fixture.issue('sam', 1)];
    const { order } = await reserve({ userId: 'sam', couponIds, holdMs: 1 });
    const isOver = () => fixture.ledger.ledger.nowMs() > order.redemption.dueAtMs + 5;
    await expect.poll(isOver).toBe(true);
    const next = await reserve({ userId: 'sam', orderId: 'o2', requestId: 'r2', couponIds });
    expect(next.order.redemption.state).toBe('reserved');
    expect((await fixture.redemptions.get('sam', 'o1', soon())).redemption.state).toBe('expired');
  });

  it('is committed all the same while nobody has let it lapse', async () => {
    const { order } = await reserve({ userId: 'tom', holdMs: 1 });
    await expect.poll(() => fixture.ledger.ledger.nowMs() > order.redemption.dueAtMs + 5).toBe(true);
    expect((await commit({ userId: 'tom', requestId: 'c1' })).order.redemption.state).toBe('committed');
  });

  it('is committed after it lapsed when everything is still free', async () => {
    await fixture.define({ ref: 4, limits: { usesTotal: 1n, usesPerDay: 1n, timeZone: 'UTC' } });
    const couponId = await fixture.issue('uma', 4);
    await reserve({ userId: 'uma', couponIds: [couponId], holdMs: 1 });
    await lapse('uma', 'o1');
    expect(await fixture.used(4, 'n')).toBe(0);
    const { order } = await commit({ userId: 'uma', requestId: 'c1' });
    expect(order.redemption).toMatchObject({ state: 'committed', promotions: [{ givenBack: false }] });
    expect(order.redemption.endedAtMs).toBeUndefined();
    expect(await couponOf('uma', couponId)).toMatchObject({ state: 'used', holder: 'o1', live: 0 });
    expect(await fixture.used(4, 'n')).toBe(1);
    expect(await commit({ userId: 'uma', requestId: 'c1' })).toMatchObject({ replayed: true });
  });

  it('is refused after it lapsed when the coupon or a limit went elsewhere', async () => {
    const couponIds = [await fixture.issue('vic', 1)];
    await reserve({ userId: 'vic', couponIds, holdMs: 1 });
    await lapse('vic', 'o1');
    await reserve({ userId: 'vic', orderId: 'o2', couponIds });
    const byCoupon = await refusalOf(commit({ userId: 'vic', requestId: 'c1' }));
    expect(byCoupon.reason).toBe('RESERVATION_EXPIRED');
    expect(byCoupon.detail.metadata).toMatchObject({ coupon_id: couponIds[0] });

    await fixture.define({ ref: 5, limits: { usesTotal: 1n } });
    const first = await fixture.issue('wes', 5);
    const second = await fixture.issue('xia', 5);
    await reserve({ userId: 'wes', couponIds: [first], holdMs: 1 });
    await lapse('wes', 'o1');
    await reserve({ userId: 'xia', couponIds: [second] });
    const byLimit = await refusalOf(commit({ userId: 'wes', requestId: 'c1' }));
    expect(byLimit.reason).toBe('RESERVATION_EXPIRED');
    expect(byLimit.detail.metadata).toMatchObject({ cause: 'USES_EXHAUSTED', promotion_id: 'p5' });
  });

  it('keeps its coupon beyond the date of the coupon', async () => {
    const couponId = await fixture.issue('yan', 1);
    await reserve({ userId: 'yan', couponIds: [couponId] });
    const held = await couponOf('yan', couponId);
    const over = encodeCouponValue({ ...held, validFromMs: 1, expiresAtMs: 2 });
    await fixture.ledger.redis.hset('{p0}w:yan', couponField(couponId), Buffer.from(over));
    await commit({ userId: 'yan', requestId: 'c1' });
    expect(await couponOf('yan', couponId)).toMatchObject({ state: 'used', expiresAtMs: 2 });
  });

  it('does not begin with a coupon whose date is over at the very moment', async () => {
    const couponId = await fixture.issue('zoe', 1);
    const value = await couponOf('zoe', couponId);
    const over = encodeCouponValue({ ...value, validFromMs: 1, expiresAtMs: 2 });
    await fixture.ledger.redis.hset('{p0}w:zoe', couponField(couponId), Buffer.from(over));
    const order = orderOf({ userId: 'zoe', couponIds: [couponId] });
    const patience = { ...caller(), deadlineMs: Date.now() + 300 };
    expect(await reasonOf(fixture.redemptions.reserve(order, patience))).toBe('DEADLINE_EXCEEDED');
    expect(await couponOf('zoe', couponId)).toMatchObject({ state: 'unused' });
  });
});
