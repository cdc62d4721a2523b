import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type OrderPoints, pointsToReverse } from './points-order.ts';
import { pointsFor } from './points-rate.ts';

// SPEC T1
describe('points for money', () => {
  test.each([
    [19_999, 'CNY', '1', 199],
    [99, 'CNY', '1', 0],
    [100, 'CNY', '1', 1],
    [12_345, 'JPY', '0.01', 123],
    [9_999, 'KWD', '1', 9],
    [10_000, 'CNY', '1.5', 150],
    [333, 'CNY', '0.3', 0],
    [334, 'CNY', '0.3', 1],
    [10_000, 'CNY', '0', 0],
    [Number.MAX_SAFE_INTEGER, 'JPY', '1', Number.MAX_SAFE_INTEGER],
    [Number.MAX_SAFE_INTEGER, 'JPY', '2', Number.MAX_SAFE_INTEGER],
  ])('%d minor units of %s at %s are %d', (paidMinor, currency, rate, points) => {
    expect(pointsFor(paidMinor, currency, rate)).toBe(points);
  });

  test.each(['', '-1', '1e3', '.5', '1.', '1.0000001', '1234567'])('"%s" is no rate', (rate) => {
    expect(() => pointsFor(100, 'CNY', rate)).toThrow(RangeError);
  });
});

// SPEC T5
describe('points to take back', () => {
  const order = (changes: Partial<OrderPoints>): OrderPoints => ({
    paidMinor: 19_999,
    currency: 'CNY',
    rate: '1',
    earned: 199,
    bonus: 20,
    reversed: 0,
    lot: 202611,
    ...changes,
  });

  test.each([
    ['nothing went back', {}, 19_999, false, 0],
    ['a part went back', {}, 10_050, false, 99],
    ['the same part went back before', { reversed: 99 }, 10_050, false, 0],
    ['more went back later', { reversed: 99 }, 5_000, false, 50],
    ['all money went back, goods are left', {}, 0, false, 199],
    ['everything went back', {}, 0, true, 219],
    ['everything went back after a part', { reversed: 99 }, 0, true, 120],
    ['everything went back twice', { reversed: 219 }, 0, true, 0],
    ['more than was paid remains', {}, 30_000, false, 0],
    ['the order was refunded in part before it was completed', { earned: 100 }, 10_050, false, 0],
  ])('when %s', (_title, changes, remaining, isWhollyBack, points) => {
    expect(pointsToReverse(order(changes), remaining, isWhollyBack)).toBe(points);
  });

  test('leave in every order of refunds the whole part of what remains × rate', () => {
    const rate = fc.constantFrom('1', '0.3', '1.5', '0.01');
    fc.assert(
      fc.property(fc.nat(1_000_000), rate, fc.array(fc.nat(1_000_000)), (paidMinor, of, refunds) => {
        let state = order({ paidMinor, rate: of, earned: pointsFor(paidMinor, 'CNY', of), bonus: 0 });
        let remaining = paidMinor;
        for (const refund of refunds) {
          remaining = Math.max(0, remaining - refund);
          state = { ...state, reversed: state.reversed + pointsToReverse(state, remaining, remaining === 0) };
          expect(state.earned - state.reversed).toBe(pointsFor(remaining, 'CNY', of));
        }
      }),
    );
  });
});
