/** What the claim script decides, on a real redis-server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeCouponValue } from '../../src/domain/coupon.ts';
import type { LiveDefinition } from '../../src/domain/live-definition.ts';
import { couponFieldHex } from '../../src/ledger/coupon-field.ts';
import { decodeEntry } from '../../src/ledger/event-format.ts';
import { claimCounterField } from '../../src/ledger/record-fields.ts';
import {
  type ClaimAnswer,
  definitionOf,
  isClaimed,
  type LedgerFixture,
  reasonOf,
  soon,
  startLedgerFixture,
} from '../ledger-fixture.ts';

let fixture: LedgerFixture;
let nextRef = 1;

beforeAll(async () => {
  fixture = await startLedgerFixture();
});
afterAll(() => fixture.close());

async function define(overrides: Partial<LiveDefinition> = {}): Promise<LiveDefinition> {
  const ref = nextRef;
  nextRef += 1;
  const definition = definitionOf({ ref, id: `promotion-${ref}`, ...overrides });
  await fixture.ledger.define(definition, soon());
  return definition;
}

async function serverNowMs(): Promise<number> {
  const [seconds, micros] = await fixture.redis.time();
  return Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
}

function claimed(answer: ClaimAnswer) {
  if (!isClaimed(answer)) throw new Error(`refused: ${answer.reason}`);
  return answer;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('a claim', () => {
  it('takes one unit, writes the wallet and answers the fixed dates (SPEC L1)', async () => {
    const { ref } = await define({ quantity: 2 });
    const coupon = claimed(await fixture.claim({ user: 'ann', request: 'r1', ref }));
    expect(coupon.expiresAtMs - coupon.issuedAtMs).toBe(7 * DAY_MS);
    expect(coupon).toMatchObject({ isReplay: false, acknowledgement: 'durable', promotionVersion: 1 });
    const [stock] = await fixture.ledger.reads.stock([ref], 'ann');
    expect(stock).toEqual({ ref, issued: 1, received: 2, claimedByUser: 1 });
    const wallet = await fixture.ledger.reads.wallet('ann');
    expect(wallet.map((held) => held.couponId)).toContain(coupon.couponId);
  });

  it('answers a repeated request with the same coupon, before every refusal (SPEC L5)', async () => {
    const definition = await define({ quantity: 1 });
    const { ref } = definition;
    const first = claimed(await fixture.claim({ user: 'bob', request: 'r1', ref }));
    await fixture.ledger.define({ ...definition, version: 2, state: 'inactive', quantity: 0 }, soon());
    const again = claimed(await fixture.claim({ user: 'bob', request: 'r1', ref }));
    expect(again).toEqual({ ...first, isReplay: true });
  });

  it('refuses a request id that was used for another promotion (SPEC L5)', async () => {
    const one = await define();
    const other = await define();
    await fixture.claim({ user: 'cat', request: 'r1', ref: one.ref });
    expect(reasonOf(await fixture.claim({ user: 'cat', request: 'r1', ref: other.ref }))).toBe(
      'REQUEST_ID_REUSED',
    );
  });

  it('does not remember a refusal: after a restock the same request succeeds (SPEC L5)', async () => {
    const definition = await define({ quantity: 0 });
    const { ref } = definition;
    expect(reasonOf(await fixture.claim({ user: 'dan', request: 'r1', ref }))).toBe('SOLD_OUT');
    await fixture.ledger.define({ ...definition, version: 2, quantity: 1 }, soon());
    expect(reasonOf(await fixture.claim({ user: 'dan', request: 'r1', ref }))).toBe('claimed');
  });

  it('says what was needed and what was seen', async () => {
    const { ref } = await define({ perUserLimit: 2 });
    await fixture.claim({ user: 'eve', request: 'r1', ref });
    await fixture.claim({ user: 'eve', request: 'r2', ref });
    expect(await fixture.claim({ user: 'eve', request: 'r3', ref })).toMatchObject({
      reason: 'USER_LIMIT_REACHED',
      needed: 2,
      seen: 2,
    });
  });

  it('sees the earlier claims of its own batch', async () => {
    const { ref } = await define({ quantity: 3, perUserLimit: 2 });
    const { ref: other } = await define();
    const claim = (request: string, of = ref) => fixture.claim({ user: 'fay', request, ref: of });
    const answers = await Promise.all([
      claim('r1'),
      claim('r1'),
      claim('r2'),
      claim('r3'),
      claim('o1', other),
      claim('o1', other),
    ]);
    const reasons = ['claimed', 'claimed', 'claimed', 'USER_LIMIT_REACHED', 'claimed', 'claimed'];
    expect(answers.map(reasonOf)).toEqual(reasons);
    expect(answers.filter((answer) => isClaimed(answer) && answer.isReplay)).toHaveLength(2);
    const wallet = await fixture.admin.readWalletFields('fay');
    expect(wallet.get('40')?.readUIntBE(6, 2)).toBe(3);
  });

  it('never issues more than the quantity, whoever asks at once (SPEC C3)', async () => {
    const { ref } = await define({ quantity: 100 });
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        fixture.claim({ user: `crowd-${index}`, request: 'r', ref }),
      ),
    );
    expect(answers.filter(isClaimed)).toHaveLength(100);
    expect(answers.filter((answer) => reasonOf(answer) === 'SOLD_OUT')).toHaveLength(900);
  });

  it('writes its event with the state after it', async () => {
    const { ref } = await define();
    const coupon = claimed(await fixture.claim({ user: 'gus', request: 'r1', ref }));
    const last = (await fixture.admin.lastSeq()) ?? -1;
    const entry = decodeEntry((await fixture.admin.readEntry(last)) ?? Buffer.alloc(0));
    const [event] = entry.events;
    expect(event?.kind).toBe('claimed');
    expect(entry.timeMs).toBe(coupon.issuedAtMs);
    const wallet = await fixture.admin.readWalletFields('gus');
    const written = event?.writes.find((write) => write.target === 'wallet')?.fields ?? [];
    const field = written.find((part) => part.field.length === 16);
    expect(wallet.get(field?.field.toString('hex') ?? '')).toEqual(field?.value);
    expect(wallet.get('40')?.readUIntBE(0, 6)).toBe(last);
  });
});

describe('refusals come in the promised order (SPEC L1)', () => {
  // Each row breaks one more rule than the one below it, so the answer shows which check comes first.
  const breaks: [reason: string, definition: (nowMs: number) => Partial<LiveDefinition>][] = [
    ['SOLD_OUT', () => ({ quantity: 0 })],
    ['USER_LIMIT_REACHED', () => ({})],
    ['USER_NOT_TARGETED', () => ({ target: { kind: 'tags', anyOf: ['vip'] } })],
    ['PROMOTION_ENDED', (nowMs) => ({ claimEndMs: nowMs - HOUR_MS })],
    ['PROMOTION_NOT_STARTED', (nowMs) => ({ claimStartMs: nowMs + HOUR_MS })],
    ['PROMOTION_INACTIVE', () => ({ state: 'inactive' })],
    ['PROMOTION_NOT_CLAIMABLE', () => ({ claimable: false })],
    ['PROMOTION_NOT_FOUND', () => ({ state: 'deleted' })],
  ];

  it.each(breaks.map((row, index) => [row[0], index] as const))('%s', async (reason, index) => {
    const nowMs = await serverNowMs();
    const definition = await define({ quantity: 1 });
    const user = `order-${index}`;
    if (index >= 1) await fixture.claim({ user, request: 'before', ref: definition.ref });
    const broken = breaks.slice(0, index + 1).map(([, change]) => change(nowMs));
    await fixture.ledger.define(Object.assign({}, definition, { version: 2 }, ...broken), soon());
    expect(reasonOf(await fixture.claim({ user, request: 'r', ref: definition.ref }))).toBe(reason);
  });

  it('a promotion finished by hand has ended', async () => {
    const { ref } = await define({ state: 'finished' });
    expect(reasonOf(await fixture.claim({ user: 'hal', request: 'r', ref }))).toBe('PROMOTION_ENDED');
  });

  it('a coupon whose fixed dates are over cannot be claimed', async () => {
    const { ref } = await define({ validity: { kind: 'fixed', endMs: 1_000 } });
    expect(reasonOf(await fixture.claim({ user: 'hal', request: 'r', ref }))).toBe('PROMOTION_ENDED');
  });
});

describe('targets (SPEC P7, S2)', () => {
  const registered = async (daysAgo: number) => (await serverNowMs()) - daysAgo * DAY_MS;

  it('new users have no completed order', async () => {
    const { ref } = await define({ target: { kind: 'new_users' } });
    const claim = (user: string, ordersCompleted: number) =>
      fixture.claim({ user, request: 'r', ref, facts: { ordersCompleted, tags: [] } });
    expect(reasonOf(await claim('new-1', 0))).toBe('claimed');
    expect(await claim('old-1', 3)).toMatchObject({
      reason: 'USER_NOT_TARGETED',
      isFactMissing: false,
      seen: 3,
    });
  });

  it('new users registered less than so many days ago', async () => {
    const { ref } = await define({ target: { kind: 'new_users', registeredWithinDays: 30 } });
    const claim = async (user: string, daysAgo: number) =>
      fixture.claim({
        user,
        request: 'r',
        ref,
        facts: { registeredAtMs: await registered(daysAgo), tags: [] },
      });
    expect(reasonOf(await claim('new-2', 29))).toBe('claimed');
    expect(reasonOf(await claim('old-2', 31))).toBe('USER_NOT_TARGETED');
  });

  it('any one of the tags is enough', async () => {
    const { ref } = await define({ target: { kind: 'tags', anyOf: ['vip', '黄金会员'] } });
    const claim = (user: string, tags: string[]) =>
      fixture.claim({ user, request: 'r', ref, facts: { tags } });
    expect(reasonOf(await claim('gold', ['new', '黄金会员']))).toBe('claimed');
    expect(reasonOf(await claim('none', ['vi', 'vipp']))).toBe('USER_NOT_TARGETED');
  });

  it('a missing fact is not met, and says so (SPEC R8)', async () => {
    const { ref } = await define({ target: { kind: 'new_users' } });
    expect(await fixture.claim({ user: 'who', request: 'r', ref })).toMatchObject({
      reason: 'USER_NOT_TARGETED',
      isFactMissing: true,
    });
  });
});

describe('what a claim finds in the store', () => {
  // Rule 1: one bad record spoils nothing else, wherever it stands in the batch.
  it.each([0, 1, 2])('a wallet of the wrong type at place %i refuses that claim alone', async (place) => {
    const { ref } = await define();
    const users = [0, 1, 2].map((index) => `type-${place}-${index}`);
    const bad = users[place] ?? '';
    await fixture.redis.set(`{p0}w:${bad}`, 'not a wallet');
    const answers = await Promise.all(users.map((user) => fixture.claim({ user, request: 'r', ref })));
    expect(answers.map(reasonOf)).toEqual(users.map((user) => (user === bad ? 'INTERNAL' : 'claimed')));
    expect((await fixture.ledger.reads.stock([ref], undefined))[0]?.issued).toBe(2);
  });

  it.each([0, 1, 2])('a corrupt counter at place %i refuses that claim alone', async (place) => {
    const { ref } = await define();
    const users = [0, 1, 2].map((index) => `count-${place}-${index}`);
    const bad = users[place] ?? '';
    await fixture.redis.hset(`{p0}w:${bad}`, claimCounterField(ref), 'many');
    const answers = await Promise.all(users.map((user) => fixture.claim({ user, request: 'r', ref })));
    expect(answers.map(reasonOf)).toEqual(users.map((user) => (user === bad ? 'INTERNAL' : 'claimed')));
  });

  it('a coupon value of the wrong length is not answered as a coupon', async () => {
    const { ref } = await define();
    const field = Buffer.from(couponFieldHex('claim', 'ida', 'r'), 'hex');
    await fixture.redis.hset('{p0}w:ida', field, 'short');
    expect(reasonOf(await fixture.claim({ user: 'ida', request: 'r', ref }))).toBe('INTERNAL');
  });

  it('a promotion record of the wrong type is refused and nothing is written', async () => {
    const before = await fixture.admin.lastSeq();
    await fixture.redis.set('{p0}d:4000000', 'not a record');
    expect(reasonOf(await fixture.claim({ user: 'jan', request: 'r', ref: 4_000_000 }))).toBe('INTERNAL');
    expect(await fixture.admin.lastSeq()).toBe(before);
  });

  it('a wallet holds at most 500 live coupons; those past their time do not count (LEDGER 25)', async () => {
    const { ref } = await define({ perUserLimit: 1_000, quantity: 1_000 });
    const nowMs = await serverNowMs();
    const fill = async (user: string, expiresAtMs: number) => {
      const fields = Array.from({ length: 500 }, (_, index) => {
        const value = {
          state: 'unused',
          source: 'claim',
          hidden: false,
          promotionRef: ref,
          promotionVersion: 1,
        } as const;
        const bytes = encodeCouponValue({ ...value, issuedAtMs: nowMs, validFromMs: nowMs, expiresAtMs });
        return [Buffer.from(couponFieldHex('claim', user, `fill-${index}`), 'hex'), Buffer.from(bytes)];
      });
      const meta = Buffer.alloc(8);
      meta.writeUInt16BE(500, 6);
      await fixture.redis.hset(`{p0}w:${user}`, ...fields.flat(), '@', meta);
    };
    await fill('full', nowMs + HOUR_MS);
    await fill('stale', nowMs - HOUR_MS);
    expect(reasonOf(await fixture.claim({ user: 'full', request: 'r', ref }))).toBe('WALLET_FULL');
    expect(reasonOf(await fixture.claim({ user: 'stale', request: 'r', ref }))).toBe('claimed');
  });
});
