import { create } from '@bufbuild/protobuf';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ArchivedLedger,
  PARTITION,
  PLACES,
  runOnce,
  startArchivedLedger,
} from '../../test/archived-ledger.ts';
import { definitionOf, reasonOf, soon } from '../../test/ledger-fixture.ts';
import { runAudit } from '../archive/audit.ts';
import { readPointsEntries } from '../archive/points-entries.ts';
import { findIssuedCoupons } from '../archive/queries.ts';
import { type CouponValue, couponIdOf, decodeCouponValue, encodeCouponValue } from '../domain/coupon.ts';
import type { Identity } from '../domain/identity.ts';
import { earn, NO_POINTS } from '../domain/points.ts';
import { encodeRedemption, REDEMPTION_OFFSETS, type Redemption } from '../domain/redemption.ts';
import { encodeUserFacts, NO_FACTS } from '../domain/user-facts.ts';
import { Feed } from '../feed/feed.ts';
import { GetRedemptionRequestSchema } from '../gen/hongbao/v1/redemption_service_pb.ts';
import { couponFieldHex } from '../ledger/coupon-field.ts';
import { issueCoupon } from '../ledger/issue-coupon.ts';
import { accountOf, orderOf, type Step, walletOf } from '../ledger/transaction.ts';
import { changeSteps, pointsOf } from '../points/account-points.ts';
import { pointsHistoryPage } from '../points/points-history.ts';
import { readOrder, requireOrder } from '../redemption/read-order.ts';
import { getRedemption } from '../transport/handlers/get-redemption.ts';
import { createEraseUsersJob, eraseUser, erasureOf } from './erasures.ts';
import { Profiles } from './profiles.ts';
import { SecretBox } from './secret-box.ts';

let fixture: ArchivedLedger;
let profiles: Profiles;

beforeAll(async () => {
  fixture = await startArchivedLedger();
  const box = new SecretBox([{ id: 'a', key: Buffer.alloc(32, 1) }]);
  profiles = new Profiles({ sql: fixture.sql, box, countryCode: 86 });
  await fixture.ledger.define(definitionOf({ quantity: 10_000, perUserLimit: 400 }), soon());
});

afterAll(() => fixture.close());

const ports = () => ({
  sql: fixture.sql,
  ledger: fixture.ledger,
  logger: pino({ level: 'silent' }),
  nowMs: Date.now,
});
const orderFor = (userId: string, requestId = `erase-${userId}`) => ({
  userId,
  requestId,
  actor: 'ann',
  reason: 'asked for it',
});

async function records(userId: string) {
  const names = [walletOf(userId), accountOf(userId)];
  const [wallet, account] = await fixture.ledger.read(soon(), (reads) => reads.records(names));
  return { wallet: wallet ?? new Map<string, Buffer>(), account: account ?? new Map<string, Buffer>() };
}

async function coupons(userId: string) {
  const { wallet } = await records(userId);
  return [...wallet].filter(([name]) => name.length === 16).map(([, value]) => decodeCouponValue(value));
}

/** Claims, facts, points and a profile. */
async function makeUser(userId: string, claims: number, phone: string): Promise<void> {
  await Promise.all(
    Array.from({ length: claims }, (_, index) => fixture.claim({ user: userId, request: `r${index}` })),
  );
  const { account } = await records(userId);
  const words = { type: 'earn', reason: 'order', referenceType: 'order', referenceId: 'o1' } as const;
  const facts = Buffer.from(encodeUserFacts({ ...NO_FACTS, revision: 1, tags: ['gold'] }));
  const steps = [
    ...changeSteps(userId, account, earn(NO_POINTS, 70, 202_611), words),
    { kind: 'set', on: accountOf(userId), field: Buffer.from('f'), value: facts } as const,
  ];
  await fixture.ledger.transact({ event: 'points_earned', opensNew: false, steps }, soon());
  await profiles.put(userId, { phone, name: '张三' }, soon());
}

/** An order takes a coupon, or lets it go, as a redemption would: wallet, account and order together. */
async function hold(userId: string, request: string, state: 'reserved' | 'unused'): Promise<void> {
  const field = Buffer.from(couponFieldHex('claim', userId, request), 'hex');
  const { wallet } = await records(userId);
  const value = decodeCouponValue(wallet.get(field.toString('latin1')) ?? Buffer.alloc(0));
  const holder = { on: accountOf(userId), field: Buffer.concat([Buffer.from('>'), field]) };
  const isHeld = state === 'reserved';
  const head = Buffer.from(encodeRedemption(redemptionOf(isHeld ? 'reserved' : 'released', value, field)));
  const order = orderOf(userId, 'o1');
  const steps: Step[] = [
    { kind: 'set', on: walletOf(userId), field, value: Buffer.from(encodeCouponValue({ ...value, state })) },
    isHeld ? { kind: 'set', ...holder, value: Buffer.from('o1') } : { kind: 'remove', ...holder },
    { kind: 'set', on: order, field: Buffer.from('h'), value: head, times: isHeld ? DUE_TIMES : [] },
    { kind: 'due', member: order.id, afterMs: isHeld ? HOLD_MS : undefined },
  ];
  await fixture.ledger.transact({ event: isHeld ? 'reserved' : 'released', opensNew: false, steps }, soon());
}

const HOLD_MS = 60_000;
const DUE_TIMES = [
  { offset: REDEMPTION_OFFSETS.reservedAt, plusMs: 0 },
  { offset: REDEMPTION_OFFSETS.dueAt, plusMs: HOLD_MS },
];

function redemptionOf(state: Redemption['state'], coupon: CouponValue, field: Buffer): Redemption {
  const { promotionRef, promotionVersion, issuedAtMs } = coupon;
  const couponId = couponIdOf(issuedAtMs, field.toString('hex'));
  return {
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
    committedAtMs: 0,
    ...(state === 'released' && { endedAtMs: 2 }),
    itemsMinor: 100,
    shippingMinor: 0,
    itemsDiscountMinor: 10,
    shippingDiscountMinor: 0,
    payableMinor: 90,
    refundedMinor: 0,
    shippingRefundedMinor: 0,
    bonusPoints: 0,
    gifts: [],
    coupons: [{ couponId, promotionRef, promotionVersion, discountMinor: 10, returned: false }],
    promotions: [],
    lines: [],
  };
}

// SPEC S3
describe('profiles', () => {
  test('are stored encrypted, found by the exact number however it is written, and shown masked', async () => {
    await profiles.put('p1', { phone: '138 1234 5678' }, soon());
    await profiles.put('p1', { name: '张三丰' }, soon());
    expect(await profiles.masked('p1', soon())).toEqual({ phone: '138****5678', name: '张**' });
    expect(await profiles.findByPhone('+8613812345678', soon())).toBe('p1');
    expect(await profiles.findByPhone('13812345670', soon())).toBeUndefined();
    expect(await profiles.masked('nobody', soon())).toBeUndefined();
    const [row] = await fixture.sql<{ text: string }[]>`
      SELECT encode(phone || name || phone_digest, 'escape') AS text FROM user_profile WHERE user_id = 'p1'`;
    expect(row?.text).not.toMatch(/1381234|5678|张/);
  });

  test('a number that changed hands leads to whoever gave it last', async () => {
    await profiles.put('p2', { phone: '13900000000' }, soon());
    await profiles.put('p3', { phone: '13900000000' }, soon());
    expect(await profiles.findByPhone('13900000000', soon())).toBe('p3');
  });
});

// SPEC S3
describe('an erased user', () => {
  test('leaves nothing that can be read or used, and the audit stays green', async () => {
    await makeUser('e1', 230, '13811111111');
    const { erasedAtMs, isReplay } = await eraseUser(ports(), orderFor('e1'), soon());
    expect(isReplay).toBe(false);
    const left = await coupons('e1');
    expect(left).toHaveLength(230);
    expect(left.every(({ state, hidden }) => state === 'revoked' && hidden)).toBe(true);
    const { account } = await records('e1');
    expect(account.has('f')).toBe(false);
    expect(pointsOf(account).lots).toEqual([]);
    expect(await profiles.masked('e1', soon())).toBeUndefined();
    expect(await profiles.findByPhone('13811111111', soon())).toBeUndefined();
    expect(await erasureOf(fixture.sql, 'e1', soon())).toBe(erasedAtMs);
    await fixture.archived();
    const [entry] =
      await fixture.sql`SELECT points, balance_after, type FROM points_entry WHERE user_id = 'e1' AND number = 2`;
    expect(entry).toEqual({ points: '-70', balance_after: '0', type: 'expire' });
    const feed = new Feed(fixture.sql, PLACES);
    const start = { ...(await feed.newest(soon())), logs: [{ seq: -1, index: 0xffff, part: 0 }], notice: 0 };
    const ofUser = { kinds: new Set<never>(), userId: 'e1' };
    expect((await feed.read(start, ofUser, { limit: 100 }, soon())).items).toEqual([]);
    const report = await runAudit({ sql: fixture.sql, ledger: fixture.admin, id: PARTITION });
    expect(report.checks.flatMap((check) => check.breaches)).toEqual([]);
  });

  test('is erased once, and gets nothing any more', async () => {
    await makeUser('e2', 1, '13822222222');
    const first = await eraseUser(ports(), orderFor('e2'), soon());
    const again = await eraseUser(ports(), orderFor('e2'), soon());
    expect(again).toEqual({ erasedAtMs: first.erasedAtMs, isReplay: true });
    const other = await eraseUser(ports(), orderFor('e2', 'another'), soon());
    expect(other.isReplay).toBe(true);
    const grant = {
      promotionRef: 1,
      userId: 'e2',
      requestId: 'g1',
      kind: 'grant',
      source: 'staff',
      event: 'granted',
      minded: 'nothing',
    } as const;
    await expect(issueCoupon(fixture.ledger, grant, soon())).rejects.toMatchObject({
      reason: 'USER_NOT_FOUND',
    });
    await expect(profiles.put('e2', { phone: '13822222222' }, soon())).rejects.toMatchObject({
      reason: 'USER_NOT_FOUND',
    });
    await expect(eraseUser(ports(), orderFor('someone', 'erase-e2'), soon())).rejects.toMatchObject({
      reason: 'REQUEST_ID_REUSED',
    });
  });

  test('claims nothing, new or again, as long as the wallet is kept', async () => {
    await makeUser('e6', 2, '13866666666');
    await eraseUser(ports(), orderFor('e6'), soon());
    const before = await records('e6');
    const answers = [
      await fixture.claim({ user: 'e6', request: 'new' }),
      await fixture.claim({ user: 'e6', request: 'r0' }),
    ];
    expect(answers.map(reasonOf)).toEqual(['USER_NOT_FOUND', 'USER_NOT_FOUND']);
    expect(await records('e6')).toEqual(before);
    await eraseUser(ports(), orderFor('e7'), soon());
    expect(reasonOf(await fixture.claim({ user: 'e7', request: 'r0' }))).toBe('USER_NOT_FOUND');
  });

  test('whose wallet was not marked yet gets the mark when erasing is repeated', async () => {
    const step = {
      kind: 'set',
      on: accountOf('e8'),
      field: Buffer.from('x'),
      value: Buffer.alloc(6, 1),
    } as const;
    await fixture.ledger.transact({ event: 'erased', opensNew: false, steps: [step] }, soon());
    await eraseUser(ports(), orderFor('e8'), soon());
    expect(reasonOf(await fixture.claim({ user: 'e8', request: 'r0' }))).toBe('USER_NOT_FOUND');
  });

  test('cannot be read through what stays in the archive', async () => {
    await makeUser('e9', 1, '13899999999');
    await hold('e9', 'r0', 'reserved');
    await eraseUser(ports(), orderFor('e9'), soon());
    await fixture.archived();
    const { sql, ledger } = fixture;
    const readEntries = (userId: string, below: number | undefined, limit: number, deadlineMs: number) =>
      readPointsEntries(sql, userId, below, limit, deadlineMs);
    const history = { ledger, readEntries, awaitArchived: async () => true };
    const all = { userId: 'e9', size: 10, isWanted: () => true };
    for (const below of [undefined, 9])
      expect(await pointsHistoryPage(history, { ...all, below }, soon())).toEqual({
        entries: [],
        hasMore: false,
      });
    const every = { promotionId: undefined, userId: 'e9', fromMs: undefined, untilMs: undefined };
    expect(await findIssuedCoupons(sql, every, { below: undefined, limit: 9 }, soon())).toEqual([]);
    const get = async (userId: string, orderId: string, deadlineMs: number) =>
      requireOrder(await readOrder(ledger, userId, orderId, deadlineMs));
    const handle = getRedemption({ redemptions: { get } });
    const request = create(GetRedemptionRequestSchema, { userId: 'e9', orderId: 'o1' });
    const identity: Identity = { kind: 'service', actor: 'shop', scopes: new Set() };
    const context = { identity, nowMs: Date.now(), deadlineMs: soon(), signal: new AbortController().signal };
    await expect(handle(request, context)).rejects.toMatchObject({ reason: 'ORDER_NOT_FOUND' });
  });

  test('whose order still holds a coupon is finished by the job when the order lets it go', async () => {
    await makeUser('e3', 2, '13833333333');
    await hold('e3', 'r0', 'reserved');
    await eraseUser(ports(), orderFor('e3'), soon());
    expect((await coupons('e3')).map(({ state }) => state).sort()).toEqual(['reserved', 'revoked']);
    expect(await runOnce(createEraseUsersJob(ports()), Date.now())).toEqual({ completed: 0 });
    await hold('e3', 'r0', 'unused');
    expect(await runOnce(createEraseUsersJob(ports()), Date.now())).toEqual({ completed: 1 });
    expect((await coupons('e3')).map(({ state }) => state)).toEqual(['revoked', 'revoked']);
  });

  test('whose erasing was cut off after the wish was written down is erased by the job', async () => {
    await makeUser('e4', 1, '13844444444');
    await fixture.sql`
      INSERT INTO erasure (user_id, request_id, actor, reason) VALUES ('e4', 'erase-e4', 'ann', '')`;
    await runOnce(createEraseUsersJob(ports()), Date.now());
    expect((await coupons('e4')).map(({ state }) => state)).toEqual(['revoked']);
    expect(await profiles.masked('e4', soon())).toBeUndefined();
    expect(reasonOf(await fixture.claim({ user: 'unrelated', request: 'r1' }))).toBe('claimed');
  });

  test('has no event of the shop left that could still be carried out', async () => {
    await fixture.sql`
      INSERT INTO event_inbox (event_id, user_id, kind, order_id, occurred_at, content_digest, payload, next_attempt_at)
      VALUES ('v1', 'e5', 4, '', now(), 'd', 'p', now())`;
    await eraseUser(ports(), orderFor('e5'), soon());
    const [row] =
      await fixture.sql`SELECT state, payload, next_attempt_at FROM event_inbox WHERE event_id = 'v1'`;
    expect(row).toEqual({ state: 'ignored', payload: null, next_attempt_at: null });
  });
});
