// SPEC R14, SPEC P3
import { allocate, dinero, halfUp, multiply, toSnapshot, transformScale } from 'dinero.js/bigint';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  firstUnitsValue,
  floorMultiple,
  minorDigits,
  roundHalfUpShare,
  spread,
  spreadOver,
  sumAt,
  unitRuns,
} from './money.ts';

const MAX = Number.MAX_SAFE_INTEGER;
const WHOLE = { code: 'XXX', base: 10n, exponent: 0n } as const;

/** Small amounts, where ties are frequent, and amounts of any size. */
const amount = fc.oneof(fc.nat(20), fc.nat(1_000_000), fc.maxSafeNat());
const weights = fc
  .array(fc.oneof(fc.constant(0), fc.nat(20), fc.nat(1_000_000), fc.nat(2 ** 47)), {
    minLength: 1,
    maxLength: 40,
  })
  .filter((list) => list.some((weight) => weight > 0));
const sumOf = (list: readonly number[]): number => list.reduce((sum, each) => sum + each, 0);

/** A total that is at most the sum of the weights, as every discount is. */
const spreading = weights.chain((list) => fc.tuple(fc.nat({ max: sumOf(list) }), fc.constant(list)));

/** Largest remainder as it is defined, by sorting exact fractions. */
function sortedSpread(total: number, list: readonly number[]): number[] {
  const sum = BigInt(sumOf(list));
  const parts = list.map((weight, place) => {
    const product = BigInt(total) * BigInt(weight);
    return { place, share: product / sum, rest: product % sum };
  });
  let missing = BigInt(total) - parts.reduce((shares, { share }) => shares + share, 0n);
  for (const part of parts.toSorted(
    (one, other) => Number(other.rest - one.rest) || one.place - other.place,
  )) {
    if (missing === 0n) break;
    part.share += 1n;
    missing -= 1n;
  }
  return parts.map(({ share }) => Number(share));
}

describe('a share in basis points', () => {
  it.each([
    [1000, 1200, 120],
    [5, 1000, 1], // 0.5
    [4, 1000, 0], // 0.4
    [15, 1000, 2], // 1.5
    [25, 1000, 3], // 2.5: up, not to even
    [999, 3333, 333], // 332.9667
    [1, 5000, 1],
    [1, 4999, 0],
    [0, 10_000, 0],
    [MAX, 10_000, MAX],
    [MAX, 1, 900_719_925_474],
    [MAX, 5000, 4_503_599_627_370_496],
  ])('of %i at %i is %i', (base, basisPoints, share) => {
    expect(roundHalfUpShare(base, basisPoints)).toBe(share);
  });

  it('is exact and half up over the whole range, as dinero.js has it', () => {
    fc.assert(
      fc.property(amount, fc.integer({ min: 1, max: 10_000 }), (base, basisPoints) => {
        const product = multiply(dinero({ amount: BigInt(base), currency: WHOLE, scale: 0n }), {
          amount: BigInt(basisPoints),
          scale: 4n,
        });
        const rounded = toSnapshot(transformScale(product, 0n, halfUp)).amount;
        expect(roundHalfUpShare(base, basisPoints)).toBe(Number(rounded));
      }),
    );
  });

  it('never falls when the base rises, and rises by at most as much', () => {
    fc.assert(
      fc.property(fc.nat(MAX - 1), fc.integer({ min: 1, max: 10_000 }), (base, basisPoints) => {
        const step = roundHalfUpShare(base + 1, basisPoints) - roundHalfUpShare(base, basisPoints);
        expect([0, 1]).toContain(step);
      }),
    );
  });
});

describe('a spread', () => {
  it.each([
    [100, [1, 1, 1], [34, 33, 33]],
    [2, [1, 1, 1], [1, 1, 0]],
    [5, [10, 20, 70], [1, 1, 3]], // 0.5, 1.0 and 3.5: the tie goes to the first
    [1, [1, 99], [0, 1]],
    [7, [0, 3, 0, 3], [0, 4, 0, 3]],
    [0, [5, 5], [0, 0]],
    [10, [5, 5], [5, 5]],
    [3, [1, 1, 1], [1, 1, 1]],
    [0, [], []],
    [0, [0, 0], [0, 0]],
    [MAX - 1, [MAX - 1, 1], [MAX - 2, 1]],
    [
      4_503_599_627_370_496,
      [3_002_399_751_580_331, 3_002_399_751_580_330, 3_002_399_751_580_330],
      [1_501_199_875_790_166, 1_501_199_875_790_165, 1_501_199_875_790_165],
    ],
  ])('of %i over %j is %j', (total, list, shares) => {
    expect(spread(total, list)).toEqual(shares);
  });

  it('is the largest remainder method, ties by place, whatever the size of the amounts', () => {
    fc.assert(
      fc.property(spreading, ([total, list]) => {
        expect(spread(total, list)).toEqual(sortedSpread(total, list));
      }),
      { numRuns: 500 },
    );
  });

  it('sums exactly, gives nobody more than his weight and nothing to a zero weight', () => {
    fc.assert(
      fc.property(spreading, ([total, list]) => {
        const shares = spread(total, list);
        expect(sumOf(shares)).toBe(total);
        expect(shares.every((share, place) => share >= 0 && share <= (list[place] ?? 0))).toBe(true);
      }),
    );
  });

  it('over thousands of equal remainders serves the first places', () => {
    const shares = spread(
      4999,
      Array.from({ length: 5000 }, () => 1),
    );
    expect(shares).toEqual([...Array.from({ length: 4999 }, () => 1), 0]);
  });

  it('stays exact where remainders lie anything but evenly', () => {
    const list = Array.from({ length: 200 }, (_, place) => 2 ** (place % 40) + (place % 3));
    for (const total of [1, 7, 199, 12_345, sumOf(list) - 1]) {
      expect(spread(total, list)).toEqual(sortedSpread(total, list));
    }
  });

  it('reads and writes the given places only, and may write over its weights', () => {
    const values = Float64Array.of(50, 7, 0, 30, 9);
    spreadOver(9, 80, [0, 2, 3], values, values);
    expect([...values]).toEqual([6, 7, 0, 3, 9]); // 5.625 and 3.375
  });
});

/**
 * dinero.js also gives shares rounded down and then single units, but to the largest weights instead of the largest
 * remainders, and leaves the order of equal weights open.
 */
describe('a spread beside dinero.js', () => {
  const allocated = (total: number, list: readonly number[]): number[] =>
    allocate(dinero({ amount: BigInt(total), currency: WHOLE, scale: 0n }), list.map(BigInt)).map((part) =>
      Number(toSnapshot(part).amount),
    );

  it('differs in no share by more than one unit, and hands out as many units', () => {
    fc.assert(
      fc.property(spreading, ([total, list]) => {
        const [ours, theirs] = [spread(total, list), allocated(total, list)];
        expect(sumOf(ours)).toBe(sumOf(theirs));
        expect(ours.every((share, place) => Math.abs(share - (theirs[place] ?? 0)) <= 1)).toBe(true);
      }),
    );
  });

  it('is the same where nothing is left over', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 50 }),
        (list, part) => {
          fc.pre(sumOf(list) > 0);
          const scaled = list.map((weight) => weight * part);
          expect(spread(sumOf(list), scaled)).toEqual(allocated(sumOf(list), scaled));
        },
      ),
    );
  });

  it('differs where the largest remainder is not of the largest weight', () => {
    expect(spread(5, [10, 20, 70])).toEqual([1, 1, 3]);
    expect(allocated(5, [10, 20, 70])).toEqual([0, 1, 4]);
  });
});

describe('units of a line', () => {
  const line = fc
    .tuple(
      fc.oneof(fc.nat(30), fc.maxSafeNat()),
      fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 1_000_000 })),
    )
    .chain(([left, quantity]) => fc.tuple(fc.constant(left), fc.constant(quantity), fc.nat(quantity)));

  it.each([
    [10, 3, [0, 4, 7, 10]],
    [11, 3, [0, 4, 8, 11]],
    [2, 3, [0, 1, 2, 2]],
    [0, 2, [0, 0, 0]],
    [MAX, 2, [0, 4_503_599_627_370_496, MAX]],
  ])('of which %i is left over %i units are worth, from the first on, %j', (left, quantity, values) => {
    expect(values.map((_, units) => firstUnitsValue(left, quantity, units))).toEqual(values);
  });

  it('are worth what an even spread gives to the first of them', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.integer({ min: 1, max: 30 }), fc.nat(30), (left, quantity, some) => {
        const units = Math.min(some, quantity);
        const even = spread(
          left % quantity,
          Array.from({ length: quantity }, () => 1),
        );
        const each = Math.floor(left / quantity);
        expect(firstUnitsValue(left, quantity, units)).toBe(sumOf(even.slice(0, units)) + units * each);
      }),
    );
  });

  it('are never worth more when less is left, and no step is larger than the step of what is left', () => {
    fc.assert(
      fc.property(line, ([left, quantity, units]) => {
        fc.pre(left < MAX);
        const step = firstUnitsValue(left + 1, quantity, units) - firstUnitsValue(left, quantity, units);
        expect([0, 1]).toContain(step);
      }),
    );
  });

  it('share a discount in runs that sum to it, the larger amounts first, none of zero', () => {
    fc.assert(
      fc.property(line, ([share, quantity]) => {
        const runs = unitRuns(share, quantity);
        expect(sumOf(runs.map(({ units, amountMinor }) => units * amountMinor))).toBe(share);
        expect(sumOf(runs.map(({ units }) => units))).toBeLessThanOrEqual(quantity);
        expect(runs.every(({ units, amountMinor }) => units > 0 && amountMinor > 0)).toBe(true);
      }),
    );
  });

  it.each([
    [
      10,
      3,
      [
        { units: 1, amountMinor: 4 },
        { units: 2, amountMinor: 3 },
      ],
    ],
    [9, 3, [{ units: 3, amountMinor: 3 }]],
    [2, 3, [{ units: 2, amountMinor: 1 }]],
    [0, 3, []],
  ])('share %i over %i as runs', (share, units, runs) => {
    expect(unitRuns(share, units)).toEqual(runs);
  });
});

describe('the range of amounts', () => {
  it('has multiples rounded down and held at its upper end', () => {
    expect(floorMultiple(12, 5000)).toBe(6);
    expect(floorMultiple(13, 5000)).toBe(6);
    expect(floorMultiple(99, 990_000)).toBe(9801);
    expect(floorMultiple(MAX, 990_000)).toBe(MAX);
  });

  it('has a sum of nothing that is plainly zero', () => {
    expect(sumAt([], Float64Array.of(1, 2))).toBe(0);
    expect(sumAt([0, 2], Float64Array.of(1, 2, 4))).toBe(5);
  });
});

describe('the minor unit', () => {
  it.each([
    ['JPY', 0],
    ['KRW', 0],
    ['VND', 0],
    ['CNY', 2],
    ['USD', 2],
    ['EUR', 2],
    ['KWD', 3],
    ['BHD', 3],
    ['CLF', 4],
    ['XTS', 2],
  ])('of %s has %i digits', (currency, digits) => {
    expect(minorDigits(currency)).toBe(digits);
  });

  it.each([
    ['HUF', 2],
    ['IDR', 2],
    ['IQD', 3],
  ])('of %s has the %i digits of ISO 4217, whatever the runtime displays', (currency, digits) => {
    expect(minorDigits(currency)).toBe(digits);
  });
});
