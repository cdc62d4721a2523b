import { type Sql, withDeadline } from '../database/client.ts';
import { COUPON_FIELD_BYTES, couponIdOf, decodeCouponValue } from '../domain/coupon.ts';
import type { EventKind, LedgerEvent } from '../ledger/event-format.ts';
import { decodeStreamEntry } from './decoded-entry.ts';
import { OF_PROMOTIONS, userOfEvent } from './fold.ts';
import type { PartitionId } from './ledger-port.ts';

/** Which events; an absent filter lets every one through. Times in ms since the epoch. */
export interface EventFilter {
  readonly promotionRef: number | undefined;
  readonly userId: string | undefined;
  /** Empty = every kind. */
  readonly kinds: ReadonlySet<EventKind>;
  readonly fromMs: number | undefined;
  readonly untilMs: number | undefined;
}

/** One event of the log. */
export interface ArchivedEvent {
  readonly seq: number;
  readonly eventIndex: number;
  readonly kind: EventKind;
  readonly timeMs: number;
  readonly userId: string;
  readonly promotionRef: number | undefined;
  readonly couponId: string;
}

/** An event's place; events below it in the stream come on later pages. */
export type EventPosition = readonly [seq: number, eventIndex: number];

/** A page, and where the next one begins; absent at the end of the log. A page may be short although more follows. */
export interface EventPage {
  readonly events: readonly ArchivedEvent[];
  readonly next: EventPosition | undefined;
  /** The time of the entry the next page begins with; 0 at the end of the log. */
  readonly reachedMs: number;
}

const PAGE_ENTRIES = 64;
/** Entries looked at for one page: a rare event must not cost a walk over the whole log in one call. */
const SCANNED_ENTRIES_MAX = 2_048;

/** Which log is looked through, and for what. */
export interface Scan {
  readonly sql: Sql;
  readonly id: PartitionId;
  readonly filter: EventFilter;
  readonly deadlineMs: number;
}

interface LogRecord {
  readonly seq: number;
  readonly timeMs: number;
  readonly payload: Buffer;
}

/** Events of the log, newest first. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
export async function findEvents(
  scan: Scan,
  page: { readonly below: EventPosition | undefined; readonly limit: number },
): Promise<EventPage> {
  const events: ArchivedEvent[] = [];
  let reachedMs = 0;
  let below = page.below ?? [await newestBefore(scan), Number.POSITIVE_INFINITY];
  for (let scanned = 0; scanned < SCANNED_ENTRIES_MAX; scanned += PAGE_ENTRIES) {
    const records = await readEntriesDown(scan, below[0]);
    for (const record of records) {
      if (record.timeMs < (scan.filter.fromMs ?? 0)) return { events, next: undefined, reachedMs: 0 };
      for (const event of matching(scan.filter, record, below)) {
        events.push(event);
        if (events.length === page.limit)
          return { events, next: [event.seq, event.eventIndex], reachedMs: event.timeMs };
      }
    }
    if (records.length < PAGE_ENTRIES) return { events, next: undefined, reachedMs: 0 };
    below = [records.at(-1)?.seq ?? 0, 0];
    reachedMs = records.at(-1)?.timeMs ?? 0;
  }
  return { events, next: below, reachedMs };
}

/** Number of the newest entry before the filter's end; times never run backwards along the log, so it is found by halving. */
async function newestBefore({ sql, id, filter, deadlineMs }: Scan): Promise<number> {
  const { generation, partition } = id;
  const ends = sql<{ first: string | null; last: string | null }[]>`
    SELECT min(seq) AS first, max(seq) AS last FROM event_log WHERE generation = ${generation} AND partition = ${partition}`;
  const [end] = await withDeadline(ends, deadlineMs);
  let before = Number(end?.first ?? 0) - 1;
  let newest = Number(end?.last ?? -1);
  const { untilMs } = filter;
  while (untilMs !== undefined && before < newest) {
    const middle = Math.ceil((before + newest) / 2);
    const rows = sql<{ entry_time: Date }[]>`
      SELECT entry_time FROM event_log
      WHERE generation = ${generation} AND partition = ${partition} AND seq >= ${middle} ORDER BY seq LIMIT 1`;
    const [row] = await withDeadline(rows, deadlineMs);
    if (row !== undefined && row.entry_time.getTime() < untilMs) before = middle;
    else newest = middle - 1;
  }
  return newest;
}

async function readEntriesDown({ sql, id, filter, deadlineMs }: Scan, seq: number): Promise<LogRecord[]> {
  const { generation, partition } = id;
  const ofUser =
    filter.userId === undefined ? sql`` : sql`AND seq IN (${entriesOfUser(sql, id, filter.userId)})`;
  const rows = sql<{ seq: string; entry_time: Date; payload: Buffer }[]>`
    SELECT seq, entry_time, payload FROM event_log
    WHERE generation = ${generation} AND partition = ${partition} AND seq <= ${seq} ${ofUser}
    ORDER BY seq DESC LIMIT ${PAGE_ENTRIES}`;
  const records = await withDeadline(rows, deadlineMs);
  return records.map((row) => ({
    seq: Number(row.seq),
    timeMs: row.entry_time.getTime(),
    payload: row.payload,
  }));
}

/**
 * Entries with an event of this user, by way of the user's rows; no walk over the log. Of the fields of the user's account
 * only the last change is known.
 */
function entriesOfUser(sql: Sql, { generation, partition }: PartitionId, userId: string) {
  const isHere = sql`generation = ${generation} AND partition = ${partition}`;
  return sql`
    SELECT issued_seq FROM coupon WHERE user_id = ${userId} AND ${isHere}
    UNION
    SELECT coupon_history.seq FROM coupon_history JOIN coupon USING (coupon_id)
    WHERE user_id = ${userId} AND coupon_history.generation = ${generation} AND coupon_history.partition = ${partition}
    UNION
    SELECT seq FROM redemption_history WHERE user_id = ${userId} AND ${isHere}
    UNION
    SELECT seq FROM points_entry WHERE user_id = ${userId} AND ${isHere}
    UNION
    SELECT seq FROM ledger_field WHERE ${isHere} AND target = 'account' AND id = ${userId}`;
}

/** The events of an entry that the filter lets through, newest first, below the position. */
function matching(filter: EventFilter, record: LogRecord, [seq, index]: EventPosition): ArchivedEvent[] {
  const decoded = decodeStreamEntry(record);
  if (decoded.kind === 'corrupt') return [];
  const found = decoded.entry.events.map((event, eventIndex) => archivedEvent(event, record, eventIndex));
  const below = found.filter((event) => event.seq !== seq || event.eventIndex < index);
  return below.filter((event) => passes(filter, event)).reverse();
}

function passes({ kinds, userId, promotionRef }: EventFilter, event: ArchivedEvent): boolean {
  if (kinds.size > 0 && !kinds.has(event.kind)) return false;
  if (userId !== undefined && event.userId !== userId) return false;
  return promotionRef === undefined || event.promotionRef === promotionRef;
}

function archivedEvent(event: LedgerEvent, { seq, timeMs }: LogRecord, eventIndex: number): ArchivedEvent {
  const promotion = event.writes.find(({ target }) => OF_PROMOTIONS.has(target));
  const coupon = firstCoupon(event);
  return {
    seq,
    eventIndex,
    kind: event.kind,
    timeMs,
    userId: userOfEvent(event) ?? '',
    promotionRef: promotion === undefined ? coupon?.promotionRef : Number(promotion.id),
    couponId: coupon?.couponId ?? '',
  };
}

/** The first coupon an event writes; an event with a coupon that cannot be read is listed without it. */
function firstCoupon(event: LedgerEvent): { couponId: string; promotionRef: number } | undefined {
  const wallets = event.writes.filter(({ target }) => target === 'wallet');
  const fields = wallets.flatMap((wallet) => wallet.fields);
  const coupon = fields.find(
    ({ field, value }) => field.length === COUPON_FIELD_BYTES && value !== undefined,
  );
  if (coupon?.value === undefined) return undefined;
  try {
    const { issuedAtMs, promotionRef } = decodeCouponValue(coupon.value);
    return { couponId: couponIdOf(issuedAtMs, coupon.field.toString('hex')), promotionRef };
  } catch {
    return undefined;
  }
}
