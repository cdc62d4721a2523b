/** What was done before, and what is refused for good, is answered from a read only when it is as safe as a write. */
import { create, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { definitionOf, type LedgerFixture, soon, startLedgerFixture } from '../../test/ledger-fixture.ts';
import { unconfirming } from '../../test/unconfirming-ledger.ts';
import { couponOfCode, issueForCode, requireOpenToCodes } from '../codes/issue-for-code.ts';
import { liveDefinition } from '../definitions/live-definition.ts';
import { CorruptRecordError } from '../domain/record-json.ts';
import { Refusal } from '../domain/refusal.ts';
import { PromotionSchema, PromotionState } from '../gen/hongbao/v1/promotion_pb.ts';
import { revokeCoupon } from '../grants/revoke-coupon.ts';
import { Points } from '../points/points.ts';
import { forgetInLedger } from '../privacy/forget-ledger.ts';
import { couponFieldHex } from './coupon-field.ts';
import { issueCoupon } from './issue-coupon.ts';
import type { Ledger } from './ledger.ts';
import { isOutdated, isStillSo } from './still-so.ts';
import { accountOf, orderOf, type Step } from './transaction.ts';

const SOLD = 1;
const CLAIMED = 2;
const INACTIVE = 3;
const settings = { rates: {}, expiryMonths: 0, timeZone: 'UTC' };

let fixture: LedgerFixture;
/** Of ann: bought, revoked. */
let couponIds: { bought: string; revoked: string };
beforeAll(async () => {
  fixture = await startLedgerFixture();
  const { ledger } = fixture;
  const sold = create(PromotionSchema, {
    promotionId: 'sold',
    ref: SOLD,
    version: 1,
    state: PromotionState.ACTIVE,
    reach: { way: { case: 'pointsExchange', value: { pointsRequired: 10n } } },
    stock: { perUserLimit: 9 },
    validity: { kind: { case: 'daysAfterClaim', value: { days: 30 } } },
  });
  await ledger.define(liveDefinition(sold, toBinary(PromotionSchema, sold)), soon());
  const claimed = { ...sold, promotionId: 'claimed', ref: CLAIMED, reach: undefined };
  const claimedBody = toBinary(PromotionSchema, create(PromotionSchema, claimed));
  await ledger.define(definitionOf({ ref: CLAIMED, id: 'claimed', body: claimedBody }), soon());
  await ledger.define(definitionOf({ ref: INACTIVE, id: 'off', state: 'inactive' }), soon());
  const points = pointsOn(ledger);
  await points.award({ userId: 'ann', requestId: 'a1', points: 50, reason: '' }, soon());
  await points.earn({ userId: 'ann', orderId: 'o1', paidMinor: 1_000, currency: 'USD' }, soon());
  const bought = await exchange(points, SOLD, 'e1');
  const revoked = (await exchange(points, SOLD, 'e2')).coupon.couponId;
  await revoke(ledger, revoked);
  couponIds = { bought: bought.coupon.couponId, revoked };
  await forgetInLedger(ledger, 'eve', soon());
});
afterAll(async () => {
  await fixture.close();
});

const pointsOn = (ledger: Ledger): Points => new Points({ ledger, settings, metrics: fixture.metrics });
const exchange = (points: Points, promotionRef: number, requestId: string) =>
  points.exchange({ userId: 'ann', promotionRef, requestId, facts: undefined }, soon());
const revoke = (ledger: Ledger, couponId: string) =>
  revokeCoupon(ledger, { userId: 'ann', couponId, reason: 'test', returnStock: false }, soon());
const award = (ledger: Ledger, userId: string, points: number) =>
  pointsOn(ledger).award({ userId, requestId: 'a1', points, reason: '' }, soon());
const earn = (ledger: Ledger, userId: string) =>
  pointsOn(ledger).earn({ userId, orderId: 'o1', paidMinor: 1_000, currency: 'USD' }, soon());
const grant = (ledger: Ledger) => {
  const how = { kind: 'grant', source: 'staff', event: 'granted', minded: 'nothing' } as const;
  return issueCoupon(ledger, { promotionRef: INACTIVE, userId: 'ann', requestId: 'g', ...how }, soon());
};

type Ask = (ledger: Ledger) => Promise<unknown>;

/** What each answers with when it is safe: a refusal's reason, or 'answered'. */
const ASKS: readonly (readonly [string, string, Ask])[] = [
  ['an award that was given before', 'answered', (ledger) => award(ledger, 'ann', 50)],
  ['an award under a used id', 'REQUEST_ID_REUSED', (ledger) => award(ledger, 'ann', 51)],
  ['an award to an erased user', 'USER_NOT_FOUND', (ledger) => award(ledger, 'eve', 1)],
  ['points earned before', 'answered', (ledger) => earn(ledger, 'ann')],
  ['points of an erased user', 'USER_NOT_FOUND', (ledger) => earn(ledger, 'eve')],
  ['a reversal with nothing to take', 'answered', (ledger) => reverseNothing(ledger)],
  ['an exchange made before', 'answered', (ledger) => exchange(pointsOn(ledger), SOLD, 'e1')],
  [
    'an exchange of what is not sold',
    'PROMOTION_NOT_EXCHANGEABLE',
    (ledger) => exchange(pointsOn(ledger), CLAIMED, 'e3'),
  ],
  ['a revoke made before', 'answered', (ledger) => revoke(ledger, couponIds.revoked)],
  [
    'a revoke of a coupon that is not there',
    'COUPON_NOT_FOUND',
    (ledger) => revoke(ledger, `${couponIds.bought.slice(0, 12)}${couponFieldHex('claim', 'ann', 'none')}`),
  ],
  ['a grant of a promotion that is not active', 'PROMOTION_INACTIVE', grant],
  [
    'a code of a promotion without codes',
    'PROMOTION_NOT_CLAIMABLE',
    (ledger) => issueForCode(ledger, codeClaim('c1'), undefined, soon()),
  ],
  [
    'a look whether codes are taken',
    'PROMOTION_NOT_CLAIMABLE',
    (ledger) => requireOpenToCodes(ledger, codeClaim('c1'), undefined, soon()),
  ],
  ['the coupon of a code', 'answered', (ledger) => couponOfCode(ledger, codeClaim('c1'), soon())],
  ['an erasure that is over', 'answered', (ledger) => forgetInLedger(ledger, 'eve', soon())],
];

const codeClaim = (requestId: string) => ({ promotionRef: CLAIMED, userId: 'ann', requestId });

function reverseNothing(ledger: Ledger): Promise<unknown> {
  const refund = { userId: 'ann', orderId: 'o1', remainingPaidMinor: 1_000, reason: '' };
  return pointsOn(ledger).reverse(refund, soon());
}

/** The records there are, and how long the log is. */
async function written(): Promise<unknown> {
  const { redis } = fixture;
  return { keys: (await redis.keys('*')).toSorted(), events: await redis.hget('{p0}meta', 'events') };
}

async function reasonOf(asked: Promise<unknown>): Promise<string> {
  try {
    await asked;
    return 'answered';
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
}

// LEDGER 13, 14, F13
describe('an answer from a read', () => {
  it.each(ASKS)('is given when it is as safe as a write: %s', async (_what, answer, ask) => {
    expect(await reasonOf(ask(fixture.ledger))).toBe(answer);
  });

  it.each(ASKS)('writes nothing, to whomever it is about: %s', async (_what, _answer, ask) => {
    const before = await written();
    await reasonOf(ask(fixture.ledger));
    expect(await written()).toEqual(before);
  });

  it('about an order and a user that never were makes no record of them', async () => {
    const before = await written();
    const unknown: Step[] = [
      { kind: 'absent', on: orderOf('nobody', 'none'), field: Buffer.from('h') },
      { kind: 'absent', on: accountOf('nobody'), field: Buffer.from('x') },
    ];
    expect(await isStillSo(fixture.ledger, unknown, soon())).toBe(true);
    expect(await written()).toEqual(before);
  });

  it.each(ASKS)('is not given when too few replicas have what was seen: %s', async (_what, _answer, ask) => {
    expect(await reasonOf(ask(unconfirming(fixture.ledger)))).toBe('DURABILITY_UNMET');
  });

  it('that a coupon is not there is not given by a partition that is closed', async () => {
    const open = await fixture.redis.hget('{p0}meta', 'open');
    await fixture.redis.hset('{p0}meta', 'open', 'another');
    try {
      const read = fixture.ledger.read(soon(), (reads) => reads.coupon('ann', '00'.repeat(16)));
      await expect(read).rejects.toMatchObject({ reason: 'LEDGER_CLOSED' });
    } finally {
      await fixture.redis.hset('{p0}meta', 'open', open ?? '');
    }
  });

  it('is looked for again when what was seen has changed', async () => {
    const on = accountOf('ann');
    const absent: readonly Step[] = [{ kind: 'absent', on, field: Buffer.from('p') }];
    expect(await isStillSo(fixture.ledger, absent, soon())).toBe(false);
    const refusal = new Refusal('COUPON_NOT_FOUND', 'as read');
    expect(await isOutdated(refusal, fixture.ledger, absent, soon())).toBe(true);
    expect(await isOutdated(new CorruptRecordError('torn'), fixture.ledger, absent, soon())).toBe(true);
    expect(await isOutdated(new Error('a fault'), fixture.ledger, absent, soon())).toBe(false);
    expect(await isOutdated(new Refusal('LEDGER_CLOSED', 'unknown'), fixture.ledger, absent, soon())).toBe(
      false,
    );
  });
});
