import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { definitionOf, type LedgerFixture, soon, startLedgerFixture } from '../../test/ledger-fixture.ts';
import { Refusal } from '../domain/refusal.ts';
import { decodeEntry } from './event-format.ts';
import { issueCoupon } from './issue-coupon.ts';
import { accountOf, type Outcome, orderOf, type Step, usageOf, walletOf } from './transaction.ts';

let fixture: LedgerFixture;
beforeAll(async () => {
  fixture = await startLedgerFixture();
});
afterAll(async () => {
  await fixture.close();
});

const text = (value: string): Buffer => Buffer.from(value);
const head = text('h');

function transact(steps: readonly Step[], opensNew = false): Promise<Outcome> {
  return fixture.ledger.transact({ event: 'reserved', opensNew, steps }, soon());
}

async function lastEntry() {
  const [seq = -1] = [await fixture.admin.lastSeq()];
  const payload = await fixture.admin.readEntry(seq ?? -1);
  if (payload === undefined) throw new Error('no entry');
  return { seq: seq ?? -1, entry: decodeEntry(payload) };
}

// SPEC C3, LEDGER 1, 7
describe('a transaction', () => {
  it('writes all of its records with one event of post-images', async () => {
    const outcome = await transact([
      { kind: 'absent', on: orderOf('ann', 'o1'), field: head },
      {
        kind: 'set',
        on: orderOf('ann', 'o1'),
        field: head,
        value: text('......x'),
        times: [{ offset: 0, plusMs: 5 }],
      },
      { kind: 'add', on: usageOf(7), field: text('n'), delta: 2, max: 2 },
      { kind: 'due', member: 'ann/o1', afterMs: 60_000 },
    ]);
    if (outcome.kind !== 'done') throw new Error(outcome.kind);
    expect(outcome.sums).toEqual([2]);
    const { entry } = await lastEntry();
    expect(entry.timeMs).toBe(outcome.nowMs);
    expect(entry.events).toHaveLength(1);
    const writes = entry.events[0]?.writes ?? [];
    expect(writes.map(({ target, id }) => [target, id])).toEqual([
      ['order', 'ann/o1'],
      ['usage', '7'],
      ['due', ''],
      ['wallet', 'ann'],
    ]);
    const [order, usage] = await fixture.ledger.read(soon(), (reads) =>
      reads.records([orderOf('ann', 'o1'), usageOf(7)]),
    );
    expect(order?.get('h')?.readUIntBE(0, 6)).toBe(outcome.nowMs + 5);
    expect(usage?.get('n')?.toString()).toBe('2');
    expect(await fixture.ledger.read(soon(), (reads) => reads.dueOrders(outcome.nowMs + 60_000, 10))).toEqual(
      ['ann/o1'],
    );
    expect(await fixture.ledger.read(soon(), (reads) => reads.dueOrders(outcome.nowMs + 59_999, 10))).toEqual(
      [],
    );
  });

  it('writes nothing when a later step does not hold', async () => {
    const before = await lastEntry();
    const on = accountOf('bob');
    const outcome = await transact([
      { kind: 'set', on, field: text('f'), value: text('1') },
      { kind: 'add', on: usageOf(8), field: text('n'), delta: 3, max: 2 },
    ]);
    expect(outcome).toMatchObject({ kind: 'out_of_bounds', step: 1, value: 0 });
    expect((await lastEntry()).seq).toBe(before.seq);
    expect(await fixture.redis.exists('{p0}a:bob', '{p0}w:bob')).toBe(0);
  });

  it('tells what a field holds instead', async () => {
    const on = accountOf('cat');
    const field = text('f');
    await transact([{ kind: 'set', on, field, value: text('now') }]);
    expect(await transact([{ kind: 'expect', on, field, value: text('then') }])).toMatchObject({
      kind: 'differs',
      step: 0,
      value: text('now'),
    });
    expect(await transact([{ kind: 'absent', on, field }])).toMatchObject({
      kind: 'differs',
      value: text('now'),
    });
    expect(await transact([{ kind: 'replay', on, field }])).toMatchObject({
      kind: 'replayed',
      value: text('now'),
    });
    expect(await transact([{ kind: 'expect', on: accountOf('dan'), field, value: text('x') }])).toMatchObject(
      {
        kind: 'differs',
        value: undefined,
      },
    );
    expect(await transact([{ kind: 'within', fromMs: 0, toMs: 1 }])).toMatchObject({
      kind: 'outside',
      step: 0,
    });
  });

  it('takes fields and due entries away', async () => {
    const on = orderOf('eve', 'o1');
    await transact([
      { kind: 'set', on, field: head, value: text('1') },
      { kind: 'due', member: 'eve/o1', afterMs: 0 },
    ]);
    await transact([
      { kind: 'remove', on, field: head },
      { kind: 'due', member: 'eve/o1', afterMs: undefined },
    ]);
    expect(await fixture.redis.exists('{p0}o:eve/o1')).toBe(0);
    expect(await fixture.redis.zscore('{p0}due', 'eve/o1')).toBeNull();
    const { entry } = await lastEntry();
    expect(entry.events[0]?.writes[0]?.fields).toEqual([{ field: head, value: undefined }]);
  });

  it('sees what the one before it in the same call wrote', async () => {
    const on = accountOf('fay');
    const field = text('f');
    const outcomes = await Promise.all(
      Array.from({ length: 64 }, () =>
        transact([
          { kind: 'absent', on, field },
          { kind: 'set', on, field, value: text('mine') },
        ]),
      ),
    );
    expect(outcomes.filter(({ kind }) => kind === 'done')).toHaveLength(1);
    expect(outcomes.filter(({ kind }) => kind === 'differs')).toHaveLength(63);
  });

  it.each([
    ['a wallet of another type', '{p0}w:gus', walletOf('gus')],
    ['an order of another type', '{p0}o:gus/1', orderOf('gus', '1')],
  ])('leaves everything alone when it meets %s', async (_title, key, on) => {
    await fixture.redis.set(key, 'not a hash');
    const before = await lastEntry();
    const steps: Step[] = [
      { kind: 'add', on: usageOf(9), field: text('n'), delta: 1 },
      { kind: 'set', on, field: head, value: text('1') },
    ];
    await expect(transact(steps)).rejects.toMatchObject({ reason: 'INTERNAL' });
    expect((await lastEntry()).seq).toBe(before.seq);
    expect(await fixture.redis.exists('{p0}u:9')).toBe(0);
    await fixture.redis.del(key);
  });

  it('is refused when the partition stays closed until its deadline', async () => {
    await fixture.redis.hset('{p0}meta', 'open', 'another');
    const attempt = fixture.ledger.transact(
      { event: 'reserved', opensNew: false, steps: [] },
      Date.now() + 300,
    );
    await expect(attempt).rejects.toBeInstanceOf(Refusal);
    await fixture.open();
    expect(await transact([{ kind: 'within', fromMs: 0, toMs: 2 ** 48 - 1 }])).toMatchObject({
      kind: 'done',
    });
  });
});

// SPEC L1, L5, P5
describe('a coupon that is issued without a claim', () => {
  const request = (userId: string, requestId: string, promotionRef = 50) =>
    ({
      promotionRef,
      userId,
      requestId,
      kind: 'grant',
      source: 'staff',
      event: 'granted',
      minded: 'nothing',
    }) as const;

  it('comes out of stock once per request, within the limits', async () => {
    await fixture.ledger.define(definitionOf({ ref: 50, id: 'gift', claimable: false, quantity: 2 }), soon());
    const first = await issueCoupon(fixture.ledger, request('hal', 'r1'), soon());
    const again = await issueCoupon(fixture.ledger, request('hal', 'r1'), soon());
    expect(again).toEqual({ ...first, isReplay: true });
    await expect(issueCoupon(fixture.ledger, request('hal', 'r2'), soon())).rejects.toMatchObject({
      reason: 'USER_LIMIT_REACHED',
    });
    await issueCoupon(fixture.ledger, request('ivy', 'r1'), soon());
    await expect(issueCoupon(fixture.ledger, request('joe', 'r1'), soon())).rejects.toMatchObject({
      reason: 'SOLD_OUT',
    });
    const wallet = await fixture.ledger.read(soon(), (reads) => reads.wallet('hal'));
    expect(wallet).toMatchObject([{ couponId: first.couponId, source: 'staff', state: 'unused' }]);
    expect(wallet[0]?.expiresAtMs).toBe(first.issuedAtMs + 7 * 86_400_000);
  });

  it('is refused while the promotion is inactive, and given again to whom has it', async () => {
    const definition = definitionOf({ ref: 51, id: 'parcel', quantity: 5 });
    await fixture.ledger.define(definition, soon());
    await issueCoupon(fixture.ledger, request('lea', 'r1', 51), soon());
    await fixture.ledger.define({ ...definition, version: 2, state: 'inactive' }, soon());
    await expect(issueCoupon(fixture.ledger, request('kim', 'r1', 51), soon())).rejects.toMatchObject({
      reason: 'PROMOTION_INACTIVE',
    });
    expect(await issueCoupon(fixture.ledger, request('lea', 'r1', 51), soon())).toMatchObject({
      isReplay: true,
    });
  });
});
