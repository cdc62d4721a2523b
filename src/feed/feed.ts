/**
 * The outbound feed: what happened, read from the archived logs, each in its order, with the notices of jobs in between. Whatever is
 * told of a user comes in the order in which it happened, and a place can be read again as often as one likes.
 */
import { LRUCache } from 'lru-cache';
import type { StreamEntry } from '../archive/ledger-port.ts';
import type { ArchivePlaces } from '../archive/places.ts';
import { readPromotionIds } from '../archive/queries.ts';
import { plainArray, textArray } from '../database/array-literal.ts';
import { type Sql, withDeadline } from '../database/client.ts';
import { type FeedPosition, invalidCursor, WHOLE_ENTRY } from './cursor.ts';
import { FeedMerge, type LogEntries, type NoticeRow, type RawItem } from './feed-merge.ts';
import type { Happening, HappeningKind } from './happening.ts';
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

interface EntryRow {
  /** From 1. */
  readonly log: string;
  readonly seq: string;
  readonly payload: Buffer;
}

interface Page {
  readonly items: readonly RawItem[];
  readonly position: FeedPosition;
  /** There is nothing after it for now. */
  readonly isLast: boolean;
}

/** Reads the feed. */
export class Feed {
  private readonly sql: Sql;
  private readonly places: ArchivePlaces;
  private readonly names = new LRUCache<number, string>({ max: NAMES_KEPT });

  constructor(sql: Sql, places: ArchivePlaces) {
    this.sql = sql;
    this.places = places;
  }

  /** The place after everything that has happened so far. Throws ARCHIVE_UNAVAILABLE or DEADLINE_EXCEEDED. */
  async newest(deadlineMs: number): Promise<FeedPosition> {
    const { generation, partitions } = this.places;
    const rows = this.sql<{ partition: number | null; seq: string | null; notice: string | null }[]>`
      SELECT partition, seq, notice FROM (SELECT max(id) AS notice FROM coupon_notice) notices
      LEFT JOIN ledger_cursor ON generation = ${generation}`;
    const found = await withDeadline(rows, deadlineMs);
    const seqs = new Map(found.map(({ partition, seq }) => [partition, Number(seq ?? -1)]));
    const logs = Array.from({ length: partitions }, (_, partition) => ({
      seq: seqs.get(partition) ?? -1,
      index: WHOLE_ENTRY,
      part: 0,
    }));
    return { generation, logs, notice: Number(found[0]?.notice ?? 0) };
  }

  /** Throws CURSOR_INVALID unless the feed can go on after this place: it exists, and what follows is still kept. */
  async requireKept(position: FeedPosition, deadlineMs: number): Promise<void> {
    const newest = await this.newest(deadlineMs);
    const isKnown =
      position.generation === newest.generation &&
      position.logs.length === newest.logs.length &&
      position.logs.every(({ seq }, log) => seq <= (newest.logs[log]?.seq ?? -1));
    if (!isKnown || position.notice > newest.notice) throw invalidCursor('it is none of this feed');
    const rows = this.sql<{ partition: number; first: string }[]>`
      SELECT partition, first FROM generate_series(0, ${position.logs.length - 1}) AS partition
      CROSS JOIN LATERAL (
        SELECT seq AS first FROM event_log
        WHERE event_log.generation = ${position.generation} AND event_log.partition = partition.partition
        ORDER BY seq LIMIT 1) kept`;
    for (const { partition, first } of await withDeadline(rows, deadlineMs)) {
      if ((position.logs[partition]?.seq ?? -1) + 1 < Number(first))
        throw invalidCursor('what came after it is no longer kept');
    }
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
    // Notices first: whatever they build on is then in the logs that are read after them.
    const notices = await withDeadline(this.noticesAfter(after.notice), deadlineMs);
    const logs = await withDeadline(this.entriesAfter(after), deadlineMs);
    const hasMoreNotices = notices.length === NOTICES_PER_READ;
    const merge = new FeedMerge({
      after,
      until,
      logOf: (userId) => this.places.ofUser(userId).partition,
      logs: after.logs.map((_, log) => entriesOf(logs, log)),
    });
    merge.takeNotices(notices);
    if (merge.noticesLeft === 0 && !hasMoreNotices) merge.takeRest();
    const isLast = !hasMoreNotices && merge.isThrough;
    return { items: merge.items, position: merge.position, isLast };
  }

  /** The next entries of every log, in its order. */
  private entriesAfter({ generation, logs }: FeedPosition) {
    const from = logs.map(({ seq, index }) => (index === WHOLE_ENTRY ? seq : seq - 1));
    return this.sql<EntryRow[]>`
      SELECT log, seq, payload FROM unnest(${plainArray(from)}::bigint[]) WITH ORDINALITY AS place (after, log)
      CROSS JOIN LATERAL (
        SELECT seq, payload FROM event_log
        WHERE event_log.generation = ${generation} AND event_log.partition = log - 1 AND seq > after
        ORDER BY seq LIMIT ${ENTRIES_PER_READ}) entry
      ORDER BY log, seq`;
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

function entriesOf(rows: readonly EntryRow[], log: number): LogEntries {
  const entries: StreamEntry[] = rows.flatMap((row) =>
    Number(row.log) === log + 1 ? [{ seq: Number(row.seq), payload: row.payload }] : [],
  );
  return { entries, isLast: entries.length < ENTRIES_PER_READ };
}

function passes({ kinds, userId }: FeedFilter, item: RawItem): boolean {
  if (kinds.size > 0 && !kinds.has(item.kind)) return false;
  return userId === undefined || item.userId === userId;
}
