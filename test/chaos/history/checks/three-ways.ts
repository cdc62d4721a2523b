/** I6: every record is the same in Redis, in the fold of the log and in Postgres, field by field. */
import type { LedgerState, PartitionState, Records } from '../state/ledger-state.ts';
import type { World } from '../state/replay.ts';
import type { Findings } from '../violation.ts';

const COUPON_FIELD_LENGTH = 16;
const NOTHING: ReadonlyMap<string, string> = new Map();

function shown(text: string | undefined): string {
  if (text === undefined) return 'nothing';
  return /^[\x20-\x7e]{0,40}$/.test(text)
    ? `"${text}"`
    : `0x${Buffer.from(text, 'latin1').toString('hex').slice(0, 60)}`;
}

/** Compares one partition when nothing moves; of a generation that was replaced there is nothing to compare. */
export function checkThreeWays(findings: Findings, state: PartitionState, world: World): void {
  const { redis, archived } = state;
  if (redis !== undefined) {
    compareRecords(findings, 'redis-differs', 'Redis', redis.records, livePart(world.records), world.isWhole);
    // Without the start of the log Redis alone knows whole records, so Postgres is held to it.
    const expected = world.isWhole ? world.records : redis.records;
    compareRecords(findings, 'postgres-differs', 'Postgres', archived, archivedPart(expected), true);
  } else
    compareRecords(
      findings,
      'postgres-differs',
      'Postgres',
      archived,
      archivedPart(world.records),
      world.isWhole,
    );
}

/** Postgres does not keep when orders are due, which follows from the orders. */
function archivedPart(records: Records): Records {
  return new Map([...records].filter(([name]) => !name.startsWith('due:')));
}

/** The index of promotions is read by nobody but the scripts; Postgres has it, and a rebuild brings it back. */
function livePart(records: Records): Records {
  return new Map([...records].filter(([name]) => !name.startsWith('index:')));
}

function compareRecords(
  findings: Findings,
  kind: string,
  who: string,
  seen: Records,
  expected: Records,
  isWhole: boolean,
): void {
  for (const name of new Set([...expected.keys(), ...(isWhole ? seen.keys() : [])])) {
    findings.count('records compared');
    const [left, right] = [seen.get(name) ?? NOTHING, expected.get(name) ?? NOTHING];
    const fields = new Set([...right.keys(), ...(isWhole ? left.keys() : [])]);
    for (const field of fields) {
      if (left.get(field) === right.get(field)) continue;
      const text = `${who} has ${shown(left.get(field))} for ${shown(field)} of ${name}, the events say ${shown(right.get(field))}`;
      findings.breach('I6', kind, text);
    }
  }
}

/** The tables people query say what the records say: coupons, orders, points. */
export function checkTables(findings: Findings, state: LedgerState, books: Books): void {
  for (const { couponId, userId, state: told } of state.coupons) {
    const value = books.couponState(userId, couponId.slice(-2 * COUPON_FIELD_LENGTH));
    findings.count('table rows');
    if (value !== undefined && value !== told)
      findings.breach('I6', 'coupon-row', `Postgres lists coupon ${couponId} as ${told}, it is ${value}`);
  }
  const listed = new Set(state.redemptions.map(({ userId, orderId }) => `${userId}/${orderId}`));
  for (const row of state.redemptions) {
    const head = books.order(row.userId, row.orderId);
    findings.count('table rows');
    const agrees =
      head !== undefined &&
      head.state === row.state &&
      head.payableMinor === row.payableMinor &&
      head.refundedMinor === row.refundedMinor;
    if (agrees) continue;
    const text = `Postgres lists order ${row.orderId} of ${row.userId} as ${row.state}, ${row.refundedMinor} of ${row.payableMinor} given back; the events say ${head === undefined ? 'nothing' : `${head.state}, ${head.refundedMinor} of ${head.payableMinor}`}`;
    findings.breach('I6', 'order-row', text);
  }
  for (const name of books.orderNames()) {
    if (!listed.has(name)) findings.breach('I6', 'order-row', `Postgres does not list order ${name}`);
  }
  checkPointsTable(findings, state, books);
}

/** What the tables are held to. */
export interface Books {
  couponState(userId: string, fieldHex: string): string | undefined;
  order(
    userId: string,
    orderId: string,
  ): { readonly state: string; readonly payableMinor: number; readonly refundedMinor: number } | undefined;
  orderNames(): Iterable<string>;
  points(
    userId: string,
  ): readonly { readonly number: number; readonly points: number; readonly balanceAfter: number }[];
  pointsUsers(): Iterable<string>;
}

function checkPointsTable(findings: Findings, state: LedgerState, books: Books): void {
  const rows = Map.groupBy(state.points, ({ userId }) => userId);
  for (const userId of new Set([...rows.keys(), ...books.pointsUsers()])) {
    const line = (entry: { number: number; points: number; balanceAfter: number }): string =>
      `${entry.number}:${entry.points}=${entry.balanceAfter}`;
    const told = (rows.get(userId) ?? []).toSorted((a, b) => a.number - b.number).map(line);
    const expected = books.points(userId).map(line);
    findings.count('table rows', told.length);
    if (told.join() !== expected.join()) {
      const text = `Postgres lists points of ${userId} ${told.join(' ')}; the events say ${expected.join(' ')}`;
      findings.breach('I6', 'points-row', text.slice(0, 500));
    }
  }
}
