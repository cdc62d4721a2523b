/** The streams of events a process has open. They share one look at the stores for news, and end together when it stops. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '../domain/refusal.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { decodeCursor, type FeedPosition } from './cursor.ts';
import type { Feed, FeedBatch, FeedFilter } from './feed.ts';
import { HEAD_POLL_MS, HEARTBEAT_MS, READ_MS, STREAM_EVENTS } from './limits.ts';

/** What streams need. */
export interface EventStreamPorts {
  readonly feed: Feed;
  readonly metrics: Pick<Metrics, 'feedStreams' | 'feedEvents'>;
  readonly nowMs: () => number;
  /** How often a stream without events says how far it is, ms. */
  readonly heartbeatMs?: number;
}

/** Where a stream begins and what it is sent. */
export interface StreamRequest {
  /** Empty: with what happens from now on. */
  readonly cursor: string;
  readonly filter: FeedFilter;
}

/** All streams of a process. */
export class EventStreams {
  private readonly ports: EventStreamPorts;
  private readonly closing = new AbortController();
  private head: { position: Promise<FeedPosition>; askedAtMs: number } | undefined;

  constructor(ports: EventStreamPorts) {
    this.ports = ports;
  }

  /** Ends every stream with SHUTTING_DOWN, and refuses new ones: callers go on elsewhere, at their cursor. */
  close(): void {
    this.closing.abort();
  }

  /**
   * Events from a place on, and now and then a batch without any that says how far it is; until `signal` is aborted or the
   * process stops. The next batch is read when the one before was taken. Throws CURSOR_INVALID, ARCHIVE_UNAVAILABLE,
   * DEADLINE_EXCEEDED or SHUTTING_DOWN.
   */
  async *open(request: StreamRequest, signal: AbortSignal): AsyncGenerator<FeedBatch> {
    this.requireOpen();
    const over = AbortSignal.any([signal, this.closing.signal]);
    const { metrics } = this.ports;
    metrics.feedStreams.value += 1;
    try {
      yield* this.batches(await this.begin(request.cursor), request.filter, over);
      if (!signal.aborted) this.requireOpen();
    } finally {
      metrics.feedStreams.value -= 1;
    }
  }

  private requireOpen(): void {
    if (this.closing.signal.aborted)
      throw new Refusal(
        'SHUTTING_DOWN',
        'This server is stopping; go on with another one at the last cursor',
      );
  }

  private async begin(cursor: string): Promise<FeedPosition> {
    const { feed } = this.ports;
    if (cursor === '') return await feed.newest(this.deadline());
    const position = decodeCursor(cursor);
    await feed.requireKept(position, this.deadline());
    return position;
  }

  private async *batches(
    from: FeedPosition,
    filter: FeedFilter,
    over: AbortSignal,
  ): AsyncGenerator<FeedBatch> {
    const { feed, metrics, nowMs, heartbeatMs = HEARTBEAT_MS } = this.ports;
    let position = from;
    // The first message comes at once, so that a caller who began with "now" has a cursor to come back with.
    let beatAtMs = 0;
    while (!over.aborted) {
      const batch = await feed.read(position, filter, { limit: STREAM_EVENTS }, this.deadline());
      const hasMoved = batch.position !== position;
      position = batch.position;
      if (batch.items.length > 0 || nowMs() >= beatAtMs) {
        metrics.feedEvents.value += batch.items.length;
        yield batch;
        beatAtMs = nowMs() + heartbeatMs;
      }
      if (!hasMoved) await this.untilNews(position, beatAtMs, over);
    }
  }

  private async untilNews(position: FeedPosition, untilMs: number, over: AbortSignal): Promise<void> {
    while (!over.aborted && this.ports.nowMs() < untilMs) {
      const head = await this.look();
      const isLonger = head.logs.some(({ seq }, log) => seq > (position.logs[log]?.seq ?? -1));
      if (isLonger || head.notice > position.notice) return;
      await sleep(HEAD_POLL_MS, undefined, { signal: over }).catch(() => {});
    }
  }

  /** The newest place; all streams that wait share one question. */
  private look(): Promise<FeedPosition> {
    const { feed, nowMs } = this.ports;
    if (this.head === undefined || nowMs() >= this.head.askedAtMs + HEAD_POLL_MS)
      this.head = { position: feed.newest(this.deadline()), askedAtMs: nowMs() };
    return this.head.position;
  }

  private deadline(): number {
    return this.ports.nowMs() + READ_MS;
  }
}
