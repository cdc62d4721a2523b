import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { revokeCoupon } from '../../src/grants/revoke-coupon.ts';
import type { ClaimRefusal } from '../../src/ledger/claim-operation.ts';
import { couponFieldHex } from '../../src/ledger/coupon-field.ts';
import { issueCoupon } from '../../src/ledger/issue-coupon.ts';
import { partitionKeys } from '../../src/ledger/keys.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { type LeasedLedger, startLeasedLedger } from '../leases/leased-ledger.ts';
import { definitionOf } from '../ledger-fixture.ts';

const WAIT_MS = 60_000;
const soon = (): number => Date.now() + WAIT_MS;

/** Claims for a user; undefined when it was refused with a reason, which `refused` hears. */
function claim(
  ledger: Ledger,
  ref: number,
  user: string,
  refused: (refusal: ClaimRefusal) => void,
  timeoutMs = WAIT_MS,
): Promise<boolean> {
  return new Promise((resolve) => {
    ledger.claim({
      promotionRef: ref,
      userId: user,
      fieldHex: couponFieldHex('claim', user, 'once'),
      deadlineMs: Date.now() + timeoutMs,
      facts: undefined,
      listener: {
        claimed: () => resolve(true),
        refused: (refusal) => {
          refused(refusal);
          resolve(false);
        },
      },
    });
  });
}

describe.each([4, 16])('a hot promotion in %i partitions, claimed through two processes', (partitions) => {
  let leased: LeasedLedger;

  beforeAll(async () => {
    leased = await startLeasedLedger(partitions, 2);
  });
  afterAll(() => leased.close());

  const ledgerOf = (index: number): Ledger => {
    const ledger = leased.ledgers[index % leased.ledgers.length];
    if (ledger === undefined) throw new RangeError('no ledger');
    return ledger;
  };

  const issuedNow = async (ref: number): Promise<number> => {
    const [stock] = await ledgerOf(0).read(soon(), (reads) => reads.stock([ref], undefined));
    return stock?.issued ?? 0;
  };

  // LEDGER 10, I1, SPEC C3
  it('gives exactly 1,000 of 3,000 users a coupon, and refuses nobody before', async () => {
    const ref = 7;
    await ledgerOf(0).define(definitionOf({ ref, id: 'hot', quantity: 1_000, perUserLimit: 1 }), soon());
    const refusals: ClaimRefusal[] = [];
    const answers = Array.from({ length: 3_000 }, async (_, index) => {
      const ledger = ledgerOf(index);
      return await claim(ledger, ref, `user-${index}`, (refusal) => refusals.push(refusal));
    });
    expect((await Promise.all(answers)).filter(Boolean)).toHaveLength(1_000);
    expect(await issuedNow(ref)).toBe(1_000);
    expect(new Set(refusals.map(({ reason }) => reason))).toEqual(new Set(['SOLD_OUT']));
    // Whoever was refused hears how many were issued when it was found that nothing is left.
    expect(refusals.every(({ needed, seen }) => needed === 1_000 && seen === 1_000)).toBe(true);
  });

  // LEDGER 9, 10
  it('gives what a larger quantity adds as soon as it is in force, and closes leases when it falls', async () => {
    const ref = 8;
    const define = (version: number, quantity: number) =>
      ledgerOf(0).define(definitionOf({ ref, id: 'changing', version, quantity }), soon());
    const reasons: string[] = [];
    const all = async (from: number, count: number): Promise<number> => {
      const claims = Array.from({ length: count }, (_, index) =>
        claim(ledgerOf(index), ref, `u${from + index}`, ({ reason }) => reasons.push(reason)),
      );
      return (await Promise.all(claims)).filter(Boolean).length;
    };
    await define(1, 100);
    expect(await all(0, 40)).toBe(40);
    await define(2, 50);
    expect(await all(100, 60)).toBe(10);
    await define(3, 70);
    expect(await all(200, 60)).toBe(20);
    expect(await issuedNow(ref)).toBe(70);
    expect(new Set(reasons)).toEqual(new Set(['SOLD_OUT']));
  });
});

describe('the last coupon of a promotion in four partitions', () => {
  let leased: LeasedLedger;

  beforeAll(async () => {
    leased = await startLeasedLedger(4, 1);
  });
  afterAll(() => leased.close());

  const ledger = (): Ledger => {
    const [only] = leased.ledgers;
    if (only === undefined) throw new RangeError('no ledger');
    return only;
  };
  /** A user of this partition whose name begins so. */
  const userOf = (partition: number, prefix: string): string => {
    for (let index = 0; ; index += 1) {
      const user = `${prefix}-${index}`;
      if (ledger().partitionOf(user) === partition) return user;
    }
  };
  const reasonOf = async (ref: number, user: string, timeoutMs = WAIT_MS): Promise<string> => {
    let reason = '';
    const isClaimed = await claim(ledger(), ref, user, (refusal) => (reason = refusal.reason), timeoutMs);
    return isClaimed ? 'claimed' : reason;
  };

  // LEDGER 10
  it('is not said to be gone while a partition cannot be asked', async () => {
    await ledger().define(definitionOf({ ref: 3, id: 'one', quantity: 1 }), soon());
    expect(await reasonOf(3, userOf(0, 'a'))).toBe('claimed');
    const { meta } = partitionKeys(2, 4);
    const runId = await leased.redis.hget(meta, 'open');
    await leased.redis.hset(meta, 'open', 'another server');
    expect(await reasonOf(3, userOf(1, 'b'), 500)).toBe('LEDGER_UNAVAILABLE');
    await leased.redis.hset(meta, 'open', runId ?? '');
    expect(await reasonOf(3, userOf(1, 'c'))).toBe('SOLD_OUT');
  });

  it('can be had by a user of any partition when it is taken back, and granted as well as claimed', async () => {
    await ledger().define(definitionOf({ ref: 4, id: 'back', quantity: 1 }), soon());
    const first = userOf(0, 'd');
    const second = userOf(3, 'e');
    const grant = {
      promotionRef: 4,
      requestId: 'job',
      kind: 'grant',
      source: 'staff',
      event: 'granted',
      minded: 'nothing',
    } as const;
    const { couponId } = await issueCoupon(ledger(), { ...grant, userId: first }, soon());
    const refused = issueCoupon(ledger(), { ...grant, userId: second }, soon());
    await expect(refused).rejects.toMatchObject({
      reason: 'SOLD_OUT',
      detail: { metadata: { quantity: '1', issued: '1' } },
    });
    await revokeCoupon(ledger(), { userId: first, couponId, reason: 'x', returnStock: true }, soon());
    await expect.poll(() => reasonOf(4, userOf(2, 'f')), { timeout: WAIT_MS }).toBe('claimed');
    expect(await reasonOf(4, second)).toBe('SOLD_OUT');
  });

  it('does not come back with a coupon that is taken back after the quantity fell', async () => {
    await ledger().define(definitionOf({ ref: 5, id: 'fell', quantity: 4 }), soon());
    const users = [0, 1, 2, 3].map((partition) => userOf(partition, 'g'));
    for (const user of users) expect(await reasonOf(5, user)).toBe('claimed');
    await ledger().define(definitionOf({ ref: 5, id: 'fell', version: 2, quantity: 2 }), soon());
    const [first = ''] = users;
    const [coupon] = await ledger().read(soon(), (reads) => reads.wallet(first));
    const couponId = coupon?.couponId ?? '';
    await revokeCoupon(ledger(), { userId: first, couponId, reason: 'x', returnStock: true }, soon());
    expect(await reasonOf(5, userOf(0, 'h'))).toBe('SOLD_OUT');
  });
});
