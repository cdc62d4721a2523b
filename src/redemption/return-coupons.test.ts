import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { soon } from '../../test/ledger-fixture.ts';
import { RefundFixture } from '../../test/refund-fixture.ts';
import { encodeCouponValue, stateAt } from '../domain/coupon.ts';
import { MS_PER_DAY } from '../domain/durations.ts';
import { accountOf, walletOf } from '../ledger/transaction.ts';
import { couponField, readCoupon } from './coupon-steps.ts';
import type { KnownOrder } from './read-order.ts';

let fixture: RefundFixture;
beforeAll(async () => {
  fixture = await RefundFixture.start();
});
afterAll(async () => {
  await fixture.close();
});

/** Each test has users and promotions of its own. */
let names = 0;
function fresh(): { userId: string; ref: number } {
  names += 1;
  return { userId: `user-${names}`, ref: names * 10 };
}

const LINES = { a: ['duck', 6_000, 2] } as const;

/** A paid order that used one coupon. */
async function paidOrder(policy: object = {}): Promise<{ userId: string; ref: number; couponId: string }> {
  const { userId, ref } = fresh();
  await fixture.define({ ref, return_policy: { ...policy } });
  const couponId = await fixture.issue(userId, ref);
  await fixture.use({ userId, orderId: 'o1', lines: LINES, couponIds: [couponId] });
  return { userId, ref, couponId };
}

async function couponOf(userId: string, couponId: string) {
  const coupon = readCoupon(await fixture.order(userId, 'o1'), couponId);
  if (coupon === undefined) throw new Error('the wallet has no such coupon');
  return { ...coupon, stateNow: stateAt(coupon.value, Date.now()) };
}

/** Puts the coupon's date into the past, as if the order had been made long ago. */
async function letExpire(userId: string, couponId: string): Promise<number> {
  const { value } = await couponOf(userId, couponId);
  const expiresAtMs = Date.now() - 60_000;
  const bytes = Buffer.from(encodeCouponValue({ ...value, expiresAtMs }));
  const step = { kind: 'set', on: walletOf(userId), field: couponField(couponId), value: bytes } as const;
  await fixture.ledger.ledger.transact({ event: 'hidden', opensNew: false, steps: [step] }, soon());
  return expiresAtMs;
}

async function userUses(userId: string, ref: number): Promise<number> {
  const field = Buffer.alloc(5, 'u');
  field.writeUInt32BE(ref, 1);
  return Number((await fixture.ledger.redis.hgetBuffer(`{p0}a:${userId}`, field)) ?? 0);
}

async function liveCoupons(userId: string): Promise<number> {
  const value = await fixture.ledger.redis.hgetBuffer(`{p0}w:${userId}`, '@');
  return value?.readUInt16BE(6) ?? 0;
}

const statesOf = ({ redemption }: KnownOrder): readonly unknown[] => [
  redemption.state,
  redemption.coupons.map(({ returned }) => returned),
  redemption.promotions.map(({ givenBack }) => givenBack),
];

// SPEC L4
describe('a whole return', () => {
  it('gives the coupon, its use and its money back, and ends the order', async () => {
    const { userId, ref, couponId } = await paidOrder();
    const { value } = await couponOf(userId, couponId);
    expect([await fixture.used(ref), await fixture.used(ref, 'm')]).toEqual([1, 2_000]);

    const returned = await fixture.returnCoupons({
      userId,
      orderId: 'o1',
      requestId: 'c1',
      reason: 'cancelled',
    });

    expect(returned.record.coupons).toEqual([
      { couponId, outcome: 'usable_again', expiresAtMs: value.expiresAtMs },
    ]);
    expect(returned.record.atMs).toBeGreaterThan(0);
    expect(statesOf(returned.order)).toEqual(['returned', [true], [true]]);
    expect(returned.order.redemption).toMatchObject({ reason: 'cancelled' });
    const now = await couponOf(userId, couponId);
    expect([now.value.state, now.orderId]).toEqual(['unused', undefined]);
    expect([await fixture.used(ref), await fixture.used(ref, 'm'), await userUses(userId, ref)]).toEqual([
      0, 0, 0,
    ]);
    expect(await liveCoupons(userId)).toBe(1);
    expect(statesOf(await fixture.order(userId, 'o1'))).toEqual(statesOf(returned.order));
  });

  it('lets the coupon be used for another order', async () => {
    const { userId, couponId } = await paidOrder();
    await fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'c1' });
    const again = await fixture.use({ userId, orderId: 'o2', lines: LINES, couponIds: [couponId] });
    expect(again.redemption).toMatchObject({ state: 'committed', itemsDiscountMinor: 2_000 });
  });

  it('gives uses of promotions by themselves back, also when the order used no coupon', async () => {
    const { userId, ref } = fresh();
    await fixture.define({ ref, reach: { automatic: {} } });
    await fixture.use({ userId, orderId: 'o1', lines: LINES });
    expect(await fixture.used(ref)).toBe(1);
    const { order, record } = await fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'c1' });
    expect(statesOf(order)).toEqual(['returned', [], [true]]);
    expect(record.coupons).toEqual([]);
    expect(await fixture.used(ref)).toBe(0);
    await fixture.define({ ref, reach: { automatic: {} }, suspend_use: true });
  });

  // SPEC T5
  it('takes all points of the order back, with its bonus', async () => {
    const { userId } = await paidOrder();
    const paid = { paidMinor: 10_000, currency: 'CNY' };
    await fixture.points.earn({ userId, orderId: 'o1', ...paid }, soon());
    expect((await fixture.points.balance(userId, soon())).available).toBe(100);
    const { record } = await fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'c1' });
    expect(record.pointsReversed).toBe(100);
    expect((await fixture.points.balance(userId, soon())).available).toBe(0);
  });
});

// SPEC L4
describe('a return of single coupons', () => {
  it('gives only those back, and with the last of them everything the order used', async () => {
    const { userId, ref } = fresh();
    const [first, second, automatic] = [ref, ref + 1, ref + 2];
    await fixture.define({ ref: first });
    await fixture.define({ ref: second, effect: { percent_off: { discount_basis_points: 1_000 } } });
    await fixture.define({
      ref: automatic,
      reach: { automatic: {} },
      rules: [{ item_discount_scope: { selection: { item_ids: ['goose'] } } }],
    });
    const couponIds = [await fixture.issue(userId, first), await fixture.issue(userId, second)];
    const lines = { a: ['duck', 6_000, 2], b: ['goose', 5_000, 1] } as const;
    await fixture.use({ userId, orderId: 'o1', lines, couponIds });

    const one = await fixture.returnCoupons({
      userId,
      orderId: 'o1',
      requestId: 'c1',
      couponIds: couponIds.slice(0, 1),
    });
    expect(one.record.coupons.map(({ couponId }) => couponId)).toEqual(couponIds.slice(0, 1));
    expect(one.order.redemption.state).toBe('committed');
    expect([await fixture.used(first), await fixture.used(second), await fixture.used(automatic)]).toEqual([
      0, 1, 1,
    ]);

    const rest = await fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'c2', couponIds });
    expect(rest.record.coupons.map(({ couponId }) => couponId)).toEqual(couponIds.slice(1));
    expect(rest.order.redemption.state).toBe('returned');
    expect([await fixture.used(first), await fixture.used(second), await fixture.used(automatic)]).toEqual([
      0, 0, 0,
    ]);
  });

  it('knows the coupons of the order only', async () => {
    const { userId, ref } = await paidOrder();
    const other = await fixture.issue(userId, ref);
    await expect(
      fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'c1', couponIds: [other] }),
    ).rejects.toMatchObject({ reason: 'COUPON_NOT_FOUND', detail: { metadata: { coupon_id: other } } });
  });
});

// SPEC L4: the policy of the promotion decides.
describe('what becomes of a coupon', () => {
  it('past its date: it goes back and is expired', async () => {
    const { userId, ref, couponId } = await paidOrder();
    const expiresAtMs = await letExpire(userId, couponId);
    const { record } = await fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'c1' });
    expect(record.coupons).toEqual([{ couponId, outcome: 'expired', expiresAtMs }]);
    const coupon = await couponOf(userId, couponId);
    expect([coupon.stateNow, coupon.orderId]).toEqual(['expired', undefined]);
    expect(await fixture.used(ref)).toBe(0);
  });

  it('past its date, extended: it can be used for so many days from the return on', async () => {
    const { userId, couponId } = await paidOrder({ extend_expired_days: 3 });
    await letExpire(userId, couponId);
    const { record } = await fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'c1' });
    expect(record.coupons).toEqual([{ couponId, outcome: 'extended', extendedByMs: 3 * MS_PER_DAY }]);
    const { value, stateNow } = await couponOf(userId, couponId);
    expect(stateNow).toBe('unused');
    expect(value.expiresAtMs).toBe(record.atMs + 3 * MS_PER_DAY);
    const again = await fixture.use({ userId, orderId: 'o2', lines: LINES, couponIds: [couponId] });
    expect(again.redemption.state).toBe('committed');
  });

  it('before its date: a policy that extends changes nothing', async () => {
    const { userId, couponId } = await paidOrder({ extend_expired_days: 3 });
    const { value } = await couponOf(userId, couponId);
    const { record } = await fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'c1' });
    expect(record.coupons).toEqual([{ couponId, outcome: 'usable_again', expiresAtMs: value.expiresAtMs }]);
  });

  it('never given back: it stays used and goes on counting, and the order is over', async () => {
    const { userId, ref, couponId } = await paidOrder({ use_on_cancel: 'USE_ON_CANCEL_STAYS_USED' });
    const { record, order } = await fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'c1' });
    expect(record.coupons).toMatchObject([{ couponId, outcome: 'stays_used' }]);
    expect(statesOf(order)).toEqual(['returned', [false], [false]]);
    const coupon = await couponOf(userId, couponId);
    expect([coupon.value.state, coupon.orderId]).toEqual(['used', 'o1']);
    expect([await fixture.used(ref), await userUses(userId, ref)]).toEqual([1, 1]);
  });

  it('taken back by staff while it was used: it is revoked', async () => {
    const { userId, ref, couponId } = await paidOrder();
    const field = Buffer.concat([Buffer.from('~'), couponField(couponId)]);
    const mark = { kind: 'set', on: accountOf(userId), field, value: Buffer.from('fraud') } as const;
    await fixture.ledger.ledger.transact({ event: 'revoked', opensNew: false, steps: [mark] }, soon());
    const { record } = await fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'c1' });
    expect(record.coupons).toMatchObject([{ couponId, outcome: 'revoked' }]);
    const coupon = await couponOf(userId, couponId);
    expect([coupon.value.state, coupon.orderId]).toEqual(['revoked', undefined]);
    expect(await fixture.used(ref)).toBe(0);
    expect(await liveCoupons(userId)).toBe(0);
  });

  it('when the wallet has no room: the return is refused until there is', async () => {
    const { userId, ref } = await paidOrder();
    await Promise.all(Array.from({ length: 500 }, () => fixture.issue(userId, ref)));
    await expect(fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'c1' })).rejects.toMatchObject({
      reason: 'WALLET_FULL',
      detail: { metadata: { live_coupons: '500' } },
    });
    expect((await fixture.order(userId, 'o1')).redemption.state).toBe('committed');
  });
});

// SPEC L5
describe('a return that is asked for again', () => {
  it('answers the same under its request id', async () => {
    const { userId, ref } = await paidOrder();
    const request = { userId, orderId: 'o1', requestId: 'c1', reason: 'cancelled' };
    const first = await fixture.returnCoupons(request);
    const again = await fixture.returnCoupons(request);
    expect([first.isReplay, again.isReplay]).toEqual([false, true]);
    expect(again.record).toEqual(first.record);
    expect(await fixture.used(ref)).toBe(0);
  });

  it('is refused under another request id, and with other content', async () => {
    const { userId } = await paidOrder();
    await fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'c1' });
    await expect(fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'c2' })).rejects.toMatchObject({
      reason: 'NOTHING_TO_RETURN',
    });
    await expect(
      fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'c1', reason: 'other' }),
    ).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });

  it('is done once by many at the same time', async () => {
    const { userId, ref, couponId } = await paidOrder();
    const calls = Array.from({ length: 32 }, (_, index) =>
      fixture.returnCoupons({ userId, orderId: 'o1', requestId: `c${index % 8}` }).then(
        ({ isReplay }) => (isReplay ? 'replayed' : 'done'),
        (error: { reason: string }) => error.reason,
      ),
    );
    const outcomes = await Promise.all(calls);
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'replayed')).toHaveLength(3);
    expect(outcomes.filter((outcome) => outcome === 'NOTHING_TO_RETURN')).toHaveLength(28);
    expect(await fixture.used(ref)).toBe(0);
    expect((await couponOf(userId, couponId)).value.state).toBe('unused');
    expect(await liveCoupons(userId)).toBe(1);
  });
});

// SPEC L4
describe('nothing is returned of an order', () => {
  it('that is not there', async () => {
    await expect(
      fixture.returnCoupons({ userId: 'nobody', orderId: 'o1', requestId: 'c1' }),
    ).rejects.toMatchObject({ reason: 'ORDER_NOT_FOUND' });
  });

  it('of which the reservation lapsed', async () => {
    const { userId, ref } = fresh();
    await fixture.define({ ref });
    const couponIds = [await fixture.issue(userId, ref)];
    const { redemption } = await fixture.reserve({ userId, orderId: 'o1', lines: LINES, couponIds }, 1);
    const lapse = () => fixture.redemptions.lapse(userId, 'o1', soon());
    await expect.poll(lapse, { interval: 5 }).toBe(true);
    await expect(fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'c1' })).rejects.toMatchObject({
      reason: 'RESERVATION_EXPIRED',
      detail: { metadata: { expired_at: new Date(redemption.dueAtMs).toISOString() } },
    });
  });

  it('that is held, or was let go', async () => {
    const { userId, ref } = fresh();
    await fixture.define({ ref });
    const couponIds = [await fixture.issue(userId, ref)];
    await fixture.reserve({ userId, orderId: 'o1', lines: LINES, couponIds });
    const request = { userId, orderId: 'o1', requestId: 'c1' };
    await expect(fixture.returnCoupons(request)).rejects.toMatchObject({ reason: 'NOTHING_TO_RETURN' });
    const release = { ...request, reservationId: '', reason: '' };
    await fixture.redemptions.release(release, soon());
    await expect(fixture.returnCoupons(request)).rejects.toMatchObject({ reason: 'RESERVATION_RELEASED' });
  });
});

// SPEC L4, L10
describe('a coupon that its owner hid while it was used', () => {
  const hide = async (userId: string, couponId: string) =>
    await fixture.ledger.ledger.hide(userId, couponField(couponId).toString('hex'), soon());

  it('is shown again when it can be used again', async () => {
    const { userId, couponId } = await paidOrder();
    await hide(userId, couponId);
    await fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'back' });
    expect(await couponOf(userId, couponId)).toMatchObject({ stateNow: 'unused', value: { hidden: false } });
  });

  it.each([
    ['stays hidden when it has expired meanwhile', {}, true],
    ['is shown again when it gets a new date', { extend_expired_days: 3 }, false],
  ] as const)('%s', async (_, policy, hidden) => {
    const { userId, couponId } = await paidOrder(policy);
    await hide(userId, couponId);
    await letExpire(userId, couponId);
    await fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'back' });
    expect((await couponOf(userId, couponId)).value).toMatchObject({ state: 'unused', hidden });
  });
});
