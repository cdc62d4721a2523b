import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { soon } from '../../test/ledger-fixture.ts';
import { RefundFixture, type TestOrder } from '../../test/refund-fixture.ts';
import { refundsOf } from '../domain/refund-record.ts';
import { readCoupon } from './coupon-steps.ts';

let fixture: RefundFixture;
beforeAll(async () => {
  fixture = await RefundFixture.start();
});
afterAll(async () => {
  await fixture.close();
});

/** Each test has users and promotions of its own. */
let names = 0;

const TWO_DUCKS = { a: ['duck', 6_000, 2] } as const;
const THRESHOLD = [{ minimum_spend: { amount_minor: 10_000 } }];

interface PaidOrder {
  readonly userId: string;
  readonly ref: number;
  readonly couponId: string;
}

/** A paid order with one coupon: 20.00 off from 100.00 on unless told. */
async function paidOrder(
  order: Partial<TestOrder> = {},
  promotion: Parameters<RefundFixture['define']>[0] | object = {},
): Promise<PaidOrder> {
  names += 1;
  const [userId, ref] = [`user-${names}`, names * 10];
  await fixture.define({ rules: THRESHOLD, ...promotion, ref });
  const couponId = await fixture.issue(userId, ref);
  await fixture.use({ lines: TWO_DUCKS, ...order, userId, orderId: 'o1', couponIds: [couponId] });
  return { userId, ref, couponId };
}

// SPEC L4, SPEC R14
describe('a refund that keeps discounts', () => {
  it('gives units back one by one until everything is back, and then the coupon', async () => {
    const { userId, ref, couponId } = await paidOrder({ lines: { a: ['duck', 3_334, 3] } });
    const paid = (await fixture.order(userId, 'o1')).redemption.payableMinor;
    expect(paid).toBe(8_002);
    const questions = fixture.questions.length;

    const first = await fixture.refund({ userId, orderId: 'o1', requestId: 'r1', back: { a: 1 } });
    expect(first.record).toMatchObject({
      refundId: 'r1',
      lines: [{ lineId: 'a', quantity: 1, refundMinor: 2_668 }],
      refundMinor: 2_668,
      clawBackMinor: 0,
      refundedTotalMinor: 2_668,
      remainingPayableMinor: 5_334,
      coupons: [],
    });
    expect(first.order.redemption).toMatchObject({
      state: 'committed',
      refundedMinor: 2_668,
      lines: [{ returnedQuantity: 1, refundedMinor: 2_668 }],
    });
    expect(await fixture.used(ref)).toBe(1);

    const rest = await fixture.refund({
      userId,
      orderId: 'o1',
      requestId: 'r2',
      back: { a: 2 },
      reason: 'late',
    });
    expect(rest.record).toMatchObject({ refundMinor: 5_334, remainingPayableMinor: 0 });
    expect(rest.record.coupons).toMatchObject([{ couponId, outcome: 'usable_again' }]);
    expect(rest.order.redemption).toMatchObject({ state: 'returned', refundedMinor: paid, reason: 'late' });
    expect(await fixture.used(ref)).toBe(0);
    const order = await fixture.order(userId, 'o1');
    expect(readCoupon(order, couponId)?.value.state).toBe('unused');
    expect(refundsOf(order.order)).toEqual([first.record, rest.record]);
    expect(fixture.questions).toHaveLength(questions);
  });

  it('gives shipping back when it is asked for, alone too', async () => {
    const { userId } = await paidOrder({ shippingMinor: 600 });
    const one = await fixture.refund({ userId, orderId: 'o1', requestId: 'r1', back: { a: 2 } });
    expect(one.record).toMatchObject({ refundMinor: 10_000, remainingPayableMinor: 600 });
    expect(one.order.redemption.state).toBe('returned');
    const two = await fixture.refund({ userId, orderId: 'o1', requestId: 'r2', shipping: true });
    expect(two.record).toMatchObject({ shippingMinor: 600, refundMinor: 600, remainingPayableMinor: 0 });
    await expect(
      fixture.refund({ userId, orderId: 'o1', requestId: 'r3', shipping: true }),
    ).rejects.toMatchObject({ reason: 'NOTHING_TO_RETURN' });
  });

  it('refunds an order that was cancelled before; its coupons went back then', async () => {
    const { userId } = await paidOrder();
    await fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'c1' });
    const { record } = await fixture.refund({ userId, orderId: 'o1', requestId: 'r1', back: { a: 2 } });
    expect(record).toMatchObject({ refundMinor: 10_000, coupons: [] });
  });

  it('sums to what was paid when many refunds of one unit come at the same time', async () => {
    const { userId } = await paidOrder({ lines: { a: ['duck', 1_001, 16] } });
    const paid = (await fixture.order(userId, 'o1')).redemption.payableMinor;
    const refunds = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        fixture.refund({ userId, orderId: 'o1', requestId: `r${index}`, back: { a: 1 } }),
      ),
    );
    expect(refunds.reduce((sum, { record }) => sum + record.refundMinor, 0)).toBe(paid);
    expect((await fixture.order(userId, 'o1')).redemption).toMatchObject({
      state: 'returned',
      refundedMinor: paid,
    });
  });
});

// SPEC L4
describe('a refund that asks the rules about the rest', () => {
  it('re-evaluates: what was paid less what the rest costs without the coupon', async () => {
    const { userId } = await paidOrder();
    const request = { userId, orderId: 'o1', policy: 'reevaluate', back: { a: 1 } } as const;
    const first = await fixture.refund({ ...request, requestId: 'r1' });
    expect(first.record).toMatchObject({ refundMinor: 4_000, clawBackMinor: 1_000 });
    const last = await fixture.refund({ ...request, requestId: 'r2' });
    expect(last.record).toMatchObject({
      refundMinor: 6_000,
      clawBackMinor: -1_000,
      refundedTotalMinor: 10_000,
    });
  });

  it('re-evaluates with the coupon of the order although it is used', async () => {
    const { userId } = await paidOrder({ lines: { a: ['duck', 6_000, 3] } });
    const { record } = await fixture.refund({
      userId,
      orderId: 'o1',
      requestId: 'r1',
      policy: 'reevaluate',
      back: { a: 1 },
    });
    expect(record).toMatchObject({ refundMinor: 6_000, remainingPayableMinor: 10_000 });
  });

  it('claws the share of a lost promotion on the rest back, and asks its gift back once', async () => {
    const gift = { effect: { gift_items: { items: [{ item_id: 'tea', quantity: 1 }] } } };
    const { userId } = await paidOrder({}, gift);
    const request = { userId, orderId: 'o1', policy: 'claw_back', back: { a: 1 } } as const;
    const first = await fixture.refund({ ...request, requestId: 'r1' });
    expect(first.record).toMatchObject({
      refundMinor: 6_000,
      giftsToReturn: [{ itemId: 'tea', quantity: 1 }],
    });
    const last = await fixture.refund({ ...request, requestId: 'r2' });
    expect(last.record).toMatchObject({ refundMinor: 6_000, giftsToReturn: [] });
  });

  it('claws money back and says how much', async () => {
    const { userId } = await paidOrder();
    const { record } = await fixture.refund({
      userId,
      orderId: 'o1',
      requestId: 'r1',
      policy: 'claw_back',
      back: { a: 1 },
    });
    expect(record).toMatchObject({ refundMinor: 4_000, clawBackMinor: 1_000, remainingPayableMinor: 6_000 });
  });
});

// SPEC T5
it('takes points back in step with what remains paid, and the rest with the last unit', async () => {
  const { userId } = await paidOrder({ lines: { a: ['duck', 4_050, 3] } });
  const { payableMinor } = (await fixture.order(userId, 'o1')).redemption;
  await fixture.points.earn({ userId, orderId: 'o1', paidMinor: payableMinor, currency: 'CNY' }, soon());
  const available = async () => (await fixture.points.balance(userId, soon())).available;
  expect(await available()).toBe(101);
  const one = await fixture.refund({ userId, orderId: 'o1', requestId: 'r1', back: { a: 1 } });
  expect(one.record).toMatchObject({ remainingPayableMinor: 6_766, pointsReversed: 34 });
  expect(await available()).toBe(67);
  const rest = await fixture.refund({ userId, orderId: 'o1', requestId: 'r2', back: { a: 2 } });
  expect(rest.record.pointsReversed).toBe(67);
  expect(await available()).toBe(0);
});

// SPEC L5
describe('a refund that is asked for again', () => {
  it('answers the same under its request id, and refuses other content', async () => {
    const { userId } = await paidOrder();
    const request = { userId, orderId: 'o1', requestId: 'r1', back: { a: 1 }, reason: 'cold' };
    const first = await fixture.refund(request);
    const again = await fixture.refund(request);
    expect([first.isReplay, again.isReplay]).toEqual([false, true]);
    expect(again.record).toEqual(first.record);
    for (const other of [
      { back: { a: 2 } },
      { shipping: true },
      { policy: 'claw_back' },
      { reason: '' },
    ] as const)
      await expect(fixture.refund({ ...request, ...other })).rejects.toMatchObject({
        reason: 'REQUEST_ID_REUSED',
      });
    await expect(fixture.returnCoupons({ userId, orderId: 'o1', requestId: 'r1' })).rejects.toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });
    expect((await fixture.order(userId, 'o1')).redemption.refundedMinor).toBe(5_000);
  });

  it('is done once by many at the same time', async () => {
    const { userId } = await paidOrder();
    const request = { userId, orderId: 'o1', requestId: 'r1', back: { a: 1 } };
    const answers = await Promise.all(Array.from({ length: 16 }, () => fixture.refund(request)));
    expect(answers.filter(({ isReplay }) => !isReplay)).toHaveLength(1);
    for (const { record } of answers) expect(record).toEqual(answers[0]?.record);
  });
});

// SPEC L4
it('a dry run says what a refund would do, and changes nothing', async () => {
  const { userId } = await paidOrder();
  const request = { userId, orderId: 'o1', requestId: 'r1', back: { a: 2 }, policy: 'claw_back' } as const;
  const before = await fixture.order(userId, 'o1');
  const dry = await fixture.refund({ ...request, isDryRun: true });
  expect(await fixture.order(userId, 'o1')).toEqual(before);
  const made = await fixture.refund(request);
  expect(dry.record).toEqual({ ...made.record, refundId: '', atMs: 0 });
  expect(dry.order.redemption).toEqual(before.redemption);
});

// SPEC L4
describe('a refund is refused', () => {
  it('of nothing, and of a line twice', async () => {
    const { userId } = await paidOrder();
    const nothing = fixture.refund({ userId, orderId: 'o1', requestId: 'r1' });
    await expect(nothing).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      detail: { violations: [{ field: 'lines' }] },
    });
    const line = { lineId: 'a', quantity: 1 };
    const twice = fixture.refund({ userId, orderId: 'o1', requestId: 'r1', lines: [line, line] });
    await expect(twice).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      detail: { violations: [{ field: 'lines[1].line_id' }] },
    });
  });

  it('of a line the order has not, and of more units than it has left', async () => {
    const { userId } = await paidOrder();
    await expect(
      fixture.refund({ userId, orderId: 'o1', requestId: 'r1', back: { z: 1 } }),
    ).rejects.toMatchObject({ reason: 'LINE_NOT_FOUND', detail: { metadata: { line_id: 'z' } } });
    await fixture.refund({ userId, orderId: 'o1', requestId: 'r1', back: { a: 1 } });
    await expect(
      fixture.refund({ userId, orderId: 'o1', requestId: 'r2', back: { a: 2 } }),
    ).rejects.toMatchObject({
      reason: 'QUANTITY_ABOVE_REMAINING',
      detail: { metadata: { line_id: 'a', needed: '2', seen: '1' } },
    });
  });

  it('of an order that is not there, is held, or was let go', async () => {
    const request = { userId: 'nobody', orderId: 'o1', requestId: 'r1', back: { a: 1 } };
    await expect(fixture.refund(request)).rejects.toMatchObject({ reason: 'ORDER_NOT_FOUND' });
    await fixture.reserve({ userId: 'holder', orderId: 'o1', lines: TWO_DUCKS });
    const held = { ...request, userId: 'holder' };
    await expect(fixture.refund(held)).rejects.toMatchObject({ reason: 'NOTHING_TO_RETURN' });
    await fixture.redemptions.release({ ...held, reservationId: '', reason: '' }, soon());
    await expect(fixture.refund(held)).rejects.toMatchObject({ reason: 'RESERVATION_RELEASED' });
  });
});
