import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LedgerFixture, soon, startLedgerFixture } from '../../test/ledger-fixture.ts';
import { type LossyProxy, startLossyProxy } from '../../test/lossy-proxy.ts';
import { liveDefinition } from '../definitions/live-definition.ts';
import { MS_PER_DAY } from '../domain/durations.ts';
import { decodePointsState, encodePointsState } from '../domain/points.ts';
import { decodePointsEntry, type PointsEntry, shownReferenceId } from '../domain/points-entry.ts';
import { monthAfter, pointsMonthAt } from '../domain/points-month.ts';
import { encodeRedemption, type Redemption } from '../domain/redemption.ts';
import type { RefusalReason } from '../domain/refusal.ts';
import { encodeUserFacts, mergeFacts, NO_FACTS } from '../domain/user-facts.ts';
import { type Promotion, PromotionSchema, PromotionState } from '../gen/hongbao/v1/promotion_pb.ts';
import type { ClaimFacts } from '../ledger/claim-operation.ts';
import { decodeEntry } from '../ledger/event-format.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { accountOf, orderOf } from '../ledger/transaction.ts';
import { planPointsReturn } from './plan-return.ts';
import { planPointsReversal } from './plan-reversal.ts';
import { Points } from './points.ts';
import type { PointsSettings } from './points-ports.ts';

const SETTINGS: PointsSettings = { rates: { JPY: '0.01' }, expiryMonths: 0, timeZone: 'Asia/Shanghai' };
const PARALLEL = 50;

let fixture: LedgerFixture;
let points: Points;
beforeAll(async () => {
  fixture = await startLedgerFixture();
  points = pointsWith();
});
afterAll(async () => {
  await fixture.close();
});

function pointsWith(changes: Partial<PointsSettings> = {}, of: LedgerFixture = fixture): Points {
  return new Points({ ledger: of.ledger, settings: { ...SETTINGS, ...changes }, metrics: of.metrics });
}

async function recordsOf(userId: string, orderId = 'none') {
  const names = [accountOf(userId), orderOf(userId, orderId)];
  const [account = new Map(), order = new Map()] = await fixture.ledger.read(soon(), (reads) =>
    reads.records(names),
  );
  return { account, order };
}

async function lastEntryOf(userId: string): Promise<PointsEntry> {
  const { account } = await recordsOf(userId);
  return decodePointsEntry(account.get('t') ?? Buffer.alloc(0));
}

async function putRedemption(userId: string, orderId: string, changes: Partial<Redemption>): Promise<void> {
  const redemption: Redemption = {
    state: 'committed',
    reservationId: 'r',
    requestId: 'r',
    digest: '',
    requests: {},
    orderNumber: '',
    currency: 'CNY',
    reservedAtMs: 1,
    dueAtMs: 0,
    committedAtMs: 1,
    itemsMinor: 0,
    shippingMinor: 0,
    itemsDiscountMinor: 0,
    shippingDiscountMinor: 0,
    payableMinor: 0,
    refundedMinor: 0,
    shippingRefundedMinor: 0,
    bonusPoints: 0,
    gifts: [],
    ruleSetVersion: 1,
    coupons: [],
    promotions: [],
    lines: [],
    ...changes,
  };
  const value = Buffer.from(encodeRedemption(redemption));
  const on = orderOf(userId, orderId);
  const steps = [{ kind: 'set', on, field: Buffer.from('h'), value } as const];
  await fixture.ledger.transact({ event: 'committed', opensNew: false, steps }, soon());
}

async function setAccount(userId: string, field: string, value: Uint8Array): Promise<void> {
  const on = accountOf(userId);
  const steps = [{ kind: 'set', on, field: Buffer.from(field), value: Buffer.from(value) } as const];
  await fixture.ledger.transact({ event: 'facts_changed', opensNew: false, steps }, soon());
}

function earnPoints(userId: string, paidMinor: number, orderId = 'o1') {
  return points.earn({ userId, orderId, paidMinor, currency: 'CNY' }, soon());
}

// SPEC T1
describe('a completed order', () => {
  it('earns the whole part of what was paid × rate, once', async () => {
    expect(await earnPoints('ann', 12_399)).toEqual({ points: 123, bonus: 0, isReplay: false });
    expect(await earnPoints('ann', 99_999)).toEqual({ points: 123, bonus: 0, isReplay: true });
    expect(await points.balance('ann', soon())).toEqual({
      totalEarned: 123,
      available: 123,
      debt: 0,
      expiringNext: undefined,
    });
    const entry = await lastEntryOf('ann');
    expect(entry).toMatchObject({
      number: 1,
      points: 123,
      balanceAfter: 123,
      type: 'earn',
      referenceId: 'o1',
    });
    expect(Math.abs(entry.atMs - fixture.ledger.nowMs())).toBeLessThan(60_000);
  });

  it('earns at the rate of its currency', async () => {
    const order = { userId: 'bea', orderId: 'o1', paidMinor: 12_345, currency: 'JPY' };
    expect(await points.earn(order, soon())).toMatchObject({ points: 123 });
  });

  it('earns the bonus of its promotions besides', async () => {
    await putRedemption('cat', 'o1', { bonusPoints: 40, payableMinor: 10_000 });
    expect(await earnPoints('cat', 10_000)).toMatchObject({ points: 140, bonus: 40 });
  });

  it.each([
    ['in part', { refundedMinor: 2_550 }, 114],
    ['whole', { refundedMinor: 10_000 }, 0],
    ['whole, as a state', { state: 'returned' }, 0],
  ] as const)('earns nothing for what was given back before: %s', async (title, changes, expected) => {
    const userId = `dan-${title.length}`;
    await putRedemption(userId, 'o1', { bonusPoints: 40, payableMinor: 10_000, ...changes });
    expect(await earnPoints(userId, 10_000)).toMatchObject({ points: expected });
  });

  it('that earns nothing is noted, so that it never earns', async () => {
    expect(await earnPoints('eve', 99)).toMatchObject({ points: 0 });
    expect(
      await pointsWith({ rates: { CNY: '9' } }).earn(
        { userId: 'eve', orderId: 'o1', paidMinor: 99, currency: 'CNY' },
        soon(),
      ),
    ).toMatchObject({ points: 0, isReplay: true });
    const { account } = await recordsOf('eve');
    expect(account.has('p')).toBe(false);
  });

  it('earns once although many say so at once', async () => {
    const answers = await Promise.all(Array.from({ length: PARALLEL }, () => earnPoints('fay', 5_000)));
    expect(answers.filter(({ isReplay }) => !isReplay)).toHaveLength(1);
    expect((await points.balance('fay', soon())).available).toBe(50);
  });

  it('earns all although they come at once', async () => {
    await Promise.all(Array.from({ length: PARALLEL }, (_, index) => earnPoints('gus', 200, `o${index}`)));
    const { available } = await points.balance('gus', soon());
    expect(available).toBe(2 * PARALLEL);
    expect(await lastEntryOf('gus')).toMatchObject({ number: PARALLEL, balanceAfter: available });
  });

  it('earns nothing for an erased user', async () => {
    await setAccount('gone', 'x', Buffer.from('1'));
    await expect(earnPoints('gone', 10_000)).rejects.toMatchObject({ reason: 'USER_NOT_FOUND' });
    await expect(
      points.award({ userId: 'gone', requestId: 'r', points: 1, reason: '' }, soon()),
    ).rejects.toMatchObject({ reason: 'USER_NOT_FOUND' });
  });
});

// SPEC T5
describe('a refund', () => {
  const refund = (userId: string, remainingPaidMinor: number, isWhollyBack?: boolean) =>
    points.reverse(
      {
        userId,
        orderId: 'o1',
        remainingPaidMinor,
        reason: 'came back',
        ...(isWhollyBack !== undefined && { isWhollyBack }),
      },
      soon(),
    );

  it('takes back what what remains does not earn, however often it is told', async () => {
    await earnPoints('hal', 10_000);
    expect(await refund('hal', 4_950)).toEqual({ points: 51, debt: 0 });
    expect(await refund('hal', 4_950)).toEqual({ points: 0, debt: 0 });
    expect(await refund('hal', 0)).toEqual({ points: 49, debt: 0 });
    expect(await points.balance('hal', soon())).toMatchObject({ available: 0, totalEarned: 100, debt: 0 });
    expect(await lastEntryOf('hal')).toMatchObject({
      number: 3,
      points: -49,
      type: 'reverse',
      reason: 'came back',
    });
  });

  it('takes the bonus back with the last of the order only', async () => {
    await putRedemption('ian', 'o1', { bonusPoints: 7, payableMinor: 10_000 });
    await earnPoints('ian', 10_000);
    expect(await refund('ian', 0, false)).toEqual({ points: 100, debt: 0 });
    expect(await refund('ian', 0)).toEqual({ points: 7, debt: 0 });
  });

  it('makes a visible debt of what was spent, and later earnings pay it', async () => {
    await define(5, { pointsRequired: 80n });
    await earnPoints('joe', 10_000);
    await exchange('joe', 5);
    expect(await refund('joe', 0)).toEqual({ points: 20, debt: 80 });
    expect(await points.balance('joe', soon())).toMatchObject({ available: 0, debt: 80 });
    expect(await lastEntryOf('joe')).toMatchObject({ points: -20, reason: 'came back (80 points are owed)' });
    await earnPoints('joe', 5_000, 'o2');
    expect(await points.balance('joe', soon())).toMatchObject({ available: 0, debt: 30, totalEarned: 150 });
    await earnPoints('joe', 5_000, 'o3');
    expect(await points.balance('joe', soon())).toMatchObject({ available: 20, debt: 0 });
  });

  it('of an order that has earned nothing takes nothing, and holds against points it earns meanwhile', async () => {
    const { account, order } = await recordsOf('kim', 'o1');
    const plan = planPointsReversal({
      account,
      order,
      userId: 'kim',
      orderId: 'o1',
      remainingPaidMinor: 0,
      reason: '',
    });
    expect(plan).toMatchObject({ points: 0, debt: 0 });
    await earnPoints('kim', 10_000);
    const transaction = { event: 'refunded', opensNew: false, steps: plan.steps } as const;
    expect(await fixture.ledger.transact(transaction, soon())).toMatchObject({ kind: 'differs' });
  });

  it('is one event with the entry in it', async () => {
    await earnPoints('lea', 1_000);
    await refund('lea', 500);
    const payload = await fixture.admin.readEntry((await fixture.admin.lastSeq()) ?? -1);
    const events = decodeEntry(payload ?? Buffer.alloc(0)).events;
    expect(events.map(({ kind }) => kind)).toEqual(['points_reversed']);
    const fields = events.flatMap(({ writes }) =>
      writes.flatMap((write) => write.fields.map(({ field }) => `${write.target} ${field}`)),
    );
    expect(fields).toEqual(expect.arrayContaining(['order p', 'account p', 'account t']));
  });
});

interface SamplePromotion {
  readonly pointsRequired?: bigint;
  readonly version?: number;
  readonly state?: PromotionState;
  readonly quantity?: bigint;
  readonly startsMs?: number;
  readonly endsMs?: number;
  readonly tags?: string[];
  readonly perUserLimit?: number;
}

function promotionOf(ref: number, sample: SamplePromotion): Promotion {
  const { pointsRequired, quantity, startsMs, endsMs, tags } = sample;
  return create(PromotionSchema, {
    promotionId: `promotion-${ref}`,
    ref,
    version: sample.version ?? 1,
    state: sample.state ?? PromotionState.ACTIVE,
    reach: {
      way:
        pointsRequired === undefined
          ? { case: 'claimable', value: {} }
          : { case: 'pointsExchange', value: { pointsRequired } },
    },
    stock: {
      perUserLimit: sample.perUserLimit ?? 100,
      ...(quantity !== undefined && { quantity }),
      ...(startsMs !== undefined && { claimStartsAt: timestampFromMs(startsMs) }),
      ...(endsMs !== undefined && { claimEndsAt: timestampFromMs(endsMs) }),
    },
    validity: { kind: { case: 'daysAfterClaim', value: { days: 30 } } },
    ...(tags !== undefined && { target: { audience: { case: 'taggedUsers', value: { anyOfTags: tags } } } }),
  });
}

async function define(ref: number, sample: SamplePromotion, on: LedgerFixture = fixture): Promise<void> {
  const promotion = promotionOf(ref, sample);
  await on.ledger.define(liveDefinition(promotion, toBinary(PromotionSchema, promotion)), soon());
}

function exchange(userId: string, promotionRef: number, requestId = 'r1', facts?: ClaimFacts) {
  return points.exchange({ promotionRef, userId, requestId, facts }, soon());
}

async function walletOf(userId: string) {
  return await fixture.ledger.read(soon(), (reads) => reads.wallet(userId));
}

// SPEC T3
describe('an exchange', () => {
  it('takes the points and gives the coupon, with one entry that names it', async () => {
    await define(10, { pointsRequired: 100n });
    await earnPoints('mia', 25_000);
    const bought = await exchange('mia', 10);
    expect(bought).toMatchObject({ pointsSpent: 100, pointsLeft: 150, coupon: { isReplay: false } });
    expect(await walletOf('mia')).toMatchObject([
      { couponId: bought.coupon.couponId, source: 'points', state: 'unused' },
    ]);
    const entry = await lastEntryOf('mia');
    expect(entry).toMatchObject({ points: -100, balanceAfter: 150, type: 'spend', referenceType: 'coupon' });
    expect(shownReferenceId(entry)).toBe(bought.coupon.couponId);
  });

  it('answers a repeated request with its first coupon, whatever is the matter since (SPEC L5)', async () => {
    await define(11, { pointsRequired: 100n });
    await earnPoints('ned', 10_000);
    const { coupon } = await exchange('ned', 11);
    await define(11, { pointsRequired: 300n, version: 2, state: PromotionState.FINISHED });
    expect(await exchange('ned', 11)).toEqual({
      coupon: { ...coupon, isReplay: true },
      pointsSpent: 100,
      pointsLeft: 0,
    });
    await expect(exchange('ned', 10)).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });

  it('is refused for too few points, saying how many', async () => {
    await define(12, { pointsRequired: 100n });
    await earnPoints('oda', 9_999);
    await expect(exchange('oda', 12)).rejects.toMatchObject({
      reason: 'INSUFFICIENT_POINTS',
      detail: { metadata: { needed: '100', seen: '99', short: '1' } },
    });
    expect(await walletOf('oda')).toEqual([]);
    expect(await fixture.redis.hget('{p0}d:12', 'issued')).toBe('0');
  });

  const HOUR_MS = 3_600_000;
  const free = { pointsRequired: 1n };
  // Each of them fails for what comes later in the order too.
  const cases: readonly (readonly [RefusalReason, SamplePromotion])[] = [
    ['PROMOTION_NOT_FOUND', { state: PromotionState.DELETED }],
    ['PROMOTION_NOT_EXCHANGEABLE', { state: PromotionState.INACTIVE }],
    ['PROMOTION_INACTIVE', { ...free, state: PromotionState.INACTIVE, startsMs: HOUR_MS }],
    ['PROMOTION_NOT_STARTED', { ...free, state: PromotionState.FINISHED, startsMs: HOUR_MS }],
    ['PROMOTION_NOT_STARTED', { ...free, startsMs: HOUR_MS, tags: ['vip'] }],
    ['PROMOTION_ENDED', { ...free, state: PromotionState.FINISHED, tags: ['vip'] }],
    ['PROMOTION_ENDED', { ...free, endsMs: -HOUR_MS, tags: ['vip'] }],
    ['USER_NOT_TARGETED', { ...free, tags: ['vip'], perUserLimit: 1, quantity: 1n }],
    ['USER_LIMIT_REACHED', { ...free, perUserLimit: 1, quantity: 1n }],
    ['SOLD_OUT', { ...free, quantity: 1n }],
    ['INSUFFICIENT_POINTS', free],
  ];
  it.each(cases.map(([reason, sample], index) => [reason, sample, 20 + index] as const))(
    'is refused with %s before what comes later',
    async (reason, { startsMs, endsMs, ...sample }, ref) => {
      const userId = `pat-${ref}`;
      const { quantity } = sample;
      await define(ref, { ...free, ...(quantity !== undefined && { quantity }) });
      await earnPoints(userId, 100);
      await exchange(userId, ref, 'first');
      const now = fixture.ledger.nowMs();
      await define(ref, {
        ...sample,
        ...(startsMs !== undefined && { startsMs: now + startsMs }),
        ...(endsMs !== undefined && { endsMs: now + endsMs }),
        version: 2,
      });
      await expect(exchange(userId, ref, 'second')).rejects.toMatchObject({ reason });
    },
  );

  it('is refused for a promotion nobody has defined', async () => {
    await expect(exchange('quy', 999)).rejects.toMatchObject({ reason: 'PROMOTION_NOT_FOUND' });
  });

  it('believes what is asserted, and what the shop told before (SPEC S2)', async () => {
    await define(13, { pointsRequired: 1n, tags: ['vip'] });
    await earnPoints('ray', 1_000);
    await expect(exchange('ray', 13, 'r0')).rejects.toMatchObject({
      reason: 'USER_NOT_TARGETED',
      detail: { metadata: { cause: 'FACT_MISSING' } },
    });
    expect(await exchange('ray', 13, 'r1', { tags: ['vip'] })).toMatchObject({ pointsSpent: 1 });
    const facts = mergeFacts(NO_FACTS, { atMs: 1, whole: false, tags: ['vip'], attributes: new Map() });
    await setAccount('ray', 'f', encodeUserFacts(facts));
    expect(await exchange('ray', 13, 'r2')).toMatchObject({ pointsSpent: 1 });
    await expect(exchange('ray', 13, 'r3', { tags: ['other'] })).rejects.toMatchObject({
      reason: 'USER_NOT_TARGETED',
      detail: { metadata: {} },
    });
  });

  it('is won by one of many who have points for one', async () => {
    await define(14, { pointsRequired: 100n });
    await earnPoints('sam', 10_000);
    const attempts = Array.from({ length: PARALLEL }, (_, index) => exchange('sam', 14, `r${index}`));
    const outcomes = await Promise.allSettled(attempts);
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(PARALLEL - 1);
    for (const { reason } of refused) expect(reason).toMatchObject({ reason: 'INSUFFICIENT_POINTS' });
    expect(await walletOf('sam')).toHaveLength(1);
    expect((await points.balance('sam', soon())).available).toBe(0);
  });

  it('is refused for an erased user', async () => {
    await define(15, { pointsRequired: 1n });
    await earnPoints('tom', 1_000);
    await setAccount('tom', 'x', Buffer.from('1'));
    await expect(exchange('tom', 15)).rejects.toMatchObject({ reason: 'USER_NOT_FOUND' });
  });

  it('can be undone by giving the points back to their lots, once (SPEC T5)', async () => {
    await define(16, { pointsRequired: 60n });
    await setAccount(
      'uma',
      'p',
      encodePointsState({
        number: 0,
        earned: 80,
        debt: 0,
        lots: [
          { month: 202601, points: 50 },
          { month: 202602, points: 30 },
        ],
      }),
    );
    const { coupon } = await exchange('uma', 16);
    const request = { userId: 'uma', couponId: coupon.couponId, reason: 'revoked' };
    const { account } = await recordsOf('uma');
    const plan = planPointsReturn({ ...request, account });
    expect(plan.points).toBe(60);
    await fixture.ledger.transact({ event: 'revoked', opensNew: false, steps: plan.steps }, soon());
    const after = (await recordsOf('uma')).account;
    expect(decodePointsState(after.get('p') ?? Buffer.alloc(0)).lots).toEqual([
      { month: 202601, points: 50 },
      { month: 202602, points: 30 },
    ]);
    expect(await lastEntryOf('uma')).toMatchObject({
      points: 60,
      type: 'return',
      referenceId: coupon.couponId,
    });
    expect(planPointsReturn({ ...request, account: after })).toEqual({ steps: [], points: 0 });
  });
});

// SPEC C3, T3, T4
describe('points when the store fails in between', () => {
  it('and coupons change together, once, although every answer to a write gets lost', async () => {
    const proxies: LossyProxy[] = [];
    const lossy = await startLedgerFixture({
      through: async (port) => {
        const proxy = await startLossyProxy(port);
        proxies.push(proxy);
        return proxy.port;
      },
    });
    try {
      const service = pointsWith({}, { ...lossy, ledger: losingAnswers(lossy.ledger, proxies) });
      await define(1, { pointsRequired: 100n }, lossy);
      const users = Array.from({ length: 10 }, (_, index) => `u${index}`);
      for (const userId of users) {
        await service.earn({ userId, orderId: 'o1', paidMinor: 25_000, currency: 'CNY' }, soon());
        const request = { promotionRef: 1, userId, requestId: 'r1', facts: undefined };
        const bought = await service.exchange(request, soon());
        expect(bought).toMatchObject({ pointsSpent: 100, pointsLeft: 150 });
        const wallet = await lossy.ledger.read(soon(), (reads) => reads.wallet(userId));
        expect(wallet.map(({ couponId }) => couponId)).toEqual([bought.coupon.couponId]);
      }
      expect(proxies.map(({ lost }) => lost)).toEqual([2 * users.length]);
      expect(await lossy.redis.hget('{p0}d:1', 'issued')).toBe(String(users.length));
    } finally {
      await lossy.close();
      await Promise.all(proxies.map((proxy) => proxy.close()));
    }
  });
});

/** The ledger, whose store carries out each first attempt of a write and never says so. */
function losingAnswers(ledger: Ledger, proxies: readonly LossyProxy[]): Ledger {
  const transact: Ledger['transact'] = async (transaction, deadlineMs) => {
    const isWrite = transaction.steps.some(({ kind }) => kind === 'set');
    if (isWrite) for (const proxy of proxies) proxy.loseReplies(1);
    return await ledger.transact(transaction, deadlineMs);
  };
  return Object.create(ledger, { transact: { value: transact } });
}

// SPEC T4
describe('a test award', () => {
  const award = (requestId: string, count: number) =>
    points.award({ userId: 'vic', requestId, points: count, reason: 'to try' }, soon());

  it('is given once per request', async () => {
    expect(await award('r1', 70)).toMatchObject({ balance: { available: 70 }, isReplay: false });
    expect(await award('r1', 70)).toMatchObject({ balance: { available: 70 }, isReplay: true });
    await expect(award('r1', 71)).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
    expect(await award('r2', 1)).toMatchObject({ balance: { available: 71 } });
    expect(await lastEntryOf('vic')).toMatchObject({ type: 'award', reason: 'to try', referenceId: 'r2' });
  });
});

// SPEC T5
describe('points that end', () => {
  it('are not spent any more, and the next to end are told', async () => {
    const now = pointsMonthAt(fixture.ledger.nowMs(), SETTINGS.timeZone);
    const [over, last] = [monthAfter(now.month, -13), monthAfter(now.month, -12)];
    const lots = [
      { month: over, points: 500 },
      { month: last, points: 40 },
    ];
    await setAccount('wes', 'p', encodePointsState({ number: 0, earned: 540, debt: 0, lots }));
    await define(17, { pointsRequired: 50n });
    await define(18, { pointsRequired: 30n });
    const ending = pointsWith({ expiryMonths: 12 });
    expect(await ending.balance('wes', soon())).toEqual({
      totalEarned: 540,
      available: 40,
      debt: 0,
      expiringNext: { points: 40, expiresAtMs: now.toMs + 1 },
    });
    const request = { userId: 'wes', requestId: 'r1', facts: undefined };
    await expect(ending.exchange({ ...request, promotionRef: 17 }, soon())).rejects.toMatchObject({
      reason: 'INSUFFICIENT_POINTS',
    });
    expect(await lastEntryOf('wes')).toMatchObject({
      number: 1,
      points: -500,
      type: 'expire',
      balanceAfter: 40,
    });
    expect(await ending.exchange({ ...request, promotionRef: 18 }, soon())).toMatchObject({ pointsLeft: 10 });
    expect(now.toMs + 1 - fixture.ledger.nowMs()).toBeLessThanOrEqual(31 * MS_PER_DAY);
  });
});
