/** Events of the shop: SPEC L6, S2, T1, L4. */

import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MS_PER_DAY } from '../../src/domain/durations.ts';
import { decodeRedemption } from '../../src/domain/redemption.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import { createActivateJob } from '../../src/events/activate-job.ts';
import { createBirthdayJob } from '../../src/events/birthday-job.ts';
import { localDate } from '../../src/events/birthdays.ts';
import type { EventPorts } from '../../src/events/event-ports.ts';
import { ingestEvent } from '../../src/events/ingest-event.ts';
import { createRetryEventsJob } from '../../src/events/retry-events-job.ts';
import { claimFactsOf } from '../../src/events/stored-facts.ts';
import { ListClaimablePromotionsRequestSchema } from '../../src/gen/hongbao/v1/coupon_service_pb.ts';
import {
  EventOutcome,
  GetEventRequestSchema,
  type IngestEventRequest,
} from '../../src/gen/hongbao/v1/event_service_pb.ts';
import { PromotionState } from '../../src/gen/hongbao/v1/promotion_pb.ts';
import { PromotionBook } from '../../src/ruleset/promotion-book.ts';
import { lacksFacts } from '../../src/transport/claim-facts.ts';
import { ClaimIntake } from '../../src/transport/claim-intake.ts';
import { getEvent } from '../../src/transport/handlers/get-event.ts';
import { listClaimablePromotions } from '../../src/transport/handlers/list-claimable-promotions.ts';
import { reasonOf, refusalOf, samplePromotion, staffCall } from '../definition-fixture.ts';
import {
  type EventsFixture,
  eventOf,
  factsOf,
  inWords,
  nameOf,
  runJob,
  startEventsFixture,
} from '../events-fixture.ts';
import { soon } from '../ledger-fixture.ts';
import { caller, orderOf } from '../redemption-fixture.ts';

let fixture: EventsFixture;
const active: string[] = [];

beforeAll(async () => {
  fixture = await startEventsFixture();
}, 60_000);
afterEach(async () => {
  for (const promotionId of active.splice(0)) await fixture.staff.deactivate({ promotionId });
});
afterAll(() => fixture.close(), 30_000);

async function granting(...definition: Parameters<EventsFixture['granting']>): Promise<string> {
  const { promotionId } = await fixture.granting(...definition);
  active.push(promotionId);
  return promotionId;
}

let users = 0;
/** A user nobody has told of. */
function newUser(): string {
  users += 1;
  return `user-${users}`;
}

const registered = (value: object = {}) => ({ case: 'userRegistered', value }) as const;
const completed = (orderId: string, paidMinor = 10_000n) =>
  ({ case: 'orderCompleted', value: { orderId, currency: 'CNY', paidMinor } }) as const;
const cancelled = (orderId: string) => ({ case: 'orderCancelled', value: { orderId } }) as const;
const refunded = (orderId: string, refundedMinor: bigint, whole = false) =>
  ({ case: 'orderRefunded', value: { orderId, refundedMinor, whole } }) as const;

async function available(userId: string): Promise<number> {
  return (await fixture.points.balance(userId, soon())).available;
}

/** Puts the job off no longer, whatever pause an event has. */
async function retryNow(ports: EventPorts = fixture.ports) {
  await fixture.ports.sql`update event_inbox set next_attempt_at = now() where next_attempt_at is not null`;
  return await runJob(createRetryEventsJob(ports));
}

/** The ports of a process that ends before an event has done anything. */
function crashing(): EventPorts {
  const gone = new Refusal('LEDGER_UNAVAILABLE', 'the process is gone');
  return {
    ...fixture.ports,
    ledger: new Proxy(fixture.ports.ledger, {
      get: (ledger, name) => {
        const value = Reflect.get(ledger, name);
        if (name === 'transact') return () => Promise.reject(gone);
        return typeof value === 'function' ? value.bind(ledger) : value;
      },
    }),
  };
}

describe('a registration', () => {
  it('keeps facts, gives newcomer coupons and puts personal details away from the inbox (SPEC L6, S2, S3)', async () => {
    const welcome = await granting({ registration: {} });
    const userId = newUser();
    const facts = { tags: ['vip'], level: 'gold', birthday: '1990-02-29', attributes: [] };
    const request = eventOf(
      registered({ phone: '+8613800000000', name: 'Ann', facts: { ...facts, birthday: '1990-02-28' } }),
      { userId },
    );
    const { outcome, effects } = await ingestEvent(fixture.ports, request, soon());
    expect(outcome).toBe(EventOutcome.APPLIED);
    expect(effects.map(({ promotionId }) => promotionId)).toEqual(['', welcome]);
    expect(await factsOf(fixture, userId)).toMatchObject({
      tags: ['vip'],
      level: 'gold',
      ordersCompleted: 0,
    });
    expect(fixture.profiles.get(userId)).toEqual({ phone: '+8613800000000', name: 'Ann' });
    const [row] = await fixture.ports
      .sql`select event_inbox::text as text from event_inbox where event_id = ${request.eventId}`;
    expect(row?.['text']).not.toContain(Buffer.from('13800000000').toString('hex'));
    const [copy] = await fixture.ports
      .sql`select level, birthday_key, tags::text from user_facts where user_id = ${userId}`;
    expect(copy).toMatchObject({ level: 'gold', birthday_key: 228, tags: '{vip}' });
  });

  it('told twice by other events gives one coupon', async () => {
    const welcome = await granting({ registration: {} });
    const userId = newUser();
    await fixture.tell(registered(), { userId });
    await fixture.tell(registered(), { userId });
    expect(await fixture.coupons(userId)).toEqual([welcome]);
  });

  it('names a coupon that is refused, and why', async () => {
    const few = await granting({ registration: {} }, { stock: { quantity: '0' } });
    const vips = await granting({ registration: {} }, { target: { taggedUsers: { anyOfTags: ['vip'] } } });
    const userId = newUser();
    const { effects } = await fixture.tell(registered(), { userId });
    expect(effects.toSorted()).toEqual(
      [
        `COUPON_ISSUED ${few} ${userId} !SOLD_OUT`,
        `COUPON_ISSUED ${vips} ${userId} !USER_NOT_TARGETED`,
        `FACTS_CHANGED ${userId}`,
      ].toSorted(),
    );
  });
});

describe('each event id counts once (SPEC L6)', () => {
  it('under 50 repeats at once, all answered with the effects of the first', async () => {
    const userId = newUser();
    await granting({ registration: {} });
    const request = eventOf(completed('o1', 12_345n), { userId });
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => ingestEvent(fixture.ports, request, soon())),
    );
    const outcomes = answers.map(({ outcome }) => nameOf(outcome, EventOutcome)).toSorted();
    expect(outcomes).toEqual(['APPLIED', ...Array.from({ length: 49 }, () => 'DUPLICATE')]);
    for (const { effects } of answers) expect(effects.map(inWords)).toEqual([`POINTS_EARNED ${userId} 123`]);
    expect(await available(userId)).toBe(123);
    expect((await factsOf(fixture, userId))?.ordersCompleted).toBe(1);
  });

  it('and is refused with other content', async () => {
    const userId = newUser();
    const eventId = `e-${userId}`;
    await fixture.tell(completed('o1'), { userId, eventId });
    expect(await reasonOf(fixture.tell(completed('o2'), { userId, eventId }))).toBe('REQUEST_ID_REUSED');
  });

  it('also once a clock that was set back lets it lie in the future (LEDGER 2)', async () => {
    const request = eventOf(completed('o1'), { userId: newUser() });
    await ingestEvent(fixture.ports, request, soon());
    const early = { ...fixture.ports, nowMs: () => Date.now() - MS_PER_DAY };
    expect(await reasonOf(ingestEvent(early, eventOf(completed('o2'), { userId: newUser() }), soon()))).toBe(
      'INVALID_REQUEST',
    );
    expect((await ingestEvent(early, request, soon())).outcome).toBe(EventOutcome.DUPLICATE);
  });

  it('and can be read afterwards', async () => {
    const userId = newUser();
    const request = eventOf(completed('o1'), { userId });
    await ingestEvent(fixture.ports, request, soon());
    const read = getEvent(fixture.ports);
    const { event } = await read(create(GetEventRequestSchema, { eventId: request.eventId }), staffCall());
    expect(event).toMatchObject({
      userId,
      kind: 6,
      state: EventOutcome.APPLIED,
      effects: [{ points: 100n }],
    });
    expect(await reasonOf(read(create(GetEventRequestSchema, { eventId: 'none' }), staffCall()))).toBe(
      'EVENT_NOT_FOUND',
    );
  });
});

describe('an event that cannot be is refused with the field named (SPEC L6)', () => {
  const future = timestampFromMs(Date.now() + 60 * 60_000);
  it.each<[string, Partial<Parameters<typeof eventOf>[1]>, Parameters<typeof eventOf>[0]]>([
    ['occurred_at', { occurredAt: future }, registered()],
    ['user_registered.facts.birthday', {}, registered({ facts: { birthday: '2023-02-30' } })],
    ['birthday.date', {}, { case: 'birthday', value: { date: '2023-02-29' } }],
    [
      'order_completed.currency',
      {},
      { case: 'orderCompleted', value: { orderId: 'o', currency: 'XQQ', paidMinor: 1n } },
    ],
  ])('%s', async (field, rest, event) => {
    const refusal = await refusalOf(fixture.tell(event, { userId: newUser(), ...rest }));
    expect(refusal.reason).toBe('INVALID_REQUEST');
    expect(refusal.detail.violations?.map((violation) => violation.field)).toEqual([field]);
  });
});

describe('orders (SPEC T1, L4)', () => {
  it('earn points once, and give back what is refunded', async () => {
    const userId = newUser();
    expect(await fixture.tell(completed('o1', 10_099n), { userId })).toEqual({
      outcome: 'APPLIED',
      effects: [`POINTS_EARNED ${userId} 100`],
    });
    expect(await fixture.tell(completed('o1', 10_099n), { userId })).toEqual({
      outcome: 'IGNORED',
      effects: [],
    });
    expect((await fixture.tell(refunded('o1', 3_000n), { userId })).effects).toEqual([
      `POINTS_REVERSED ${userId} 30`,
    ]);
    expect(await fixture.tell(refunded('o1', 2_000n), { userId })).toEqual({
      outcome: 'IGNORED',
      effects: [],
    });
    expect((await fixture.tell(refunded('o1', 10_099n), { userId })).effects).toEqual([
      `POINTS_REVERSED ${userId} 70`,
    ]);
    expect(await available(userId)).toBe(0);
  });

  it('that fall through return the coupons of a committed order, with its uses', async () => {
    const userId = newUser();
    const ref = 5_001;
    await fixture.redemption.define({ ref });
    const couponId = await fixture.redemption.issue(userId, ref);
    await fixture.redemption.redemptions.use(
      orderOf({ userId, orderId: 'o1', couponIds: [couponId] }),
      caller(),
    );
    expect(await fixture.redemption.used(ref, 'n')).toBe(1);
    const { effects } = await fixture.tell(cancelled('o1'), { userId });
    expect(effects).toEqual([`COUPONS_RETURNED p${ref} ${userId}`]);
    expect(await fixture.redemption.used(ref, 'n')).toBe(0);
    expect(await fixture.tell(cancelled('o1'), { userId })).toEqual({ outcome: 'IGNORED', effects: [] });
  });

  it('that fall through let a reservation go', async () => {
    const userId = newUser();
    const ref = 5_002;
    await fixture.redemption.define({ ref });
    const couponId = await fixture.redemption.issue(userId, ref);
    await fixture.redemption.redemptions.reserve(
      orderOf({ userId, orderId: 'o1', couponIds: [couponId] }),
      caller(),
    );
    expect((await fixture.tell(cancelled('o1'), { userId })).effects).toEqual([
      `COUPONS_RETURNED p${ref} ${userId}`,
    ]);
    const { redemption } = await fixture.redemption.redemptions.get(userId, 'o1', soon());
    expect(redemption.state).toBe('released');
  });

  it('refunded whole before they are completed return coupons at once, and earn nothing later', async () => {
    const userId = newUser();
    const ref = 5_003;
    await fixture.redemption.define({ ref });
    const couponId = await fixture.redemption.issue(userId, ref);
    await fixture.redemption.redemptions.use(
      orderOf({ userId, orderId: 'o1', couponIds: [couponId] }),
      caller(),
    );
    expect((await fixture.tell(refunded('o1', 900n, true), { userId })).effects).toEqual([
      `COUPONS_RETURNED p${ref} ${userId}`,
    ]);
    await fixture.tell(completed('o1', 900n), { userId });
    expect(await available(userId)).toBe(0);
  });

  it('give coupons for the first one, once', async () => {
    const first = await granting({ firstOrder: {} });
    const userId = newUser();
    await fixture.tell(registered(), { userId });
    expect((await fixture.tell(completed('o1'), { userId })).effects).toContain(
      `COUPON_ISSUED ${first} ${userId}`,
    );
    expect((await fixture.tell(completed('o2'), { userId })).effects).toEqual([
      `POINTS_EARNED ${userId} 100`,
    ]);
    expect(await fixture.coupons(userId)).toEqual([first]);
  });

  it('are no first ones of a user whose orders were stated', async () => {
    await granting({ firstOrder: {} });
    const userId = newUser();
    const occurredAt = timestampFromMs(Date.now() - 1_000);
    await fixture.tell(
      { case: 'factsChanged', value: { facts: { ordersCompleted: 3 } } },
      { userId, occurredAt },
    );
    await fixture.tell(completed('o1'), { userId });
    expect(await fixture.coupons(userId)).toEqual([]);
    expect((await factsOf(fixture, userId))?.ordersCompleted).toBe(4);
  });
});

describe('events out of order (SPEC L6)', () => {
  it('a refund waits for its order and is settled with it', async () => {
    const userId = newUser();
    const request = eventOf(refunded('o1', 4_000n), { userId });
    expect((await ingestEvent(fixture.ports, request, soon())).outcome).toBe(EventOutcome.WAITING);
    await fixture.tell(completed('o1'), { userId });
    expect(await available(userId)).toBe(60);
    const again = await ingestEvent(fixture.ports, request, soon());
    expect(again.outcome).toBe(EventOutcome.DUPLICATE);
    expect(again.effects[0]?.points).toBe(40n);
  });

  it('a refund whose order never comes is ignored after the days it may wait', async () => {
    const userId = newUser();
    const request = eventOf(refunded('o1', 4_000n), { userId });
    const state = async () => {
      await retryNow();
      const [row] = await fixture.ports
        .sql`select state from event_inbox where event_id = ${request.eventId}`;
      return row?.['state'];
    };
    await ingestEvent(fixture.ports, request, soon());
    expect(await state()).toBe('waiting');
    await fixture.ports.sql`
      update event_inbox set received_at = received_at - interval '31 days' where event_id = ${request.eventId}`;
    expect(await state()).toBe('ignored');
    expect((await ingestEvent(fixture.ports, request, soon())).effects).toEqual([]);
  });

  it('a completion after the cancellation is ignored', async () => {
    const userId = newUser();
    await fixture.tell(cancelled('o1'), { userId });
    expect(await fixture.tell(completed('o1'), { userId })).toEqual({ outcome: 'IGNORED', effects: [] });
    expect((await factsOf(fixture, userId))?.ordersCompleted).toBeUndefined();
  });

  it('facts of an earlier moment change nothing any more', async () => {
    const userId = newUser();
    const level = (value: string) => ({ case: 'memberLevelReached', value: { level: value } }) as const;
    await fixture.tell(level('gold'), { userId });
    const late = { userId, occurredAt: timestampFromMs(Date.now() - MS_PER_DAY) };
    expect(await fixture.tell(level('silver'), late)).toEqual({ outcome: 'IGNORED', effects: [] });
    expect((await factsOf(fixture, userId))?.level).toBe('gold');
  });

  it('end in the same state in whatever order they come, twice or once', async () => {
    const ref = 5_010;
    await fixture.redemption.define({ ref });
    const events = [
      completed('o1'),
      refunded('o1', 2_000n),
      refunded('o1', 7_000n),
      cancelled('o1'),
    ] as const;
    const told = fc
      .tuple(fc.boolean(), fc.subarray([0, 1, 2, 3], { minLength: 1 }))
      .chain(([hasCoupon, chosen]) =>
        fc.tuple(
          fc.constant(hasCoupon),
          fc.constant(chosen),
          fc.shuffledSubarray([...chosen, ...chosen], { minLength: chosen.length * 2 }),
        ),
      );
    const newOrder = async (hasCoupon: boolean): Promise<string> => {
      const userId = newUser();
      if (!hasCoupon) return userId;
      const couponIds = [await fixture.redemption.issue(userId, ref)];
      await fixture.redemption.redemptions.use(orderOf({ userId, orderId: 'o1', couponIds }), caller());
      return userId;
    };
    const tell = async (userId: string, index: number) => {
      await fixture.tell(events[index] ?? cancelled('o1'), { userId });
    };
    const stateOf = async (userId: string) => {
      const [order] = await fixture.ports.ledger.read(soon(), (reads) =>
        reads.records([{ record: 'order', id: `${userId}/o1` }]),
      );
      const head = order?.get('h');
      const state = head === undefined ? 'none' : decodeRedemption(head).state;
      const ordersCompleted = (await factsOf(fixture, userId))?.ordersCompleted ?? 0;
      return { points: await available(userId), state, ordersCompleted };
    };
    await fc.assert(
      fc.asyncProperty(told, async ([hasCoupon, inOrder, shuffled]) => {
        const [one, other, atOnce] = [
          await newOrder(hasCoupon),
          await newOrder(hasCoupon),
          await newOrder(hasCoupon),
        ];
        for (const index of inOrder) await tell(one, index);
        for (const index of shuffled) await tell(other, index);
        await Promise.all(shuffled.map((index) => tell(atOnce, index)));
        expect([await stateOf(other), await stateOf(atOnce)]).toEqual([
          await stateOf(one),
          await stateOf(one),
        ]);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('an attempt that was cut off (SPEC L6)', () => {
  it('is completed by the job, and the repeated event tells its effects', async () => {
    const welcome = await granting({ registration: {} });
    const userId = newUser();
    const request: IngestEventRequest = eventOf(registered(), { userId });
    expect((await ingestEvent(crashing(), request, soon())).outcome).toBe(EventOutcome.WAITING);
    expect(await fixture.coupons(userId)).toEqual([]);
    // As a process leaves it that ended right after the commit: held by nobody, and not known to have failed.
    await fixture.ports.sql`update event_inbox set state = 'received' where event_id = ${request.eventId}`;
    expect(await retryNow()).toMatchObject({ applied: 1 });
    expect(await fixture.coupons(userId)).toEqual([welcome]);
    const again = await ingestEvent(fixture.ports, request, soon());
    expect(again.outcome).toBe(EventOutcome.DUPLICATE);
    expect(again.effects.map(({ promotionId }) => promotionId)).toEqual(['', welcome]);
  });

  it('is taken over by the same event told again', async () => {
    const userId = newUser();
    const request = eventOf(completed('o1'), { userId });
    await ingestEvent(crashing(), request, soon());
    const again = await ingestEvent(fixture.ports, request, soon());
    expect(again).toMatchObject({ outcome: EventOutcome.DUPLICATE, effects: [{ points: 100n }] });
  });

  it('is not undone for an erased user: the event is settled as refused', async () => {
    const userId = newUser();
    const account = { record: 'account', id: userId } as const;
    await fixture.ports.ledger.transact(
      {
        event: 'erased',
        opensNew: false,
        steps: [{ kind: 'set', on: account, field: Buffer.from('x'), value: Buffer.from('1') }],
      },
      soon(),
    );
    const { outcome, effects } = await fixture.tell(registered({ phone: '13800000000' }), { userId });
    expect({ outcome, effects }).toEqual({
      outcome: 'IGNORED',
      effects: [`FACTS_CHANGED ${userId} !USER_NOT_FOUND`],
    });
    expect(fixture.profiles.has(userId)).toBe(false);
  });
});

describe('a referral (SPEC L6)', () => {
  it('gives both sides a coupon at registration', async () => {
    const both = await granting({
      referral: { moment: 'REFERRAL_MOMENT_REGISTRATION', sides: 'REFERRAL_SIDES_BOTH' },
    });
    const [inviter, invitee] = [newUser(), newUser()];
    const { effects } = await fixture.tell(registered({ inviterUserId: inviter }), { userId: invitee });
    expect(effects).toEqual([
      `FACTS_CHANGED ${invitee}`,
      `REFERRAL_NOTED ${invitee}`,
      `COUPON_ISSUED ${both} ${inviter}`,
      `COUPON_ISSUED ${both} ${invitee}`,
    ]);
    await fixture.tell({ case: 'referral', value: { inviterUserId: inviter } }, { userId: invitee });
    expect([await fixture.coupons(inviter), await fixture.coupons(invitee)]).toEqual([[both], [both]]);
  });

  it('gives its coupons at the first order, also when it is told after it', async () => {
    const mine = await granting(
      { referral: { moment: 'REFERRAL_MOMENT_FIRST_ORDER', sides: 'REFERRAL_SIDES_INVITER' } },
      { stock: { unlimitedPerUser: true } },
    );
    const [inviter, early, late] = [newUser(), newUser(), newUser()];
    const before = { occurredAt: timestampFromMs(Date.now() - 1_000) };
    const invited = { case: 'referral', value: { inviterUserId: inviter } } as const;
    await fixture.tell(invited, { userId: early, ...before });
    expect(await fixture.coupons(inviter)).toEqual([]);
    await fixture.tell(completed('o1'), { userId: early });
    expect(await fixture.coupons(inviter)).toEqual([mine]);
    await fixture.tell(completed('o1'), { userId: late });
    await fixture.tell(invited, { userId: late, ...before });
    expect(await fixture.coupons(inviter)).toEqual([mine, mine]);
  });

  it('of oneself, a second referrer and more than a user may have are refused', async () => {
    const both = await granting({
      referral: { moment: 'REFERRAL_MOMENT_REGISTRATION', sides: 'REFERRAL_SIDES_INVITER' },
    });
    const [inviter, first, second] = [newUser(), newUser(), newUser()];
    const by = (inviterUserId: string) => ({ case: 'referral', value: { inviterUserId } }) as const;
    expect(await fixture.tell(by(first), { userId: first })).toEqual({
      outcome: 'IGNORED',
      effects: [`REFERRAL_NOTED ${first} !SELF_REFERRAL`],
    });
    await fixture.tell(by(inviter), { userId: first });
    expect(await fixture.tell(by(second), { userId: first })).toEqual({
      outcome: 'IGNORED',
      effects: [`REFERRAL_NOTED ${first} !ALREADY_REFERRED`],
    });
    expect((await fixture.tell(by(inviter), { userId: second })).effects).toEqual([
      `REFERRAL_NOTED ${second}`,
      `COUPON_ISSUED ${both} ${inviter} !USER_LIMIT_REACHED`,
    ]);
  });
});

describe('member levels (SPEC L6)', () => {
  it('give coupons once per level', async () => {
    const gold = await granting({ memberLevel: { levels: ['gold'] } }, { stock: { perUserLimit: 5 } });
    const userId = newUser();
    const level = (value: string) => ({ case: 'memberLevelReached', value: { level: value } }) as const;
    await fixture.tell(level('tin'), { userId });
    expect(await fixture.coupons(userId)).toEqual([]);
    await fixture.tell(level('gold'), { userId });
    await fixture.tell(level('gold'), { userId });
    expect(await fixture.coupons(userId)).toEqual([gold]);
  });
});

describe('birthdays (SPEC L6)', () => {
  const at = (date: string): number => Date.parse(`${date}T12:00:00+08:00`);
  const times = { kind: 'every', everyMs: 1 } as const;
  const everyYear = { stock: { perUserLimit: 100 } };

  it('give a coupon once a year, by event or by job', async () => {
    const cake = await granting({ birthday: { daysAhead: 3 } }, everyYear);
    const userId = newUser();
    const today = localDate(Date.now(), 'Asia/Shanghai');
    await fixture.tell(
      registered({ facts: { birthday: `1990${today.slice(4)}`.replace('02-29', '02-28') } }),
      { userId },
    );
    await fixture.tell({ case: 'birthday', value: {} }, { userId });
    const job = createBirthdayJob(fixture.ports, times);
    await runJob(job);
    await runJob(job);
    expect(await fixture.coupons(userId)).toEqual([cake]);
    await runJob(job, Date.now() + 366 * MS_PER_DAY);
    expect(await fixture.coupons(userId)).toEqual([cake, cake]);
  });

  it('are found so many days ahead; 29 February is the 28th in other years', async () => {
    const cake = await granting({ birthday: { daysAhead: 7 } }, everyYear);
    const [leap, later] = [newUser(), newUser()];
    await fixture.tell(registered({ facts: { birthday: '2000-02-29' } }), { userId: leap });
    await fixture.tell(registered({ facts: { birthday: '2000-03-01' } }), { userId: later });
    const job = createBirthdayJob(fixture.ports, times);
    await runJob(job, at('2027-02-20'));
    expect(await fixture.coupons(leap)).toEqual([]);
    await runJob(job, at('2027-02-21'));
    expect([await fixture.coupons(leap), await fixture.coupons(later)]).toEqual([[cake], []]);
    await runJob(job, at('2027-02-22'));
    await runJob(job, at('2028-02-22'));
    expect([await fixture.coupons(leap), await fixture.coupons(later)]).toEqual([[cake, cake], [cake]]);
  });

  it('told of after the job ran are given by its next run', async () => {
    const cake = await granting({ birthday: { daysAhead: 7 } }, everyYear);
    const job = createBirthdayJob(fixture.ports, times);
    await runJob(job, at('2027-07-01'));
    const userId = newUser();
    await fixture.tell(registered({ facts: { birthday: '1999-07-05' } }), { userId });
    await runJob(job, at('2027-07-02'));
    expect(await fixture.coupons(userId)).toEqual([cake]);
  });

  it('that are long over give nothing', async () => {
    await granting({ birthday: {} });
    const occurredAt = timestampFromMs(Date.now() - 40 * MS_PER_DAY);
    expect(await fixture.tell({ case: 'birthday', value: {} }, { userId: newUser(), occurredAt })).toEqual({
      outcome: 'IGNORED',
      effects: [],
    });
  });
});

describe('a schedule (SPEC L6, P6)', () => {
  it('activates once, audited, and leaves alone who was deactivated by hand afterwards', async () => {
    const activateAt = new Date(Date.now() - 1_000).toISOString();
    const { promotionId } = await fixture.staff.create({
      promotion: samplePromotion({ schedule: { activateAt } }),
    });
    const job = createActivateJob({
      definitions: fixture.definitions,
      rules: fixture.ports.rules,
      nowMs: Date.now,
    });
    await expect.poll(() => fixture.ports.rules.current.byId(promotionId)).toBeDefined();
    expect(await runJob(job)).toEqual({ activated: 1, overtaken: 0 });
    expect((await fixture.staff.get({ promotionId })).state).toBe(PromotionState.ACTIVE);
    const { entries } = await fixture.staff.audit({ promotionId });
    expect(entries?.[0]).toMatchObject({ actor: 'schedule' });
    await fixture.staff.deactivate({ promotionId });
    await expect.poll(() => fixture.ports.rules.current.byId(promotionId)?.state).toBe('inactive');
    expect(await runJob(job)).toEqual({ activated: 0, overtaken: 0 });
    expect((await fixture.staff.get({ promotionId })).state).toBe(PromotionState.INACTIVE);
  });

  it('waits for its time', async () => {
    const activateAt = new Date(Date.now() + MS_PER_DAY).toISOString();
    const { promotionId } = await fixture.staff.create({
      promotion: samplePromotion({ schedule: { activateAt } }),
    });
    const job = createActivateJob({
      definitions: fixture.definitions,
      rules: fixture.ports.rules,
      nowMs: Date.now,
    });
    await expect.poll(() => fixture.ports.rules.current.byId(promotionId)).toBeDefined();
    expect(await runJob(job)).toEqual({ activated: 0, overtaken: 0 });
  });
});

describe('what was told of a user (SPEC S2)', () => {
  const newcomers = { reach: { claimable: {} }, target: { newUsers: {} } };
  const endUser = (userId: string) =>
    staffCall({ identity: { kind: 'end_user', actor: userId, userId, scopes: new Set() } });

  async function claimable(changes: Parameters<typeof samplePromotion>[0]): Promise<string> {
    const { promotionId } = await fixture.staff.create({ promotion: samplePromotion(changes) });
    await fixture.staff.activate({ promotionId });
    await expect.poll(() => fixture.ports.rules.current.byId(promotionId)?.state).toBe('active');
    active.push(promotionId);
    return promotionId;
  }

  /** A claim by the user himself, and how often it made somebody read what is kept. */
  async function claimBy(userId: string, promotionId: string): Promise<{ answer: string; reads: number }> {
    const { rules, ledger } = fixture.ports;
    const { metrics } = fixture.redemption.ledger;
    let reads = 0;
    const intake = new ClaimIntake({
      ledger,
      claims: metrics.claims,
      knownRef: (id) => rules.current.byId(id)?.ref,
      lacksFacts: (id, facts) => lacksFacts(rules.current.byId(id)?.promotion, facts),
      readFacts: async () => {
        reads += 1;
        const facts = await factsOf(fixture, userId);
        return facts && claimFactsOf(facts);
      },
      findRef: () => Promise.resolve(undefined),
    });
    const { promise, resolve } = Promise.withResolvers<string>();
    const item = { promotionId, userId: '', requestId: 'claim', facts: undefined };
    intake.submit(item, endUser(userId), {
      claimed: () => resolve('claimed'),
      refused: ({ reason }) => resolve(reason),
    });
    return { answer: await promise, reads };
  }

  it('decides claims of targeted promotions, and is not read for others', async () => {
    const forNewcomers = await claimable(newcomers);
    const forAll = await claimable({ reach: { claimable: {} } });
    const [newcomer, customer, stranger] = [newUser(), newUser(), newUser()];
    await fixture.tell(registered(), { userId: newcomer });
    await fixture.tell(completed('o1'), { userId: customer });
    expect(await claimBy(newcomer, forNewcomers)).toEqual({ answer: 'claimed', reads: 1 });
    expect(await claimBy(customer, forNewcomers)).toEqual({ answer: 'USER_NOT_TARGETED', reads: 1 });
    expect(await claimBy(stranger, forNewcomers)).toEqual({ answer: 'USER_NOT_TARGETED', reads: 1 });
    expect(await claimBy(customer, forAll)).toEqual({ answer: 'claimed', reads: 0 });
  });

  it('decides what the claim centre shows as claimable', async () => {
    const promotionId = await claimable({ ...newcomers, priority: 9 });
    const userId = newUser();
    const list = listClaimablePromotions({
      ledger: fixture.ports.ledger,
      book: new PromotionBook(fixture.ports.rules, fixture.ports.sql),
    });
    const shown = async () => {
      const request = create(ListClaimablePromotionsRequestSchema, { pageSize: 50 });
      const { promotions } = await list(request, endUser(userId));
      return promotions?.find(({ promotion }) => promotion?.promotionId === promotionId)?.claimable;
    };
    expect(await shown()).toBe(false);
    await fixture.tell(registered(), { userId });
    expect(await shown()).toBe(true);
  });
});
