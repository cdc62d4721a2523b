/**
 * `send-messages`: hands what happened to message adapters (SMS, push). The adapter that comes with the product writes a log
 * line; another one is put in its place where the product is composed.
 */
import type { Sql } from '../database/client.ts';
import { withDeadline } from '../database/client.ts';
import { silentGrants } from '../grants/store/silent-grants.ts';
import type { Job, JobContext, JobCounts } from '../jobs/job.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import { decodeCursor, encodeCursor, type FeedPosition } from './cursor.ts';
import type { Feed, FeedItem } from './feed.ts';
import type { HappeningKind } from './happening.ts';
import { MESSAGE_EVENTS, MESSAGE_POLL_MS, READ_MS } from './limits.ts';

/** Brings a message to a person. */
export interface MessageAdapter {
  /** Names it in the table of readers; it never changes. */
  readonly name: string;
  /**
   * Sends one message, at least once and in order per user. Throws when it could not be sent: it and what follows are then
   * tried again.
   */
  send(item: FeedItem, signal: AbortSignal): Promise<void>;
}

/** What people are told about; the rest of the feed is for systems. Of coupons that staff grants only those that are to be told of. */
const TOLD: ReadonlySet<HappeningKind> = new Set([
  'issued',
  'returned',
  'revoked',
  'expiring',
  'points_earned',
  'points_expired',
]);

/** What the job needs. */
export interface MessagePorts {
  readonly sql: Sql;
  readonly feed: Feed;
  readonly adapter: MessageAdapter;
  readonly nowMs: () => number;
}

/** Writes a log line for each message: which event, never whom it is about. */
export function logMessages(logger: Logger): MessageAdapter {
  return {
    name: 'log',
    async send({ eventId, kind, promotionId }) {
      logger.info({ event: LOG_EVENTS.message, eventId, kind, promotionId }, 'a message would be sent');
    },
  };
}

/** Makes the job. */
export function createMessageJob(ports: MessagePorts): Job {
  return {
    name: 'send-messages',
    description: 'Hands what happened to the message adapter.',
    times: { kind: 'every', everyMs: MESSAGE_POLL_MS },
    isEnabled: true,
    run: (context) => sendAll(ports, context),
  };
}

async function sendAll(ports: MessagePorts, { signal, progress }: JobContext): Promise<JobCounts> {
  const { feed, adapter, nowMs } = ports;
  let position = await placeOf(ports);
  let sent = 0;
  while (!signal.aborted) {
    const filter = { kinds: TOLD, userId: undefined };
    const batch = await feed.read(position, filter, { limit: MESSAGE_EVENTS }, nowMs() + READ_MS);
    if (batch.position === position) break;
    let reached = position;
    try {
      const silent = await silentIn(ports, batch.items);
      for (const item of batch.items) {
        if (!silent.has(item)) {
          await adapter.send(item, signal);
          sent += 1;
        }
        reached = item.position;
      }
      reached = batch.position;
    } finally {
      if (reached !== position) await moveTo(ports, reached);
    }
    position = batch.position;
    progress({ sent });
  }
  return { sent };
}

/** Coupons that staff granted without a message. */
async function silentIn(
  { sql, nowMs }: MessagePorts,
  items: readonly FeedItem[],
): Promise<ReadonlySet<FeedItem>> {
  const issued = items.flatMap((item) => {
    const { kind, userId, couponId, promotionRef } = item;
    if (kind !== 'issued' || couponId === undefined || promotionRef === undefined) return [];
    return [{ item, userId, couponId, promotionRef }];
  });
  const silent = await silentGrants(sql, issued, nowMs() + READ_MS);
  return new Set(issued.filter(({ couponId }) => silent.has(couponId)).map(({ item }) => item));
}

/** Where the adapter is; one that is new begins with what happens from now on. */
async function placeOf({ sql, feed, adapter, nowMs }: MessagePorts): Promise<FeedPosition> {
  const rows = sql<{ cursor: string }[]>`SELECT cursor FROM feed_reader WHERE name = ${adapter.name}`;
  const [row] = await withDeadline(rows, nowMs() + READ_MS);
  if (row !== undefined) return decodeCursor(row.cursor);
  const newest = await feed.newest(nowMs() + READ_MS);
  await moveTo({ sql, adapter, nowMs }, newest);
  return newest;
}

async function moveTo(
  { sql, adapter, nowMs }: Pick<MessagePorts, 'sql' | 'adapter' | 'nowMs'>,
  position: FeedPosition,
): Promise<void> {
  const statement = sql`
    INSERT INTO feed_reader (name, cursor) VALUES (${adapter.name}, ${encodeCursor(position)})
    ON CONFLICT (name) DO UPDATE SET cursor = excluded.cursor, updated_at = now()`;
  await withDeadline(statement, nowMs() + READ_MS);
}
