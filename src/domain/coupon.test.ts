import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CorruptCouponError,
  type CouponValue,
  couponIdIn,
  couponIdOf,
  decodeCouponValue,
  encodeCouponValue,
  parseCouponId,
  stateAt,
} from './coupon.ts';

const instant = fc.integer({ min: 1, max: 2 ** 48 - 1 });
const coupons: fc.Arbitrary<CouponValue> = fc.record(
  {
    state: fc.constantFrom('unused', 'reserved', 'used', 'expired', 'revoked'),
    source: fc.constantFrom('system', 'claim', 'points', 'referral', 'activity', 'code', 'staff'),
    hidden: fc.boolean(),
    promotionRef: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    promotionVersion: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    issuedAtMs: instant,
    validFromMs: instant,
    expiresAtMs: instant,
  },
  {
    requiredKeys: [
      'state',
      'source',
      'hidden',
      'promotionRef',
      'promotionVersion',
      'issuedAtMs',
      'validFromMs',
    ],
  },
);

describe('a stored coupon', () => {
  it('reads back what was written', () => {
    fc.assert(
      fc.property(coupons, (coupon) => {
        expect(decodeCouponValue(encodeCouponValue(coupon))).toEqual(coupon);
      }),
    );
  });

  it('is never guessed from other bytes', () => {
    const good = encodeCouponValue({
      state: 'unused',
      source: 'claim',
      hidden: false,
      promotionRef: 1,
      promotionVersion: 1,
      issuedAtMs: 1,
      validFromMs: 1,
    });
    const changed = (offset: number, byte: number): Uint8Array =>
      good.map((old, at) => (at === offset ? byte : old));
    for (const bytes of [good.subarray(1), changed(0, 2), changed(1, 0), changed(1, 9), changed(2, 99)]) {
      expect(() => decodeCouponValue(bytes)).toThrow(CorruptCouponError);
    }
  });
});

describe('expiry is a function of time (SPEC L8, P6)', () => {
  const coupon: CouponValue = {
    state: 'unused',
    source: 'claim',
    hidden: false,
    promotionRef: 1,
    promotionVersion: 1,
    issuedAtMs: 1_000,
    validFromMs: 1_000,
    expiresAtMs: 2_000,
  };

  it('the end instant is still valid, the next one is not', () => {
    expect(stateAt(coupon, 2_000)).toBe('unused');
    expect(stateAt(coupon, 2_001)).toBe('expired');
  });

  it('only an unused coupon expires', () => {
    expect(stateAt({ ...coupon, state: 'reserved' }, 9_000)).toBe('reserved');
    expect(stateAt({ ...coupon, state: 'used' }, 9_000)).toBe('used');
  });
});

describe('a coupon id', () => {
  it('is its issue time and its field, and sorts by time', () => {
    const field = 'ab'.repeat(16);
    const id = couponIdOf(1_700_000_000_000, field);
    expect(id).toHaveLength(44);
    expect(parseCouponId(id)).toEqual({ issuedAtMs: 1_700_000_000_000, fieldHex: field });
    expect(couponIdOf(1_700_000_000_001, '00'.repeat(16)) > id).toBe(true);
  });

  it('is the same when it is made from a wallet, wherever that stands', () => {
    fc.assert(
      fc.property(
        coupons,
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.uint8Array(),
        (one, field, before) => {
          const wallet = Buffer.concat([before, field, encodeCouponValue(one)]);
          const id = couponIdOf(one.issuedAtMs, Buffer.from(field).toString('hex'));
          expect(couponIdIn(wallet, before.length, before.length + 16)).toBe(id);
        },
      ),
    );
  });

  it.each(['', 'abc', 'G'.repeat(44), `${'ab'.repeat(22)}a`, 'AB'.repeat(22)])('is not %j', (text) => {
    expect(parseCouponId(text)).toBeUndefined();
  });
});
