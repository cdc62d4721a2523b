import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ArchivedLedger, PLACES, runOnce, startArchivedLedger } from '../../test/archived-ledger.ts';
import { definitionOf, isClaimed, soon } from '../../test/ledger-fixture.ts';
import { decodeCouponValue, encodeCouponValue } from '../domain/coupon.ts';
import { MS_PER_DAY } from '../domain/durations.ts';
import { encodeRedemption, type Redemption } from '../domain/redemption.ts';
import { couponFieldHex } from '../ledger/coupon-field.ts';
import { accountOf, orderOf, walletOf } from '../ledger/transaction.ts';
import { hydrateOrder } from '../redemption/hydrate-order.ts';
import { createRetireJob } from './retire-ledger.ts';

const DAYS = 90;
const HEAD = Buffer.from('h');
const DECISION = Buffer.from('d');
const user = 'u1';
const field = Buffer.from(couponFieldHex('claim', user, 'r1'), 'hex');
const holder = Buffer.concat([Buffer.from('>'), field]);

let fixture: ArchivedLedger;
let couponId = '';

beforeAll(async () => {
  fixture = await startArchivedLedger();
  await fixture.ledger.define(definitionOf({ quantity: 100, perUserLimit: 5 }), soon());
  const used = await fixture.claim({ user, request: 'r1' });
  if (isClaimed(used)) couponId = used.couponId;
  await fixture.claim({ user, request: 'r2' });
  await useFor('order-1');
  await fixture.ledger.transact(
    {
      event: 'order_noted',
      opensNew: false,
      steps: [{ kind: 'set', on: orderOf(user, 'noted'), field: Buffer.from('e'), value: Buffer.from('{}') }],
    },
    soon(),
  );
  await reserve('order-2');
  await fixture.archived();
});

afterAll(() => fixture.close());

function redemptionOf(state: Redemption['state'], coupons: Redemption['coupons']): Buffer {
  return Buffer.from(
    encodeRedemption({
      state,
      reservationId: 'v1',
      requestId: 'q1',
      digest: '00',
      requests: {},
      orderNumber: '',
      currency: 'CNY',
      ruleSetVersion: 1,
      reservedAtMs: 1,
      dueAtMs: 0,
      committedAtMs: state === 'committed' ? 2 : 0,
      itemsMinor: 100,
      shippingMinor: 0,
      itemsDiscountMinor: 10,
      shippingDiscountMinor: 0,
      payableMinor: 90,
      refundedMinor: 0,
      shippingRefundedMinor: 0,
      bonusPoints: 0,
      gifts: [],
      coupons,
      promotions: [],
      lines: [],
    }),
  );
}

async function useFor(orderId: string): Promise<void> {
  const [wallet] = await fixture.ledger.read(soon(), (reads) => reads.records([walletOf(user)]));
  const value = wallet?.get(field.toString('latin1')) ?? Buffer.alloc(0);
  const used = Buffer.from(encodeCouponValue({ ...decodeCouponValue(value), state: 'used' }));
  const coupon = { couponId, promotionRef: 1, promotionVersion: 1, discountMinor: 10, returned: false };
  await fixture.ledger.transact(
    {
      event: 'used',
      opensNew: false,
      steps: [
        { kind: 'set', on: walletOf(user), field, value: used },
        { kind: 'set', on: accountOf(user), field: holder, value: Buffer.from(orderId) },
        { kind: 'set', on: orderOf(user, orderId), field: HEAD, value: redemptionOf('committed', [coupon]) },
        { kind: 'set', on: orderOf(user, orderId), field: DECISION, value: Buffer.from('decision') },
      ],
    },
    soon(),
  );
}

async function reserve(orderId: string): Promise<void> {
  const head = redemptionOf('reserved', []);
  const steps = [{ kind: 'set', on: orderOf(user, orderId), field: HEAD, value: head }] as const;
  await fixture.ledger.transact({ event: 'reserved', opensNew: true, steps }, soon());
}

const retire = (afterDays: number) => {
  const job = createRetireJob({
    sql: fixture.sql,
    places: PLACES,
    ledger: fixture.ledger,
    days: DAYS,
    cron: '0 3 * * *',
    timeZone: 'UTC',
    nowMs: Date.now,
  });
  return runOnce(job, Date.now() + afterDays * MS_PER_DAY);
};

async function live() {
  const names = [orderOf(user, 'order-1'), walletOf(user), accountOf(user), orderOf(user, 'noted')];
  const [order, wallet, account, noted] = await fixture.ledger.read(soon(), (reads) => reads.records(names));
  return { order, wallet, account, noted };
}

/** Nothing leaves before its time. */
async function nothingLeavesEarly(): Promise<void> {
  expect(await retire(DAYS - 1)).toEqual({ orders: 0, coupons: 0, kept: 0 });
}

/** Closed orders and ended coupons leave Redis; what is held, and counters, stay. */
async function whatIsOverLeaves(): Promise<void> {
  expect(await retire(DAYS + 1)).toEqual({ orders: 2, coupons: 1, kept: 1 });
  const { order, wallet, account, noted } = await live();
  expect([order?.size, noted?.size]).toEqual([0, 0]);
  expect(wallet?.has(field.toString('latin1'))).toBe(false);
  expect(account?.has(holder.toString('latin1'))).toBe(false);
  expect([...(wallet?.keys() ?? [])].filter((name) => name.startsWith('#'))).toHaveLength(1);
  await fixture.archived();
  const [row] =
    await fixture.sql`SELECT retired, order_id FROM coupon WHERE coupon_id = ${Buffer.from(couponId, 'hex')}`;
  expect(row).toEqual({ retired: true, order_id: 'order-1' });
  expect(await retire(DAYS + 1)).toMatchObject({ orders: 0, coupons: 0 });
}

/** An order that left comes back with its coupon for a late return, once, and leaves again later. */
async function anOrderComesBack(): Promise<void> {
  const ports = { sql: fixture.sql, places: PLACES, ledger: fixture.ledger };
  expect(await hydrateOrder(ports, user, 'unknown', soon())).toBe(false);
  const both = [hydrateOrder(ports, user, 'order-1', soon()), hydrateOrder(ports, user, 'order-1', soon())];
  expect(await Promise.all(both)).toEqual([true, true]);
  const { order, wallet, account } = await live();
  expect(order?.get('d')?.toString()).toBe('decision');
  expect(account?.get(holder.toString('latin1'))?.toString()).toBe('order-1');
  const value = wallet?.get(field.toString('latin1'));
  expect(value && decodeCouponValue(value).state).toBe('used');
  await fixture.archived();
  const [row] =
    await fixture.sql`SELECT retired FROM coupon WHERE coupon_id = ${Buffer.from(couponId, 'hex')}`;
  expect(row).toEqual({ retired: false });
  expect(await retire(DAYS + 1)).toMatchObject({ orders: 1, coupons: 1 });
}

/** An unused coupon leaves so long after its date. */
async function unusedCouponsLeave(): Promise<void> {
  expect(await retire(DAYS + 8)).toMatchObject({ coupons: 1 });
  const { wallet } = await live();
  expect([...(wallet?.keys() ?? [])].filter((name) => name.length === field.length)).toEqual([]);
}

// SPEC C9, L4
test('what is over leaves Redis after its days, and an order comes back for a late return', async () => {
  for (const step of [nothingLeavesEarly, whatIsOverLeaves, anOrderComesBack, unusedCouponsLeave])
    await step();
  expect((await fixture.sql`SELECT FROM quarantine`).length).toBe(0);
});
