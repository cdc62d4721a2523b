/**
 * The outbound feed: what happened, read from the archived log in its order, with the notices of jobs in between. Whatever is
 * told of a user comes in the order in which it happened, and a place can be read again as often as one likes.
 */
import { LRUCache } from 'lru-cache';
import { decodeStreamEntry } from '../archive/decoded-entry.ts';
import type { PartitionId, StreamEntry } from '../archive/ledger-port.ts';
import { readLogPayloads } from '../archive/log-reader.ts';
import { readPromotionIds } from '../archive/queries.ts';
import { textArray } from '../database/array-literal.ts';
import { type Sql, withDeadline } from '../database/client.ts';
import { type FeedPosition, invalidCursor, WHOLE_ENTRY } from './cursor.ts';
import { type Happening, type HappeningKind, happeningsOf } from './happening.ts';
import { ENTRIES_PER_READ, NAMES_KEPT, NOTICES_PER_READ, READS_PER_BATCH } from './limits.ts';

/** One event of the feed. */
export interface FeedItem extends Happening {
  /** Its place; the feed goes on after it. */
  readonly position: FeedPosition;
  readonly eventId: string;
  /** By the ledger's clock, ms since the epoch. */
  readonly occurredAtMs: number;
  /** Public id of the promotion; empty when it is about none. */
  readonly promotionId: string;
}

/** Events in order, and the place up to which everything was looked at. */
export interface FeedBatch {
  readonly items: readonly FeedItem[];
  readonly position: FeedPosition;
}

/** Which events; every filter given must hold. */
export interface FeedFilter {
  /** Empty = every kind. */
  readonly kinds: ReadonlySet<HappeningKind>;
  readonly userId: string | undefined;
}

/** How much to read. */
export interface FeedRange {
  readonly limit: number;
  /** Nothing after this place. */
  readonly until?: FeedPosition | undefined;
}

interface NoticeRow {
  readonly id: string;
  readonly coupon_id: Buffer;
  readonly kind: 'expiring' | 'expired';
  readonly user_id: string;
  readonly promotion_ref: number;
  readonly expires_at: Date;
  readonly noted_at: Date;
  readonly log_seq: string;
}

type RawItem = Omit<FeedItem, 'promotionId'>;

interface Page {
  readonly items: readonly RawItem[];
  readonly position: FeedPosition;
  /** There is nothing after it for now. */
  readonly isLast: boolean;
}

/** Reads the feed of one partition. */
export class Feed {
  private readonly sql: Sql;
  private readonly id: PartitionId;
  private readonly names = new LRUCache<number, string>({ max: NAMES_KEPT });

  constructor(sql: Sql, id: PartitionId) {
    this.sql = sql;
    this.id = id;
  }

  /** The place after everything that has happened so far. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
  async newest(deadlineMs: number): Promise<FeedPosition> {
    const { generation, partition } = this.id;
    const rows = this.sql<{ seq: string | null; notice: string | null }[]>`
      SELECT (SELECT seq FROM ledger_cursor WHERE generation = ${generation} AND partition = ${partition}) AS seq,
        (SELECT max(id) FROM coupon_notice) AS notice`;
    const [row] = await withDeadline(rows, deadlineMs);
    const notice = Number(row?.notice ?? 0);
    return { generation, seq: Number(row?.seq ?? -1), index: WHOLE_ENTRY, part: 0, notice };
  }

  /** Throws CURSOR_INVALID unless the feed can go on after this place: it exists, and what follows is still kept. */
  async requireKept(position: FeedPosition, deadlineMs: number): Promise<void> {
    const newest = await this.newest(deadlineMs);
    const isKnown = position.generation === newest.generation && position.seq <= newest.seq;
    if (!isKnown || position.notice > newest.notice) throw invalidCursor('it is none of this feed');
    const { generation, partition } = this.id;
    const rows = this.sql<{ first: string | null }[]>`
      SELECT min(seq) AS first FROM event_log WHERE generation = ${generation} AND partition = ${partition}`;
    const [row] = await withDeadline(rows, deadlineMs);
    if (position.seq + 1 < Number(row?.first ?? 0))
      throw invalidCursor('what came after it is no longer kept');
  }

  /**
   * Events after a place that pass the filter, in order. Fewer than asked for, or none, do not mean that there are no more:
   * what a filter leaves out is walked over in bounded steps. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED.
   */
  async read(
    after: FeedPosition,
    filter: FeedFilter,
    range: FeedRange,
    deadlineMs: number,
  ): Promise<FeedBatch> {
    const items: RawItem[] = [];
    let position = after;
    for (let reads = 0; reads < READS_PER_BATCH && items.length < range.limit; reads += 1) {
      const page = await this.readPage(position, range.until, deadlineMs);
      const passing = page.items.filter((item) => passes(filter, item));
      const taken = passing.slice(0, range.limit - items.length);
      items.push(...taken);
      const isCut = taken.length < passing.length;
      position = (isCut ? taken.at(-1)?.position : page.position) ?? page.position;
      if (page.isLast) break;
    }
    return { items: await this.complete(items, deadlineMs), position };
  }

  private async readPage(
    after: FeedPosition,
    until: FeedPosition | undefined,
    deadlineMs: number,
  ): Promise<Page> {
    const isWhole = after.index === WHOLE_ENTRY;
    // Notices first: whatever they build on is then in the log that is read after them.
    const notices = await withDeadline(this.noticesAfter(after.notice), deadlineMs);
    const from = isWhole ? after.seq : after.seq - 1;
    const entries = await withDeadline(
      readLogPayloads(this.sql, this.id, from, ENTRIES_PER_READ),
      deadlineMs,
    );
    const merge = new Merge(after, notices, until);
    for (const entry of entries) merge.takeEntry(entry);
    const isLast = entries.length < ENTRIES_PER_READ;
    merge.takeNotices(Math.max(after.seq, entries.at(-1)?.seq ?? -1));
    return { items: merge.items, position: merge.position, isLast: isLast && merge.noticesLeft === 0 };
  }

  private noticesAfter(notice: number) {
    return this.sql<NoticeRow[]>`
      SELECT id, coupon_id, kind, user_id, promotion_ref, expires_at, noted_at, log_seq FROM coupon_notice
      WHERE id > ${notice} ORDER BY id LIMIT ${NOTICES_PER_READ}`;
  }

  /** Names promotions, and leaves out what happened to users who were erased. */
  private async complete(items: readonly RawItem[], deadlineMs: number): Promise<FeedItem[]> {
    if (items.length === 0) return [];
    const [erased] = await Promise.all([this.erased(items, deadlineMs), this.learnNames(items, deadlineMs)]);
    return items
      .filter(({ userId }) => !erased.has(userId))
      .map((item) => ({ ...item, promotionId: this.names.get(item.promotionRef ?? 0) ?? '' }));
  }

  private async erased(items: readonly RawItem[], deadlineMs: number): Promise<ReadonlySet<string>> {
    const users = textArray([...new Set(items.map(({ userId }) => userId))]);
    const rows = this.sql<{ user_id: string }[]>`
      SELECT user_id FROM erasure WHERE user_id = ANY (${users}::text[])`;
    return new Set((await withDeadline(rows, deadlineMs)).map(({ user_id }) => user_id));
  }

  private async learnNames(items: readonly RawItem[], deadlineMs: number): Promise<void> {
    const refs = items
      .flatMap(({ promotionRef }) => promotionRef ?? [])
      .filter((ref) => !this.names.has(ref));
    for (const [ref, name] of await readPromotionIds(this.sql, refs, deadlineMs)) this.names.set(ref, name);
  }
}

/** Puts the two sources in order: a notice comes right after the entry that was the newest when it was written. */
class Merge {
  readonly items: RawItem[] = [];
  position: FeedPosition;
  private readonly after: FeedPosition;
  private readonly notices: NoticeRow[];
  private readonly until: FeedPosition | undefined;

  constructor(after: FeedPosition, notices: readonly NoticeRow[], until: FeedPosition | undefined) {
    this.after = after;
    this.position = after;
    this.notices = [...notices];
    this.until = until;
  }

  get noticesLeft(): number {
    return this.notices.length;
  }

  takeEntry(entry: StreamEntry): void {
    this.takeNotices(entry.seq - 1);
    if (this.until !== undefined && entry.seq > this.until.seq) return;
    const decoded = decodeStreamEntry(entry);
    const events = decoded.kind === 'read' ? decoded.entry.events : [];
    const occurredAtMs = decoded.kind === 'read' ? decoded.entry.timeMs : 0;
    for (const [index, event] of events.entries()) {
      for (const [part, happening] of happeningsOf(event).entries())
        this.take({ ...this.position, seq: entry.seq, index, part }, happening, occurredAtMs);
    }
    const isCut = this.until?.seq === entry.seq && this.until.index !== WHOLE_ENTRY;
    if (!isCut) this.position = { ...this.position, seq: entry.seq, index: WHOLE_ENTRY, part: 0 };
  }

  /** Takes the notices that were written when the log ended at or before `seq`. */
  takeNotices(seq: number): void {
    for (
      let [next] = this.notices;
      next !== undefined && Number(next.log_seq) <= seq;
      [next] = this.notices
    ) {
      const notice = Number(next.id);
      if (this.until !== undefined && notice > this.until.notice) {
        this.notices.length = 0;
        return;
      }
      this.notices.shift();
      this.position = { ...this.position, notice };
      this.items.push(noticeItem(next, this.position));
    }
  }

  private take(position: FeedPosition, happening: Happening, occurredAtMs: number): void {
    if (!isAfter(position, this.after) || (this.until !== undefined && isAfter(position, this.until))) return;
    const { generation, seq, index, part } = position;
    this.position = position;
    this.items.push({
      ...happening,
      position,
      eventId: `${generation}-${seq}-${index}-${part}`,
      occurredAtMs,
    });
  }
}

/** Is the one place of the log after the other? */
function isAfter(one: FeedPosition, other: FeedPosition): boolean {
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

function passes({ kinds, userId }: FeedFilter, item: RawItem): boolean {
  if (kinds.size > 0 && !kinds.has(item.kind)) return false;
  return userId === undefined || item.userId === userId;
}
