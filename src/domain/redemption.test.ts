import { describe, expect, test } from 'vitest';
import { decodePointsEntry, encodePointsEntry, type PointsEntry } from './points-entry.ts';
import { CorruptRecordError } from './record-json.ts';
import { decodeRedemption, encodeRedemption, REDEMPTION_OFFSETS, type Redemption } from './redemption.ts';
import { writeUint48 } from './uint48.ts';

const redemption: Redemption = {
  state: 'committed',
  reservationId: 'res-1',
  requestId: 'r1',
  digest: 'abcd',
  requests: { c1: 'committed' },
  orderNumber: 'No. 7 – ½',
  currency: 'EUR',
  reservedAtMs: 1_793_000_000_000,
  dueAtMs: 1_793_000_900_000,
  committedAtMs: 0,
  itemsMinor: 1_000,
  shippingMinor: 400,
  itemsDiscountMinor: 100,
  shippingDiscountMinor: 0,
  payableMinor: 1_300,
  refundedMinor: 0,
  shippingRefundedMinor: 0,
  bonusPoints: 3,
  gifts: [{ itemId: 'g', quantity: 1 }],
  ruleSetVersion: 9,
  coupons: [{ couponId: 'ab', promotionRef: 1, promotionVersion: 2, discountMinor: 100, returned: false }],
  promotions: [
    {
      promotionId: 'p',
      promotionRef: 1,
      promotionVersion: 2,
      couponId: 'ab',
      discountMinor: 100,
      periods: ['d20261122'],
      givenBack: false,
    },
  ],
  lines: [
    {
      lineId: 'l1',
      itemId: 'i',
      quantity: 2,
      unitPriceMinor: 500,
      payableMinor: 900,
      returnedQuantity: 0,
      refundedMinor: 0,
    },
  ],
};

const entry: PointsEntry = {
  number: 4,
  points: -30,
  balanceAfter: 20,
  type: 'spend',
  reason: 'exchange',
  referenceType: 'coupon',
  referenceId: 'ab',
  atMs: 1_793_000_000_000,
};

function changed(bytes: Uint8Array, from: string, to: string): Uint8Array {
  return Buffer.from(Buffer.from(bytes).toString('latin1').replace(from, to), 'latin1');
}

describe('a redemption', () => {
  test('reads back what was written', () => {
    expect(decodeRedemption(encodeRedemption(redemption))).toEqual(redemption);
    const ended = { ...redemption, state: 'returned' as const, endedAtMs: 5 };
    expect(decodeRedemption(encodeRedemption(ended))).toEqual(ended);
  });

  test('takes the moments the ledger writes into it', () => {
    const bytes = encodeRedemption(redemption);
    writeUint48(new DataView(bytes.buffer), REDEMPTION_OFFSETS.committedAt, 77);
    expect(decodeRedemption(bytes)).toEqual({ ...redemption, committedAtMs: 77 });
  });

  test.each([
    ['"v":1', '"v":2'],
    ['"state":"committed"', '"state":"lost"'],
    ['"payableMinor":1300', '"payableMinor":-1'],
    ['"payableMinor":1300', '"payableMinor":1.5'],
    ['"returned":false', '"returned":0'],
    ['"periods":["d20261122"]', '"periods":[1]'],
    ['"requests":{"c1":"committed"}', '"requests":[]'],
    ['"lines":[', '"rows":['],
  ])('damaged from %s to %s is corrupt', (from, to) => {
    expect(() => decodeRedemption(changed(encodeRedemption(redemption), from, to))).toThrow(
      CorruptRecordError,
    );
  });

  test('cut short anywhere is corrupt', () => {
    const bytes = encodeRedemption(redemption);
    for (const length of [0, 5, 17, 18, 40, bytes.length - 1]) {
      expect(() => decodeRedemption(bytes.subarray(0, length))).toThrow(CorruptRecordError);
    }
  });
});

describe('a points transaction', () => {
  test('reads back what was written', () => {
    expect(decodePointsEntry(encodePointsEntry(entry))).toEqual(entry);
  });

  test.each([
    ['"balanceAfter":20', '"balanceAfter":-20'],
    ['"type":"spend"', '"type":"gain"'],
    ['"reason":"exchange"', '"reason":null'],
  ])('damaged from %s to %s is corrupt', (from, to) => {
    expect(() => decodePointsEntry(changed(encodePointsEntry(entry), from, to))).toThrow(CorruptRecordError);
  });
});
