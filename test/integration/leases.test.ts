import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClaimRefusal } from '../../src/ledger/claim-operation.ts';
import { couponFieldHex } from '../../src/ledger/coupon-field.ts';
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
): Promise<boolean> {
  return new Promise((resolve) => {
    ledger.claim({
      promotionRef: ref,
      userId: user,
      fieldHex: couponFieldHex('claim', user, 'once'),
      deadlineMs: soon(),
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

  // LEDGER 10, I1, C4
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
