import { describe, expect, test } from 'vitest';
import { type CouponState, encodeCouponValue } from '../domain/coupon.ts';
import { encodePointsEntry, type PointsEntryType } from '../domain/points-entry.ts';
import { EVENT_KINDS, type EventKind, type LedgerEvent, type Write } from '../ledger/event-format.ts';
import { happeningsOf } from './happening.ts';

const field = Buffer.alloc(16, 7);

function coupon(state: CouponState): Write {
  const value = encodeCouponValue({
    state,
    source: 'claim',
    hidden: false,
    promotionRef: 4,
    promotionVersion: 1,
    issuedAtMs: 5,
    validFromMs: 5,
  });
  return { target: 'wallet', id: 'u1', fields: [{ field, value: Buffer.from(value) }] };
}

function points(type: PointsEntryType, amount: number): Write {
  const entry = {
    number: 1,
    points: amount,
    balanceAfter: 9,
    type,
    reason: '',
    referenceType: '',
    referenceId: '',
  };
  const value = Buffer.from(encodePointsEntry({ ...entry, atMs: 1 }));
  return { target: 'account', id: 'u1', fields: [{ field: Buffer.from('t'), value }] };
}

const order: Write = { target: 'order', id: 'u1/o1', fields: [] };
const kindsOf = (event: LedgerEvent) => happeningsOf(event).map(({ kind }) => kind);

// SPEC L12
describe('what an event of the ledger tells', () => {
  test.each<[EventKind, CouponState, string[]]>([
    ['claimed', 'unused', ['claimed']],
    ['code_claimed', 'unused', ['claimed']],
    ['granted', 'unused', ['issued']],
    ['exchanged', 'unused', ['issued']],
    ['event_granted', 'unused', ['issued']],
    ['reserved', 'reserved', ['reserved']],
    ['committed', 'used', ['used']],
    ['used', 'used', ['used']],
    ['released', 'unused', ['released']],
    ['lapsed', 'unused', ['released']],
    ['returned', 'unused', ['returned']],
    ['returned', 'expired', ['returned']],
    ['refunded', 'unused', ['returned']],
    ['refunded', 'used', []],
    ['revoked', 'revoked', ['revoked']],
    ['hidden', 'used', []],
    ['erased', 'revoked', []],
    ['retired', 'used', []],
    ['order_noted', 'used', []],
  ])('%s of a coupon that is %s then', (kind, state, told) => {
    expect(kindsOf({ kind, writes: [coupon(state), order] })).toEqual(told);
  });

  test.each<[PointsEntryType, number, string]>([
    ['earn', 5, 'points_earned'],
    ['award', 5, 'points_earned'],
    ['return', 5, 'points_earned'],
    ['spend', -5, 'points_spent'],
    ['reverse', -5, 'points_reversed'],
    ['expire', -5, 'points_expired'],
  ])('points: %s', (type, amount, told) => {
    expect(happeningsOf({ kind: 'points_earned', writes: [points(type, amount)] })).toEqual([
      { kind: told, userId: 'u1', points: amount, balanceAfter: 9 },
    ]);
  });

  test('an exchange tells of the coupon and of the points', () => {
    const event: LedgerEvent = { kind: 'exchanged', writes: [coupon('unused'), points('spend', -100)] };
    expect(kindsOf(event)).toEqual(['issued', 'points_spent']);
  });

  test('of what is damaged nothing is told, of the rest everything', () => {
    const damaged: Write = { target: 'wallet', id: 'u1', fields: [{ field, value: Buffer.alloc(30) }] };
    const gone: Write = { target: 'wallet', id: 'u1', fields: [{ field, value: undefined }] };
    for (const kind of EVENT_KINDS) expect(kindsOf({ kind, writes: [damaged, gone, order] })).toEqual([]);
    expect(kindsOf({ kind: 'claimed', writes: [damaged, coupon('unused')] })).toEqual(['claimed']);
  });
});
