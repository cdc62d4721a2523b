/**
 * The points of one user, as a state that only these functions change: field `p` of the account's record in the ledger.
 *
 * Points lie in lots, one per month in which they were earned, so that they can expire by age and go back to where they
 * came from. What must be taken back and has been spent already is a debt, which the next points pay. So whoever has a
 * debt has no points, nobody ever has less than none, and the lots always sum to what all transactions together brought.
 */
import { CorruptRecordError, encodeRecordJson, RecordFields } from './record-json.ts';

/** Points that were earned in one month, as year × 100 + month. */
export interface PointsLot {
  readonly month: number;
  readonly points: number;
}

/** What a user has. */
export interface PointsState {
  /** Number of the last transaction; 0 = there was none. */
  readonly number: number;
  /** Points ever earned. */
  readonly earned: number;
  /** Points owed; more than 0 only while there are none. */
  readonly debt: number;
  /** The oldest month first, each month once, none empty. */
  readonly lots: readonly PointsLot[];
}

/** What one transaction made of a state. */
export interface PointsChange {
  readonly state: PointsState;
  /** Signed: by how much the points that can be spent have changed. */
  readonly points: number;
  /** Signed: by how much the debt has changed. */
  readonly debt: number;
}

/** A change that took points, and which lots gave them. */
export interface PointsSpent extends PointsChange {
  readonly lots: readonly PointsLot[];
}

/** Somebody without any. */
export const NO_POINTS: PointsState = { number: 0, earned: 0, debt: 0, lots: [] };

/**
 * Lots of one user. Beyond it the oldest two become one with the month of the younger: five years are told apart, and a
 * merge never makes points expire earlier.
 */
export const LOTS_KEPT = 64;

const VERSION = 1;

/** Points that can be spent. */
export function availablePoints({ lots }: PointsState): number {
  return sumOf(lots);
}

function sumOf(lots: readonly PointsLot[]): number {
  return lots.reduce((sum, { points }) => sum + points, 0);
}

/**
 * Points come in the month `month`; they pay the debt first. Nobody earns more than 2^53 − 1 in a life, so that every sum is
 * exact; what would go beyond is not given.
 */
export function earn(state: PointsState, points: number, month: number): PointsChange {
  const given = Math.min(points, Number.MAX_SAFE_INTEGER - state.earned);
  return receive({ ...state, earned: state.earned + given }, [{ month, points: given }]);
}

/** Points that were spent come back to the lots that gave them; they pay the debt first, the oldest ones before others. */
export function giveBack(state: PointsState, lots: readonly PointsLot[]): PointsChange {
  return receive(state, lots);
}

function receive(state: PointsState, lots: readonly PointsLot[]): PointsChange {
  const paid = Math.min(state.debt, sumOf(lots));
  const { left } = takeInOrder(lots, paid);
  const added = left.reduce(withLot, state.lots);
  return {
    state: { ...state, number: state.number + 1, debt: state.debt - paid, lots: added },
    points: sumOf(left),
    debt: 0 - paid,
  };
}

function withLot(lots: readonly PointsLot[], { month, points }: PointsLot): readonly PointsLot[] {
  const same = lots.find((lot) => lot.month === month);
  const others = lots.filter((lot) => lot !== same);
  const merged = [...others, { month, points: points + (same?.points ?? 0) }];
  return bounded(merged.toSorted((left, right) => left.month - right.month));
}

function bounded(lots: readonly PointsLot[]): readonly PointsLot[] {
  const [oldest, next, ...rest] = lots;
  if (lots.length <= LOTS_KEPT || oldest === undefined || next === undefined) return lots;
  return [{ month: next.month, points: oldest.points + next.points }, ...rest];
}

/** Spends points, the oldest first. Undefined when there are too few. */
export function spend(state: PointsState, points: number): PointsSpent | undefined {
  if (availablePoints(state) < points) return undefined;
  const { left, taken } = takeInOrder(state.lots, points);
  return {
    state: { ...state, number: state.number + 1, lots: left },
    points: 0 - points,
    debt: 0,
    lots: taken,
  };
}

/**
 * Takes points back that were earned in `month`: from what is left of that month, then from the oldest. What is not there
 * has been spent and becomes debt.
 */
export function reverse(state: PointsState, points: number, month: number): PointsChange {
  const own = state.lots.filter((lot) => lot.month === month);
  const others = state.lots.filter((lot) => lot.month !== month);
  const { left, taken } = takeInOrder([...own, ...others], points);
  // Subtracted from zero, because a minus in front would make a negative zero of nothing.
  const got = sumOf(taken);
  const lots = left.toSorted((one, other) => one.month - other.month);
  const debt = points - got;
  return {
    state: { ...state, number: state.number + 1, debt: state.debt + debt, lots },
    points: 0 - got,
    debt,
  };
}

/** Ends the lots of the months before `firstMonth`. Undefined when there are none. */
export function expire(state: PointsState, firstMonth: number): PointsChange | undefined {
  const old = state.lots.filter(({ month }) => month < firstMonth);
  if (old.length === 0) return undefined;
  const lots = state.lots.filter(({ month }) => month >= firstMonth);
  return { state: { ...state, number: state.number + 1, lots }, points: -sumOf(old), debt: 0 };
}

/** So many points out of lots in the order given, as far as they go; emptied lots are gone from what is left. */
function takeInOrder(lots: readonly PointsLot[], points: number): { left: PointsLot[]; taken: PointsLot[] } {
  const left: PointsLot[] = [];
  const taken: PointsLot[] = [];
  let missing = points;
  for (const lot of lots) {
    const part = Math.min(missing, lot.points);
    missing -= part;
    if (part > 0) taken.push({ month: lot.month, points: part });
    if (part < lot.points) left.push({ month: lot.month, points: lot.points - part });
  }
  return { left, taken };
}

/** The bytes of field `p`. */
export function encodePointsState({ lots, ...rest }: PointsState): Uint8Array {
  return encodeRecordJson(VERSION, { ...rest, lots: encodeLots(lots) });
}

/** Reads field `p`. Throws {@link CorruptRecordError} when the bytes are no such state. */
export function decodePointsState(bytes: Uint8Array): PointsState {
  const fields = RecordFields.decode(bytes, VERSION);
  return {
    number: fields.whole('number'),
    earned: fields.whole('earned'),
    debt: fields.whole('debt'),
    lots: decodeLots(fields),
  };
}

/** Lots as records hold them: pairs of month and points. */
export function encodeLots(lots: readonly PointsLot[]): readonly (readonly [number, number])[] {
  return lots.map(({ month, points }) => [month, points]);
}

/** Reads the field `lots`. Throws {@link CorruptRecordError} when it holds something else. */
export function decodeLots(fields: RecordFields): PointsLot[] {
  return fields.list('lots').map((pair) => {
    const [month, points]: readonly unknown[] = Array.isArray(pair) ? pair : [];
    if (!isCount(month) || !isCount(points)) throw new CorruptRecordError('lots holds something else');
    return { month, points };
  });
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
