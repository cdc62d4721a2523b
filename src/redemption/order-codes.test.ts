import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { soon } from '../../test/ledger-fixture.ts';
import {
  caller,
  orderOf,
  type RedemptionFixture,
  startRedemptionFixture,
} from '../../test/redemption-fixture.ts';
import { Refusal } from '../domain/refusal.ts';
import type { CodeHolder, CodeHolds } from './code-holds.ts';
import { Redemptions } from './redemptions.ts';
import { createSweepJob } from './sweep-job.ts';

/** Codes as Postgres keeps them, with a place to break down at. */
class TestCodes implements CodeHolds {
  readonly calls: string[] = [];
  readonly holders = new Map<string, CodeHolder & { isUsed: boolean }>();
  breaksAt: 'hold' | 'confirm' | 'free' | undefined;

  async hold(codes: readonly { code: string }[], userId: string, orderId: string): Promise<void> {
    this.begin('hold');
    const isTaken = codes.some(({ code }) => {
      const holder = this.holders.get(code);
      return holder !== undefined && (holder.orderId !== orderId || holder.userId !== userId);
    });
    if (isTaken) throw new Refusal('CODE_ALREADY_USED', 'taken');
    for (const { code } of codes)
      this.holders.set(code, this.holders.get(code) ?? { userId, orderId, isUsed: false });
  }

  async confirm(userId: string, orderId: string): Promise<void> {
    this.begin('confirm');
    for (const [code, holder] of this.of(userId, orderId))
      this.holders.set(code, { ...holder, isUsed: true });
  }

  async free(userId: string, orderId: string): Promise<void> {
    this.begin('free');
    for (const [code] of this.of(userId, orderId)) this.holders.delete(code);
  }

  async unsettled(): Promise<CodeHolder[]> {
    return [...this.holders.values()].filter(({ isUsed }) => !isUsed);
  }

  private of(userId: string, orderId: string) {
    return [...this.holders].filter(([, holder]) => holder.userId === userId && holder.orderId === orderId);
  }

  private begin(call: 'hold' | 'confirm' | 'free'): void {
    this.calls.push(call);
    if (this.breaksAt === call) throw new Refusal('ARCHIVE_UNAVAILABLE', 'Postgres is away');
  }
}

let fixture: RedemptionFixture;
let codes: TestCodes;
let redemptions: Redemptions;
let orders = 0;
beforeAll(async () => {
  fixture = await startRedemptionFixture();
  await fixture.define({ ref: 1, id: 'once', way: 'single-use code' });
  await fixture.define({ ref: 2, id: 'public', way: 'public code' });
  await fixture.define({ ref: 3, id: 'gone', way: 'single-use code', limits: { usesTotal: 1n } });
});
afterAll(() => fixture.close());
beforeEach(() => {
  codes = new TestCodes();
  redemptions = new Redemptions({ ...fixture.ports, codes });
  orders += 1;
});

const order = (code: string, orderId = `o${orders}`) =>
  orderOf({ orderId, requestId: `r-${orderId}`, codes: [code] });
const ending = (orderId = `o${orders}`) => ({
  userId: 'ann',
  orderId,
  requestId: `x-${orderId}`,
  reservationId: '',
  reason: '',
});
const reasonOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'none',
    (error: unknown) => (error instanceof Refusal ? error.reason : error),
  );
async function sweep() {
  const job = createSweepJob({ ...fixture.ports, codes, nowMs: Date.now });
  return await job.run({ signal: new AbortController().signal, nowMs: 0, progress: () => undefined });
}

// SPEC L3, LEDGER 11
describe('the single-use code of an order', () => {
  it('is held with the order, used with it, and no other order gets it', async () => {
    await redemptions.reserve(order('once-1'), caller());
    expect(codes.holders.get('once-1')).toMatchObject({ isUsed: false });
    expect(await reasonOf(redemptions.reserve(order('once-1', `other-${orders}`), caller()))).toBe(
      'CODE_ALREADY_USED',
    );
    expect(codes.holders.get('once-1')).toMatchObject({ orderId: `o${orders}` });
    await redemptions.commit(ending(), soon());
    expect(codes.holders.get('once-1')).toMatchObject({ isUsed: true });
  });

  it('is free again when the order is released', async () => {
    await redemptions.reserve(order('once-1'), caller());
    await redemptions.release(ending(), soon());
    expect(codes.holders.size).toBe(0);
  });

  it('is free again when the order is refused', async () => {
    await redemptions.use(order('gone-1', `first-${orders}`), caller());
    expect(await reasonOf(redemptions.reserve(order('gone-2'), caller()))).toBe('USES_EXHAUSTED');
    expect([...codes.holders.keys()]).toEqual(['gone-1']);
  });

  it('is used at once in one step', async () => {
    await redemptions.use(order('once-1'), caller());
    expect(codes.calls).toEqual(['hold', 'hold', 'confirm']);
    expect(codes.holders.get('once-1')).toMatchObject({ isUsed: true });
  });

  it('costs nothing when it is a public one', async () => {
    await redemptions.use(order('public'), caller());
    expect(codes.calls).toEqual([]);
  });
});

// SPEC L3, LEDGER 11
describe('a crash between the steps of a code', () => {
  it('before the hold leaves nothing', async () => {
    codes.breaksAt = 'hold';
    expect(await reasonOf(redemptions.reserve(order('once-1'), caller()))).toBe('ARCHIVE_UNAVAILABLE');
    expect(await reasonOf(redemptions.get('ann', `o${orders}`, soon()))).toBe('ORDER_NOT_FOUND');
  });

  it('after the hold leaves a code that the sweep frees', async () => {
    await codes.hold([{ code: 'once-1' }], 'ann', `o${orders}`);
    expect(await sweep()).toMatchObject({ settled: 1 });
    expect(codes.holders.size).toBe(0);
  });

  it('before the confirmation is mended by a repeat of the call', async () => {
    codes.breaksAt = 'confirm';
    expect(await reasonOf(redemptions.use(order('once-1'), caller()))).toBe('ARCHIVE_UNAVAILABLE');
    codes.breaksAt = undefined;
    expect(await redemptions.use(order('once-1'), caller())).toMatchObject({ replayed: true });
    expect(codes.holders.get('once-1')).toMatchObject({ isUsed: true });
  });

  it('before the confirmation is mended by the sweep', async () => {
    await redemptions.reserve(order('once-1'), caller());
    codes.breaksAt = 'confirm';
    expect(await reasonOf(redemptions.commit(ending(), soon()))).toBe('ARCHIVE_UNAVAILABLE');
    codes.breaksAt = undefined;
    expect(await sweep()).toMatchObject({ settled: 1 });
    expect(codes.holders.get('once-1')).toMatchObject({ isUsed: true });
  });

  it('before it is freed is mended by the sweep', async () => {
    await redemptions.reserve(order('once-1'), caller());
    codes.breaksAt = 'free';
    expect(await reasonOf(redemptions.release(ending(), soon()))).toBe('ARCHIVE_UNAVAILABLE');
    codes.breaksAt = undefined;
    expect(await sweep()).toMatchObject({ settled: 1 });
    expect(codes.holders.size).toBe(0);
  });

  it('leaves the code of a reserved order alone', async () => {
    await redemptions.reserve(order('once-1'), caller());
    expect(await sweep()).toMatchObject({ settled: 0 });
    expect(codes.holders.get('once-1')).toMatchObject({ isUsed: false });
  });
});

// SPEC P9
describe('an automatic promotion that has run out', () => {
  it('is left out of the order where decisions heed it, and refuses it otherwise', async () => {
    const heeding = await startRedemptionFixture({ heedsExhausted: true });
    try {
      await heeding.define({ ref: 1, way: 'automatic', limits: { usesTotal: 1n } });
      await heeding.redemptions.reserve(orderOf(), caller());
      const next = orderOf({ orderId: 'o2', requestId: 'r2' });
      const refusing = new Redemptions({ ...heeding.ports, exhausted: { note: () => undefined } });
      expect(await reasonOf(refusing.reserve(next, caller()))).toBe('USES_EXHAUSTED');
      const { order: second } = await heeding.redemptions.reserve(next, caller());
      expect(second.redemption).toMatchObject({ promotions: [], payableMinor: 1_000 });
      expect(await heeding.used(1, 'n')).toBe(1);
    } finally {
      await heeding.close();
    }
  });
});
