import { plainArray } from '../../database/array-literal.ts';
import { type Sql, withDeadline } from '../../database/client.ts';
import { violatedUniqueConstraint } from '../../database/database-faults.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { FeedEventKind } from '../../gen/hongbao/v1/event_service_pb.ts';
import { WEBHOOKS_MAX } from '../limits.ts';

/** A webhook as it is stored. */
export interface StoredWebhook {
  readonly id: string;
  readonly url: string;
  readonly kinds: readonly FeedEventKind[];
  readonly is_enabled: boolean;
  readonly secret: Buffer;
  readonly cursor: string;
  readonly failing_until: string | null;
  readonly attempts: number;
  readonly next_attempt_at: Date;
  readonly last_error: string;
  readonly created_by: string;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly dead_letters: string;
}

/** What names a write: its method, the caller's id for it, and a digest of everything else. */
export interface WebhookRequest {
  readonly method: 'create' | 'update' | 'delete' | 'retry';
  readonly requestId: string;
  readonly contentDigest: Buffer;
}

/** The row that makes a write its own idempotency record, put into the statement that carries it out. */
function requestRow(sql: Sql, { method, requestId, contentDigest }: WebhookRequest, webhookId: string) {
  return sql`
    INSERT INTO webhook_request (method, request_id, content_digest, webhook_id)
    VALUES (${method}, ${requestId}, ${contentDigest}, ${webhookId})`;
}

function selected(sql: Sql) {
  return sql`
    SELECT id, url, to_jsonb(kinds) AS kinds, is_enabled, secret, cursor, failing_until, attempts, next_attempt_at,
      last_error, created_by, created_at, updated_at,
      (SELECT count(*) FROM dead_letter WHERE webhook_id = webhook.id AND delivered_at IS NULL) AS dead_letters
    FROM webhook`;
}

/**
 * The webhook an earlier call with this request id was about; undefined when there was none. Throws REQUEST_ID_REUSED when
 * that call had other content.
 */
export async function webhookOfRequest(
  sql: Sql,
  { method, requestId, contentDigest }: WebhookRequest,
  deadlineMs: number,
): Promise<string | undefined> {
  const rows = sql<{ webhook_id: string; content_digest: Buffer }[]>`
    SELECT webhook_id, content_digest FROM webhook_request WHERE method = ${method} AND request_id = ${requestId}`;
  const [row] = await withDeadline(rows, deadlineMs);
  if (row !== undefined && !row.content_digest.equals(contentDigest))
    throw new Refusal('REQUEST_ID_REUSED', 'The request id was used for a call with other content');
  return row?.webhook_id;
}

/** True when the write was made before, also by another process at this very moment. */
export async function isRepeated(
  sql: Sql,
  request: WebhookRequest,
  write: () => Promise<unknown>,
  deadlineMs: number,
): Promise<boolean> {
  if ((await webhookOfRequest(sql, request, deadlineMs)) !== undefined) return true;
  try {
    await write();
    return false;
  } catch (error) {
    if (violatedUniqueConstraint(error) !== 'webhook_request_is_unique') throw error;
    await webhookOfRequest(sql, request, deadlineMs);
    return true;
  }
}

/** A webhook that is to be. */
export interface NewWebhook {
  readonly id: string;
  readonly url: string;
  readonly kinds: readonly number[];
  readonly secret: Buffer;
  readonly cursor: string;
  readonly createdBy: string;
}

/** Stores a webhook; false when there are as many as there may be. */
export async function insertWebhook(
  sql: Sql,
  request: WebhookRequest,
  webhook: NewWebhook,
  deadlineMs: number,
): Promise<boolean> {
  const { id, url, kinds, secret, cursor, createdBy } = webhook;
  const rows = sql`
    WITH made AS (
      INSERT INTO webhook (id, url, kinds, is_enabled, secret, cursor, created_by)
      SELECT ${id}::text, ${url}::text, ${plainArray(kinds)}::integer[], true, ${secret}::bytea, ${cursor}::text, ${createdBy}::text
      WHERE (SELECT count(*) FROM webhook WHERE deleted_at IS NULL) < ${WEBHOOKS_MAX}
      RETURNING id
    ), request AS (
      INSERT INTO webhook_request (method, request_id, content_digest, webhook_id)
      SELECT ${request.method}::text, ${request.requestId}::text, ${request.contentDigest}::bytea, id FROM made
    )
    SELECT id FROM made`;
  return (await withDeadline(rows, deadlineMs)).length > 0;
}

/** One webhook; undefined when there is none, or no more. */
export async function readWebhook(
  sql: Sql,
  id: string,
  deadlineMs: number,
): Promise<StoredWebhook | undefined> {
  const rows = sql<StoredWebhook[]>`${selected(sql)} WHERE id = ${id} AND deleted_at IS NULL`;
  return (await withDeadline(rows, deadlineMs))[0];
}

/** The key of a page of webhooks. */
export interface WebhookKey {
  readonly createdAtMs: number;
  readonly id: string;
}

/** Webhooks after a key, oldest first. */
export async function readWebhooks(
  sql: Sql,
  after: WebhookKey | undefined,
  limit: number,
  deadlineMs: number,
): Promise<StoredWebhook[]> {
  const rows = sql<StoredWebhook[]>`
    ${selected(sql)} WHERE deleted_at IS NULL
      ${after === undefined ? sql`` : sql`AND (date_trunc('milliseconds', created_at), id) > (${new Date(after.createdAtMs)}::timestamptz, ${after.id}::text)`}
    ORDER BY date_trunc('milliseconds', created_at), id LIMIT ${limit}`;
  return await withDeadline(rows, deadlineMs);
}

/** Switches a webhook. Switched on, it is tried at once. */
export async function switchWebhook(
  sql: Sql,
  request: WebhookRequest,
  id: string,
  isEnabled: boolean,
  deadlineMs: number,
): Promise<void> {
  const statement = sql`
    WITH request AS (${requestRow(sql, request, id)})
    UPDATE webhook SET is_enabled = ${isEnabled}, updated_at = now(), next_attempt_at = now()
    WHERE id = ${id} AND deleted_at IS NULL`;
  await withDeadline(statement, deadlineMs);
}

/** Deletes a webhook with its dead letters and its secret; the row stays, so that the request can be repeated. */
export async function deleteWebhook(
  sql: Sql,
  request: WebhookRequest,
  id: string,
  deadlineMs: number,
): Promise<void> {
  const statement = sql`
    WITH request AS (${requestRow(sql, request, id)}),
      letters AS (DELETE FROM dead_letter WHERE webhook_id = ${id})
    UPDATE webhook SET deleted_at = now(), updated_at = now(), is_enabled = false, secret = '' WHERE id = ${id}`;
  await withDeadline(statement, deadlineMs);
}

/** Webhooks that are to be tried now. */
export async function readDueWebhooks(sql: Sql, deadlineMs: number): Promise<StoredWebhook[]> {
  const rows = sql<StoredWebhook[]>`
    ${selected(sql)} WHERE deleted_at IS NULL AND is_enabled AND next_attempt_at <= now() ORDER BY next_attempt_at`;
  return await withDeadline(rows, deadlineMs);
}

/** Everything up to the cursor was taken; false when the webhook was moved on, switched or deleted meanwhile. */
export async function advanceWebhook(
  sql: Sql,
  { id, cursor: before }: Pick<StoredWebhook, 'id' | 'cursor'>,
  cursor: string,
  deadlineMs: number,
): Promise<boolean> {
  const rows = sql`
    UPDATE webhook SET cursor = ${cursor}, failing_until = NULL, failing_since = NULL, attempts = 0, last_error = '', next_attempt_at = now()
    WHERE id = ${id} AND cursor = ${before} AND deleted_at IS NULL RETURNING id`;
  return (await withDeadline(rows, deadlineMs)).length > 0;
}

/** A failed attempt: the batch up to `until` is sent again after `pauseMs`. */
export async function postponeWebhook(
  sql: Sql,
  { id, cursor }: Pick<StoredWebhook, 'id' | 'cursor'>,
  failure: {
    readonly until: string;
    readonly error: string;
    readonly pauseMs: number;
    /** Time of the oldest event of the batch. */
    readonly sinceMs: number;
  },
  deadlineMs: number,
): Promise<void> {
  const statement = sql`
    UPDATE webhook SET failing_until = ${failure.until}, failing_since = ${new Date(failure.sinceMs)}, attempts = attempts + 1, last_error = ${failure.error},
      next_attempt_at = now() + ${failure.pauseMs} * interval '1 millisecond'
    WHERE id = ${id} AND cursor = ${cursor} AND deleted_at IS NULL`;
  await withDeadline(statement, deadlineMs);
}
