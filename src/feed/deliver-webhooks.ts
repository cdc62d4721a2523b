/**
 * `deliver-webhooks`: posts what happened to each webhook, in order and at least once. A webhook waits at the first batch it
 * did not take, so order per user is kept; that batch is sent again as it was, with growing pauses, for about a day. Then it
 * becomes dead letters and the webhook goes on.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, fromBinary, toBinary, toJson } from '@bufbuild/protobuf';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../domain/refusal.ts';
import { type FeedEvent, FeedEventSchema } from '../gen/hongbao/v1/event_service_pb.ts';
import type { Job, JobContext, JobCounts } from '../jobs/job.ts';
import type { SecretBox } from '../privacy/secret-box.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import type { Feed, FeedBatch } from './feed.ts';
import { feedEventMessage, kindsOf } from './feed-event.ts';
import * as limits from './limits.ts';
import { postWebhook } from './post-webhook.ts';
import { buryBatch, purgeWebhooks, readFeedHealth, readRetries, settleRetry } from './store/dead-letters.ts';
import {
  advanceWebhook,
  postponeWebhook,
  readDueWebhooks,
  readWebhook,
  type StoredWebhook,
} from './store/webhooks.ts';
import type { WebhookReach } from './webhook-address.ts';
import { secretPlace } from './webhooks.ts';

/** What the delivery needs. */
export interface DeliveryPorts {
  readonly sql: Sql;
  readonly feed: Feed;
  readonly box: SecretBox;
  readonly reach: WebhookReach;
  readonly metrics: Pick<Metrics, 'webhookDeliveries' | 'webhookDeadLetters' | 'webhookLagSeconds'>;
  readonly logger: Logger;
  readonly nowMs: () => number;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
  /** Time a webhook has to answer, ms. */
  readonly timeoutMs?: number;
}

const MS_PER_SECOND = 1_000;

/** Makes the job. */
export function createDeliveryJob(ports: DeliveryPorts): Job {
  return {
    name: 'deliver-webhooks',
    description: 'Posts what happened to the webhooks that are registered.',
    times: { kind: 'every', everyMs: limits.WEBHOOK_POLL_MS },
    isEnabled: true,
    run: (context) => new DeliveryRound(ports, context).run(),
  };
}

/** Makes the job that forgets what was delivered long ago. */
export function createWebhookPurgeJob(ports: {
  readonly sql: Sql;
  readonly cron: string;
  readonly timeZone: string;
  readonly nowMs: () => number;
}): Job {
  return {
    name: 'purge-webhooks',
    description: 'Forgets deliveries and requests of webhooks from long ago.',
    times: { kind: 'cron', cron: ports.cron, timeZone: ports.timeZone },
    isEnabled: true,
    run: async ({ nowMs }) => {
      const deadlineMs = ports.nowMs() + limits.READ_MS;
      return { purged: await purgeWebhooks(ports.sql, nowMs - limits.REQUESTS_KEPT_MS, deadlineMs) };
    },
  };
}

/** What became of one look at a webhook; after `delivered` there may be more. */
type Delivered = 'delivered' | 'idle' | 'failed';

/** One round over all webhooks. While one of them is slow the others go on. */
class DeliveryRound {
  private readonly ports: DeliveryPorts;
  private readonly context: JobContext;
  private readonly counts = { delivered: 0, failed: 0, dead: 0 };
  private busy = 0;

  constructor(ports: DeliveryPorts, context: JobContext) {
    this.ports = ports;
    this.context = context;
  }

  async run(): Promise<JobCounts> {
    const { sql, metrics } = this.ports;
    const webhooks = await readDueWebhooks(sql, this.deadline());
    await Promise.all([this.retryLetters(), ...webhooks.map((webhook) => this.serve(webhook.id, webhook))]);
    const { deadLetters, failingSinceMs } = await readFeedHealth(sql, this.deadline());
    const nowMs = this.ports.nowMs();
    metrics.webhookDeadLetters.value = deadLetters;
    metrics.webhookLagSeconds.value = Math.max(0, nowMs - (failingSinceMs ?? nowMs)) / MS_PER_SECOND;
    return { ...this.counts };
  }

  /** Delivers to one webhook until it has everything or fails; waits for the others' sake while they are busy. */
  private async serve(id: string, first: StoredWebhook): Promise<void> {
    const { signal } = this.context;
    const endMs = this.context.nowMs + limits.WEBHOOK_ROUND_MS;
    let webhook: StoredWebhook | undefined = first;
    while (webhook?.is_enabled && !signal.aborted && this.ports.nowMs() < endMs) {
      this.busy += 1;
      const kind = await this.deliverNext(webhook).finally(() => {
        this.busy -= 1;
      });
      if (kind === 'failed' || (kind === 'idle' && this.busy === 0)) return;
      if (kind === 'idle') await sleep(limits.WEBHOOK_IDLE_MS, undefined, { signal }).catch(() => {});
      webhook = await readWebhook(this.ports.sql, id, this.deadline());
    }
  }

  private async deliverNext(webhook: StoredWebhook): Promise<Delivered> {
    const { sql, feed } = this.ports;
    const until = webhook.failing_until === null ? undefined : decodeCursor(webhook.failing_until);
    const filter = { kinds: kindsOf(webhook.kinds), userId: undefined };
    const range = { limit: limits.WEBHOOK_EVENTS, until };
    const batch = await this.readBatch(webhook, () =>
      feed.read(decodeCursor(webhook.cursor), filter, range, this.deadline()),
    );
    if (batch === undefined) return 'failed';
    const cursor = encodeCursor(batch.position);
    if (batch.items.length > 0) return await this.send(webhook, batch, cursor);
    if (cursor === webhook.cursor && until === undefined) return 'idle';
    // What failed before is gone (its user was erased), or the filter left everything out.
    await advanceWebhook(sql, webhook, webhook.failing_until ?? cursor, this.deadline());
    return 'delivered';
  }

  /** What the log has lost for a webhook is this one's trouble, which its last error tells; undefined then. */
  private async readBatch(
    webhook: StoredWebhook,
    read: () => Promise<FeedBatch>,
  ): Promise<FeedBatch | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof Refusal) || error.reason !== 'CURSOR_INVALID') throw error;
      const { id: webhookId, cursor: until, attempts } = webhook;
      const { message } = error;
      const line = { event: LOG_EVENTS.webhookFailed, webhookId, error: message };
      this.ports.logger.error(line, 'what a webhook is to be sent next is no longer in the log');
      const pauseMs = pauseAfter(attempts + 1, this.ports.random());
      const failure = { until, error: message, sinceMs: this.ports.nowMs(), pauseMs };
      await postponeWebhook(this.ports.sql, webhook, failure, this.deadline());
      this.count('failed');
      return undefined;
    }
  }

  private async send(webhook: StoredWebhook, batch: FeedBatch, until: string): Promise<Delivered> {
    const { sql } = this.ports;
    const events = batch.items.map((item) => create(FeedEventSchema, feedEventMessage(item)));
    const error = await this.post(webhook.id, webhook, events);
    if (error === undefined) {
      await advanceWebhook(sql, webhook, until, this.deadline());
      this.count('delivered');
      return 'delivered';
    }
    const sinceMs = Math.min(...batch.items.map(({ occurredAtMs }) => occurredAtMs));
    await this.fail(webhook, events, { until, error, sinceMs });
    return 'failed';
  }

  private async fail(
    webhook: StoredWebhook,
    events: readonly FeedEvent[],
    failure: { readonly until: string; readonly error: string; readonly sinceMs: number },
  ): Promise<void> {
    const { until, error } = failure;
    const { sql, logger } = this.ports;
    const attempts = webhook.attempts + 1;
    if (attempts < limits.WEBHOOK_ATTEMPTS) {
      const pauseMs = pauseAfter(attempts, this.ports.random());
      if (attempts === 1)
        logger.warn({ event: LOG_EVENTS.webhookFailed, webhookId: webhook.id, error }, 'a webhook failed');
      await postponeWebhook(sql, webhook, { ...failure, pauseMs }, this.deadline());
      return this.count('failed');
    }
    const letters = events.map((event) => ({
      userId: event.userId,
      event: Buffer.from(toBinary(FeedEventSchema, event)),
    }));
    await buryBatch(sql, webhook, { letters, until, attempts, error }, this.deadline());
    const line = { event: LOG_EVENTS.deadLetter, webhookId: webhook.id, events: letters.length, error };
    logger.error(line, 'events could not be sent to a webhook and became dead letters');
    this.count('dead');
  }

  private async retryLetters(): Promise<void> {
    const { sql } = this.ports;
    const letters = await readRetries(sql, limits.RETRIES_PER_ROUND, this.deadline());
    for (const letter of letters) {
      if (this.context.signal.aborted) return;
      const event = fromBinary(FeedEventSchema, letter.event);
      const error = await this.post(letter.webhook_id, letter, [event]);
      await settleRetry(sql, letter.id, error, this.deadline());
      this.count(error === undefined ? 'delivered' : 'failed');
    }
  }

  private async post(
    webhookId: string,
    { url, secret }: Pick<StoredWebhook, 'url' | 'secret'>,
    events: readonly FeedEvent[],
  ): Promise<string | undefined> {
    const { box, reach, nowMs, timeoutMs } = this.ports;
    const data = { events: events.map((event) => toJson(FeedEventSchema, event)) };
    const call = {
      url,
      secret: box.open(secret, secretPlace(webhookId)),
      id: callId(webhookId, events),
      timestampSeconds: Math.floor(nowMs() / MS_PER_SECOND),
      body: JSON.stringify({ type: 'hongbao.events', data }),
    };
    return await postWebhook(call, reach, timeoutMs);
  }

  private count(outcome: 'delivered' | 'failed' | 'dead'): void {
    this.counts[outcome] += 1;
    this.ports.metrics.webhookDeliveries.child(outcome).value += 1;
    this.context.progress({ ...this.counts });
  }

  private deadline(): number {
    return this.ports.nowMs() + limits.READ_MS;
  }
}

/** The same events have the same id at every attempt, so that a receiver can tell a repeat. */
function callId(webhookId: string, events: readonly FeedEvent[]): string {
  const names = events.map(({ eventId }) => eventId).join(' ');
  return `msg_${createHash('sha256').update(`${webhookId} ${names}`).digest('base64url').slice(0, 27)}`;
}

/** The pause after so many failed attempts, ms; `random` from 0 to 1. */
export function pauseAfter(attempts: number, random: number): number {
  const grown = limits.WEBHOOK_FIRST_PAUSE_MS * limits.WEBHOOK_PAUSE_FACTOR ** (attempts - 1);
  const pauseMs = Math.min(grown, limits.WEBHOOK_LONGEST_PAUSE_MS);
  return Math.round(pauseMs * (1 + limits.WEBHOOK_JITTER * (2 * random - 1)));
}
