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
import { partitionOf } from '../ledger/keys.ts';
import { type FeedPosition, invalidCursor, WHOLE_ENTRY } from './cursor.ts';
import { FeedMerge, type LogEntries, type NoticeRow, type RawItem } from './feed-merge.ts';
import type { Happening, HappeningKind } from './happening.ts';
import { neededSeq, readKeptLogs, requireWhole } from './kept-log.ts';
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

  /**
   * Throws CURSOR_INVALID unless the feed can go on after this place: it exists, and what follows is still kept. A place of a
   * generation that is over is as good: the feed goes on from its end to the next one.
   */
  async requireKept(position: FeedPosition, deadlineMs: number): Promise<void> {
    const { generation, partitions } = this.places;
    const kept = await readKeptLogs(this.sql, position.generation, deadlineMs);
    const isKnown =
      position.generation <= generation &&
      position.logs.length === (position.generation === generation ? partitions : kept.logs.size) &&
      position.logs.every(({ seq }, log) => seq <= (kept.logs.get(log)?.last ?? -1));
    if (!isKnown || position.notice > kept.notice) throw invalidCursor('it is none of this feed');
    requireWhole(position, kept);
  }

  /**
   * Events after a place that pass the filter, in order. Fewer than asked for, or none, do not mean that there are no more:
   * what a filter leaves out is walked over in bounded steps. Throws ARCHIVE_UNAVAILABLE, DEADLINE_EXCEEDED, or CURSOR_INVALID
   * when the log has lost what comes next: nothing is passed over in silence.
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
      const until = range.until?.generation === position.generation ? range.until : undefined;
      const page = await this.readPage(position, until, deadlineMs);
      const passing = page.items.filter((item) => passes(filter, item));
      const taken = passing.slice(0, range.limit - items.length);
      items.push(...taken);
      const isCut = taken.length < passing.length;
      position = (isCut ? taken.at(-1)?.position : page.position) ?? page.position;
      if (!page.isLast) continue;
      const next = isCut || until !== undefined ? undefined : await this.nextBeginning(position, deadlineMs);
      if (next === undefined) break;
      position = next;
    }
    return { items: await this.complete(items, deadlineMs), position };
  }

  private async readPage(
    after: FeedPosition,
    until: FeedPosition | undefined,
    deadlineMs: number,
  ): Promise<Page> {
    // Notices first: whatever they build on is then in the logs that are read after them.
    const notices = await withDeadline(this.noticesAfter(after), deadlineMs);
    const logs = await withDeadline(this.entriesAfter(after), deadlineMs);
    if (hasGap(after, logs)) await this.requireKept(after, deadlineMs);
    const hasMoreNotices = notices.length === NOTICES_PER_READ;
    const merge = new FeedMerge({
      after,
      until,
      logOf: (userId) => partitionOf(userId, after.logs.length),
      logs: after.logs.map((_, log) => entriesOf(logs, log)),
    });
    merge.takeNotices(notices);
    if (merge.noticesLeft === 0 && !hasMoreNotices) merge.takeRest();
    const isLast = !hasMoreNotices && merge.isThrough;
    return { items: merge.items, position: merge.position, isLast };
  }

  /** The next entries of every log, in its order. */
  private entriesAfter({ generation, logs }: FeedPosition) {
    const from = logs.map((place) => neededSeq(place) - 1);
    return this.sql<EntryRow[]>`
      SELECT log, seq, payload FROM unnest(${plainArray(from)}::bigint[]) WITH ORDINALITY AS place (after, log)
      CROSS JOIN LATERAL (
        SELECT seq, payload FROM event_log
        WHERE event_log.generation = ${generation} AND event_log.partition = log - 1 AND seq > after
        ORDER BY seq LIMIT ${ENTRIES_PER_READ}) entry
      ORDER BY log, seq`;
  }

  /** Those of a later generation wait for its logs. */
  private noticesAfter({ generation, notice }: FeedPosition) {
    return this.sql<NoticeRow[]>`
      SELECT id, coupon_id, kind, user_id, promotion_ref, expires_at, noted_at, log_seq FROM coupon_notice
      WHERE id > ${notice} AND noted_at < coalesce(
        (SELECT closed_at FROM ledger_generation WHERE generation = ${generation} AND state = 'closed'), 'infinity')
      ORDER BY id LIMIT ${NOTICES_PER_READ}`;
  }

  /** Where the next generation begins, for who is at the end of one that is over; undefined in the one in force. */
  private async nextBeginning(
    { generation, notice }: FeedPosition,
    deadlineMs: number,
  ): Promise<FeedPosition | undefined> {
    if (generation >= this.places.generation) return undefined;
    const rows = this.sql<{ generation: number; partitions: number }[]>`
      SELECT generation, partitions FROM ledger_generation
      WHERE generation > ${generation} AND generation <= ${this.places.generation} AND state IN ('closed', 'current')
        AND partitions IS NOT NULL
      ORDER BY generation LIMIT 1`;
    const [next] = await withDeadline(rows, deadlineMs);
    if (next === undefined) return undefined;
    const logs = Array.from({ length: next.partitions }, () => ({ seq: -1, index: WHOLE_ENTRY, part: 0 }));
    return { generation: next.generation, logs, notice };
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

/** Is the next entry of a log another one than it should be? It was detached, or there was a hole when it was written. */
function hasGap({ logs }: FeedPosition, rows: readonly EntryRow[]): boolean {
  return logs.some((place, log) => {
    const next = rows.find((row) => Number(row.log) === log + 1);
    return next !== undefined && Number(next.seq) !== neededSeq(place);
  });
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
