/**
 * Puts the sources of the feed in order. All that is told of a user is in the log of one partition, and in notices: a notice
 * comes right after the entry of that log which was the newest when it was written. Notices come in the order of their
 * numbers, because a place in the feed has one number for all of them.
 */
import { decodeStreamEntry } from '../archive/decoded-entry.ts';
import type { StreamEntry } from '../archive/ledger-port.ts';
import { type FeedPosition, type LogPlace, WHOLE_ENTRY, withPlace } from './cursor.ts';
import { type Happening, happeningsOf } from './happening.ts';

/** A notice of a job, as Postgres has it. */
export interface NoticeRow {
  readonly id: string;
  readonly coupon_id: Buffer;
  readonly kind: 'expiring' | 'expired';
  readonly user_id: string;
  readonly promotion_ref: number;
  readonly expires_at: Date;
  readonly noted_at: Date;
  readonly log_seq: string;
}

/** An event of the feed whose promotion has only its number so far. */
export interface RawItem extends Happening {
  readonly position: FeedPosition;
  readonly eventId: string;
  readonly occurredAtMs: number;
}

/** Entries of one log in their order. */
export interface LogEntries {
  readonly entries: readonly StreamEntry[];
  /** There are no more for now. */
  readonly isLast: boolean;
}

/** What is put in order. */
export interface MergeSources {
  readonly after: FeedPosition;
  /** Nothing after this place. */
  readonly until: FeedPosition | undefined;
  /** The log that tells of a user. */
  logOf(userId: string): number;
  readonly logs: readonly LogEntries[];
}

/** One page; take the notices first and then the rest. */
export class FeedMerge {
  readonly items: RawItem[] = [];
  position: FeedPosition;
  private readonly sources: MergeSources;
  /** By log, how many of its entries were taken. */
  private readonly taken: number[];
  private left = 0;

  constructor(sources: MergeSources) {
    this.sources = sources;
    this.position = sources.after;
    this.taken = sources.logs.map(() => 0);
  }

  /** Notices that have to wait for entries of a later page. */
  get noticesLeft(): number {
    return this.left;
  }

  /** Nothing is left of any source. */
  get isThrough(): boolean {
    const { logs } = this.sources;
    return (
      this.left === 0 &&
      logs.every(({ entries, isLast }, log) => isLast && this.taken[log] === entries.length)
    );
  }

  /** Takes notices, and the entries before them. */
  takeNotices(notices: readonly NoticeRow[]): void {
    const { until, logOf } = this.sources;
    for (const [index, notice] of notices.entries()) {
      if (until !== undefined && Number(notice.id) > until.notice) return;
      const log = logOf(notice.user_id);
      if (!this.takeThrough(log, Number(notice.log_seq))) {
        this.left = notices.length - index;
        return;
      }
      this.position = { ...this.position, notice: Number(notice.id) };
      this.items.push(noticeItem(notice, this.position));
    }
  }

  /** Takes all entries that are left. */
  takeRest(): void {
    for (const log of this.sources.logs.keys()) this.takeThrough(log, Number.POSITIVE_INFINITY);
  }

  /** Takes the entries of a log up to number `seq`; false when some of them are not in this page. */
  private takeThrough(log: number, seq: number): boolean {
    const { entries = [], isLast = true } = this.sources.logs[log] ?? {};
    for (;;) {
      const next = entries[this.taken[log] ?? 0];
      if (next === undefined) return isLast || (this.position.logs[log]?.seq ?? -1) >= seq;
      if (next.seq > seq) return true;
      this.takeEntry(log, next);
      this.taken[log] = (this.taken[log] ?? 0) + 1;
    }
  }

  private takeEntry(log: number, entry: StreamEntry): void {
    const end = this.sources.until?.logs[log];
    if (end !== undefined && entry.seq > end.seq) return;
    const decoded = decodeStreamEntry(entry);
    const events = decoded.kind === 'read' ? decoded.entry.events : [];
    const occurredAtMs = decoded.kind === 'read' ? decoded.entry.timeMs : 0;
    for (const [index, event] of events.entries()) {
      for (const [part, happening] of happeningsOf(event).entries())
        this.take(log, { seq: entry.seq, index, part }, happening, occurredAtMs);
    }
    const isCut = end?.seq === entry.seq && end.index !== WHOLE_ENTRY;
    if (!isCut)
      this.position = withPlace(this.position, log, { seq: entry.seq, index: WHOLE_ENTRY, part: 0 });
  }

  private take(log: number, place: LogPlace, happening: Happening, occurredAtMs: number): void {
    const { after, until } = this.sources;
    if (!isAfter(place, after.logs[log]) || isAfter(place, until?.logs[log] ?? place)) return;
    this.position = withPlace(this.position, log, place);
    const { generation } = this.position;
    const eventId = `${historyOf(generation, log)}-${place.seq}-${place.index}-${place.part}`;
    this.items.push({ ...happening, position: this.position, eventId, occurredAtMs });
  }
}

/** The name of a log in event ids; the first one is named by its generation alone. */
function historyOf(generation: number, log: number): string {
  return log === 0 ? String(generation) : `${generation}.${log}`;
}

/** Is the one place of the log after the other? */
function isAfter(one: LogPlace, other: LogPlace | undefined): boolean {
  if (other === undefined) return true;
  if (one.seq !== other.seq) return one.seq > other.seq;
  if (one.index !== other.index) return one.index > other.index;
  return one.part > other.part;
}

function noticeItem(row: NoticeRow, position: FeedPosition): RawItem {
  const at = row.kind === 'expired' ? row.expires_at : row.noted_at;
  return {
    kind: row.kind,
    userId: row.user_id,
    couponId: row.coupon_id.toString('hex'),
    promotionRef: row.promotion_ref,
    position,
    eventId: `n-${row.id}`,
    occurredAtMs: at.getTime(),
  };
}
