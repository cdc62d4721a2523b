import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  availablePoints,
  decodePointsState,
  earn,
  encodePointsState,
  expire,
  giveBack,
  LOTS_KEPT,
  NO_POINTS,
  type PointsChange,
  type PointsLot,
  type PointsState,
  reverse,
  spend,
} from './points.ts';
import { CorruptRecordError } from './record-json.ts';

const month = fc
  .integer({ min: 0, max: 119 })
  .map((count) => (2020 + Math.floor(count / 12)) * 100 + (count % 12) + 1);
const amount = fc.integer({ min: 0, max: 500 });

/** One thing that may happen; `back` gives back the spending with this place, counted round. */
const happening = fc.oneof(
  fc.record({ kind: fc.constant('earn' as const), points: amount, month }),
  fc.record({ kind: fc.constant('spend' as const), points: amount }),
  fc.record({ kind: fc.constant('back' as const), place: fc.nat() }),
  fc.record({ kind: fc.constant('reverse' as const), points: amount, month }),
  fc.record({ kind: fc.constant('expire' as const), month }),
);
type Happening = typeof happening extends fc.Arbitrary<infer Value> ? Value : never;

class Life {
  state: PointsState = NO_POINTS;
  sum = 0;
  readonly spendings: (readonly PointsLot[])[] = [];

  go(what: Happening): PointsChange | undefined {
    const change = this.changeBy(what);
    if (change === undefined) return undefined;
    this.state = change.state;
    this.sum += change.points;
    return change;
  }

  private changeBy(what: Happening): PointsChange | undefined {
    switch (what.kind) {
      case 'earn':
        return earn(this.state, what.points, what.month);
      case 'reverse':
        return reverse(this.state, what.points, what.month);
      case 'expire':
        return expire(this.state, what.month);
      case 'spend': {
        const spent = spend(this.state, what.points);
        if (spent !== undefined) this.spendings.push(spent.lots);
        return spent;
      }
      case 'back': {
        const [lots] = this.spendings.splice(what.place % Math.max(1, this.spendings.length), 1);
        return lots && giveBack(this.state, lots);
      }
    }
  }
}

const lives = fc.array(happening, { maxLength: 200 });

describe('points', () => {
  test('are what all transactions sum to, and never below zero (SPEC T4)', () => {
    fc.assert(
      fc.property(lives, (happenings) => {
        const life = new Life();
        for (const what of happenings) {
          const before = life.state;
          const change = life.go(what);
          expect(availablePoints(life.state)).toBe(life.sum);
          expect(life.sum).toBeGreaterThanOrEqual(0);
          expect(life.state.debt).toBeGreaterThanOrEqual(0);
          expect(life.state.number).toBe(before.number + (change === undefined ? 0 : 1));
          expect(change?.debt ?? 0).toBe(life.state.debt - before.debt);
        }
      }),
    );
  });

  test('lie in at most 64 lots, sorted, none of them empty (SPEC T5)', () => {
    fc.assert(
      fc.property(lives, (happenings) => {
        const life = new Life();
        for (const what of happenings) life.go(what);
        const { lots } = life.state;
        expect(lots.length).toBeLessThanOrEqual(LOTS_KEPT);
        expect(lots.every(({ points }) => points > 0)).toBe(true);
        expect(lots.map((lot) => lot.month)).toEqual(
          [...new Set(lots.map((lot) => lot.month))].toSorted((a, b) => a - b),
        );
      }),
    );
  });

  test('are owed only after a reversal, and by nobody who has any (SPEC T5)', () => {
    fc.assert(
      fc.property(lives, (happenings) => {
        const life = new Life();
        for (const what of happenings) {
          const change = life.go(what);
          if (what.kind !== 'reverse') expect(change?.debt ?? 0).toBeLessThanOrEqual(0);
          if (life.state.debt > 0) expect(availablePoints(life.state)).toBe(0);
        }
      }),
    );
  });

  test('go back to the lots they came from (SPEC T5)', () => {
    fc.assert(
      fc.property(lives, amount, (happenings, points) => {
        const life = new Life();
        for (const what of happenings) life.go(what);
        const spent = spend(life.state, points);
        fc.pre(spent !== undefined);
        const back = giveBack(spent.state, spent.lots);
        expect(back.state.lots).toEqual(life.state.lots);
        expect(back.points).toBe(points);
      }),
    );
  });

  test('are stored without loss', () => {
    fc.assert(
      fc.property(lives, (happenings) => {
        const life = new Life();
        for (const what of happenings) life.go(what);
        expect(decodePointsState(encodePointsState(life.state))).toEqual(life.state);
      }),
    );
  });

  test('are spent the oldest first (SPEC T5)', () => {
    const { state } = earn(earn(NO_POINTS, 30, 202611).state, 20, 202610);
    expect(spend(state, 25)?.lots).toEqual([
      { month: 202610, points: 20 },
      { month: 202611, points: 5 },
    ]);
    expect(spend(state, 51)).toBeUndefined();
  });

  test('are taken back from their own month first, then the oldest, and the rest is owed (SPEC T5)', () => {
    let state = NO_POINTS;
    for (const lot of [202609, 202610, 202611]) state = earn(state, 10, lot).state;
    const taken = reverse(state, 15, 202610);
    expect(taken.state.lots).toEqual([
      { month: 202609, points: 5 },
      { month: 202611, points: 10 },
    ]);
    const rest = reverse(taken.state, 20, 202610);
    expect(rest).toMatchObject({ points: -15, debt: 5, state: { debt: 5, lots: [] } });
    expect(earn(rest.state, 12, 202612)).toMatchObject({
      points: 7,
      debt: -5,
      state: { earned: 42, debt: 0, lots: [{ month: 202612, points: 7 }] },
    });
  });

  test('beyond 64 months are those of the two oldest together, with the later date', () => {
    let state = NO_POINTS;
    for (let count = 0; count <= LOTS_KEPT; count += 1) {
      state = earn(state, 1, (2020 + Math.floor(count / 12)) * 100 + (count % 12) + 1).state;
    }
    expect(state.lots).toHaveLength(LOTS_KEPT);
    expect(state.lots[0]).toEqual({ month: 202002, points: 2 });
  });

  test('stop at the largest number that is exact', () => {
    const { state } = earn(NO_POINTS, Number.MAX_SAFE_INTEGER - 1, 202611);
    expect(earn(state, 5, 202611)).toMatchObject({ points: 1, state: { earned: Number.MAX_SAFE_INTEGER } });
  });

  test.each(['', '{}', '{"v":2}', '{"v":1,"number":1,"earned":1,"debt":0,"lots":[[202611]]}', '[]'])(
    'that are stored as %j are damage, and told as such',
    (text) => {
      expect(() => decodePointsState(Buffer.from(text))).toThrow(CorruptRecordError);
    },
  );
});
