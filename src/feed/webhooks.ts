/** Webhooks as staff manage them: register, list, switch, delete; and their dead letters. */
import { createHash, randomBytes } from 'node:crypto';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../domain/refusal.ts';
import type { SecretBox } from '../privacy/secret-box.ts';
import { encodeCursor } from './cursor.ts';
import type { Feed } from './feed.ts';
import { WEBHOOKS_MAX } from './limits.ts';
import { askForRetry, readDeadLetters, type StoredDeadLetter } from './store/dead-letters.ts';
import {
  deleteWebhook,
  insertWebhook,
  isRepeated,
  readWebhook,
  readWebhooks,
  type StoredWebhook,
  switchWebhook,
  type WebhookKey,
  type WebhookRequest,
  webhookOfRequest,
} from './store/webhooks.ts';
import { requireAddress, type WebhookReach } from './webhook-address.ts';

/** What managing webhooks needs. */
export interface WebhookPorts {
  readonly sql: Sql;
  readonly feed: Feed;
  readonly box: SecretBox;
  readonly reach: WebhookReach;
}

/** A webhook to register. */
export interface WebhookDraft {
  readonly requestId: string;
  readonly url: string;
  /** Numbers of the contract's enum. */
  readonly kinds: readonly number[];
  /** Empty: one is generated. */
  readonly secret: string;
  readonly actor: string;
}

/** A registered webhook; `secret` only if it was generated just now. */
export interface RegisteredWebhook {
  readonly webhook: StoredWebhook;
  readonly secret: string;
}

const ID_BYTES = 8;
const SECRET_BYTES = 24;
/** Digits of a dead letter's number. */
const LETTER_ID = /^\d{1,18}$/;

/** What the secret of a webhook is sealed for. */
export function secretPlace(webhookId: string): string {
  return `webhook:${webhookId}`;
}

function requestOf(
  method: WebhookRequest['method'],
  requestId: string,
  content: readonly unknown[],
): WebhookRequest {
  return { method, requestId, contentDigest: createHash('sha256').update(JSON.stringify(content)).digest() };
}

/** Manages webhooks. Methods throw ARCHIVE_UNAVAILABLE and DEADLINE_EXCEEDED besides what they name. */
export class Webhooks {
  private readonly ports: WebhookPorts;

  constructor(ports: WebhookPorts) {
    this.ports = ports;
  }

  /** Registers a webhook; it is sent what happens from now on. Throws INVALID_REQUEST, REQUEST_ID_REUSED. */
  async register(draft: WebhookDraft, deadlineMs: number): Promise<RegisteredWebhook> {
    const { sql, reach } = this.ports;
    requireAddress(draft.url, reach);
    const content = [draft.url, [...draft.kinds].sort(), draft.secret];
    const request = requestOf('create', draft.requestId, content);
    const id = `wh-${randomBytes(ID_BYTES).toString('hex')}`;
    const generated = draft.secret === '' ? `whsec_${randomBytes(SECRET_BYTES).toString('base64')}` : '';
    const write = () => this.insert(id, request, draft, draft.secret || generated, deadlineMs);
    const isRepeat = await isRepeated(sql, request, write, deadlineMs);
    const made = isRepeat ? await webhookOfRequest(sql, request, deadlineMs) : id;
    const webhook = await this.require(made ?? id, deadlineMs);
    return { webhook, secret: isRepeat ? '' : generated };
  }

  /** Webhooks after a key, oldest first. */
  async list(after: WebhookKey | undefined, limit: number, deadlineMs: number): Promise<StoredWebhook[]> {
    return await readWebhooks(this.ports.sql, after, limit, deadlineMs);
  }

  /** Switches a webhook off or on. Throws WEBHOOK_NOT_FOUND, REQUEST_ID_REUSED. */
  async enable(
    id: string,
    isEnabled: boolean,
    requestId: string,
    deadlineMs: number,
  ): Promise<StoredWebhook> {
    const { sql } = this.ports;
    await this.require(id, deadlineMs);
    const request = requestOf('update', requestId, [id, isEnabled]);
    const write = () => switchWebhook(sql, request, id, isEnabled, deadlineMs);
    await isRepeated(sql, request, write, deadlineMs);
    return await this.require(id, deadlineMs);
  }

  /** Deletes a webhook with its dead letters. Throws WEBHOOK_NOT_FOUND, REQUEST_ID_REUSED. */
  async delete(id: string, requestId: string, deadlineMs: number): Promise<void> {
    const { sql } = this.ports;
    const request = requestOf('delete', requestId, [id]);
    const write = async (): Promise<void> => {
      await this.require(id, deadlineMs);
      await deleteWebhook(sql, request, id, deadlineMs);
    };
    await isRepeated(sql, request, write, deadlineMs);
  }

  /** Dead letters of a webhook, oldest first. Throws WEBHOOK_NOT_FOUND. */
  async deadLetters(
    id: string,
    page: { readonly after: number | undefined; readonly limit: number },
    deadlineMs: number,
  ): Promise<StoredDeadLetter[]> {
    await this.require(id, deadlineMs);
    return await readDeadLetters(this.ports.sql, id, page, deadlineMs);
  }

  /** Has a dead letter sent again. Throws WEBHOOK_NOT_FOUND, DEAD_LETTER_NOT_FOUND, REQUEST_ID_REUSED. */
  async retry(
    letter: { readonly webhookId: string; readonly id: string },
    requestId: string,
    deadlineMs: number,
  ): Promise<void> {
    const { sql } = this.ports;
    await this.require(letter.webhookId, deadlineMs);
    const request = requestOf('retry', requestId, [letter.webhookId, letter.id]);
    const write = async (): Promise<void> => {
      const isThere = LETTER_ID.test(letter.id) && (await askForRetry(sql, request, letter, deadlineMs));
      if (!isThere) throw new Refusal('DEAD_LETTER_NOT_FOUND', 'The webhook has no such dead letter');
    };
    await isRepeated(sql, request, write, deadlineMs);
  }

  private async insert(
    id: string,
    request: WebhookRequest,
    { url, kinds, actor }: WebhookDraft,
    secret: string,
    deadlineMs: number,
  ): Promise<void> {
    const { sql, feed, box } = this.ports;
    const cursor = encodeCursor(await feed.newest(deadlineMs));
    const sealed = box.seal(secret, secretPlace(id));
    const webhook = { id, url, kinds, secret: sealed, cursor, createdBy: actor };
    if (await insertWebhook(sql, request, webhook, deadlineMs)) return;
    throw new Refusal('INVALID_REQUEST', 'There are as many webhooks as there may be', {
      violations: [{ field: 'url', description: `no more than ${WEBHOOKS_MAX} webhooks may exist` }],
    });
  }

  private async require(id: string, deadlineMs: number): Promise<StoredWebhook> {
    const webhook = await readWebhook(this.ports.sql, id, deadlineMs);
    if (webhook === undefined) throw new Refusal('WEBHOOK_NOT_FOUND', 'There is no such webhook');
    return webhook;
  }
}
