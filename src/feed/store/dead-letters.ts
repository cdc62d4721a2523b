import { bytesArray, textArray } from '../../database/array-literal.ts';
import { type Sql, withDeadline } from '../../database/client.ts';
import type { StoredWebhook, WebhookRequest } from './webhooks.ts';

/** A dead letter as it is stored. */
export interface StoredDeadLetter {
  readonly id: string;
  readonly webhook_id: string;
  /** hongbao.v1.FeedEvent in binary form. */
  readonly event: Buffer;
  readonly attempts: number;
  readonly failed_at: Date;
  readonly last_error: string;
}

/** An event that is to become a dead letter. */
export interface NewDeadLetter {
  readonly userId: string;
  readonly event: Buffer;
}

/** After its last attempt a batch becomes dead letters, and the webhook goes on after it; both in one statement. */
export async function buryBatch(
  sql: Sql,
  { id, cursor: before }: Pick<StoredWebhook, 'id' | 'cursor'>,
  batch: {
    readonly letters: readonly NewDeadLetter[];
    readonly until: string;
    readonly attempts: number;
    readonly error: string;
  },
  deadlineMs: number,
): Promise<void> {
  const statement = sql`
    WITH moved AS (
      UPDATE webhook SET cursor = ${batch.until}, failing_until = NULL, failing_since = NULL, attempts = 0, last_error = ${batch.error},
        next_attempt_at = now()
      WHERE id = ${id} AND cursor = ${before} AND deleted_at IS NULL RETURNING id
    )
    INSERT INTO dead_letter (webhook_id, user_id, event, attempts, last_error)
    SELECT moved.id, letter.user_id, letter.event, ${batch.attempts}::integer, ${batch.error}::text
    FROM moved, unnest(${textArray(batch.letters.map(({ userId }) => userId))}::text[],
      ${bytesArray(batch.letters.map(({ event }) => event))}::bytea[]) WITH ORDINALITY AS letter(user_id, event, place)
    ORDER BY place`;
  await withDeadline(statement, deadlineMs);
}

/** Dead letters of a webhook after number `after`, oldest first. */
export async function readDeadLetters(
  sql: Sql,
  webhookId: string,
  page: { readonly after: number | undefined; readonly limit: number },
  deadlineMs: number,
): Promise<StoredDeadLetter[]> {
  const rows = sql<StoredDeadLetter[]>`
    SELECT id, webhook_id, event, attempts, failed_at, last_error FROM dead_letter
    WHERE webhook_id = ${webhookId} AND delivered_at IS NULL AND id > ${page.after ?? 0} ORDER BY id LIMIT ${page.limit}`;
  return await withDeadline(rows, deadlineMs);
}

/** Asks for a dead letter to be sent again; false when there is none. */
export async function askForRetry(
  sql: Sql,
  request: WebhookRequest,
  letter: { readonly webhookId: string; readonly id: string },
  deadlineMs: number,
): Promise<boolean> {
  const rows = sql`
    WITH asked AS (
      UPDATE dead_letter SET retry_at = now()
      WHERE id = ${letter.id}::bigint AND webhook_id = ${letter.webhookId} AND delivered_at IS NULL RETURNING webhook_id
    ), request AS (
      INSERT INTO webhook_request (method, request_id, content_digest, webhook_id)
      SELECT ${request.method}::text, ${request.requestId}::text, ${request.contentDigest}::bytea, webhook_id FROM asked
    )
    SELECT webhook_id FROM asked`;
  return (await withDeadline(rows, deadlineMs)).length > 0;
}

/** Dead letters somebody asked to send again, with what is needed to do so. */
export async function readRetries(
  sql: Sql,
  limit: number,
  deadlineMs: number,
): Promise<(StoredDeadLetter & Pick<StoredWebhook, 'url' | 'secret'>)[]> {
  const rows = sql<(StoredDeadLetter & Pick<StoredWebhook, 'url' | 'secret'>)[]>`
    SELECT l.id, l.webhook_id, l.event, l.attempts, l.failed_at, l.last_error, w.url, w.secret
    FROM dead_letter l JOIN webhook w ON w.id = l.webhook_id
    WHERE l.retry_at IS NOT NULL AND l.delivered_at IS NULL AND w.deleted_at IS NULL ORDER BY l.retry_at LIMIT ${limit}`;
  return await withDeadline(rows, deadlineMs);
}

/** What became of sending a dead letter again; `error` undefined = it was taken. */
export async function settleRetry(
  sql: Sql,
  id: string,
  error: string | undefined,
  deadlineMs: number,
): Promise<void> {
  const statement =
    error === undefined
      ? sql`UPDATE dead_letter SET delivered_at = now(), retry_at = NULL WHERE id = ${id}`
      : sql`
          UPDATE dead_letter SET retry_at = NULL, attempts = attempts + 1, failed_at = now(), last_error = ${error}
          WHERE id = ${id}`;
  await withDeadline(statement, deadlineMs);
}

/** How many dead letters there are, and since when the webhook that is furthest behind waits, ms since the epoch. */
export async function readFeedHealth(
  sql: Sql,
  deadlineMs: number,
): Promise<{ readonly deadLetters: number; readonly failingSinceMs: number | undefined }> {
  const rows = sql<{ letters: string; since: Date | null }[]>`
    SELECT (SELECT count(*) FROM dead_letter WHERE delivered_at IS NULL) AS letters,
      (SELECT min(failing_since) FROM webhook WHERE deleted_at IS NULL AND is_enabled) AS since`;
  const [row] = await withDeadline(rows, deadlineMs);
  return { deadLetters: Number(row?.letters ?? 0), failingSinceMs: row?.since?.getTime() };
}

/** Forgets delivered letters and requests from before an instant. */
export async function purgeWebhooks(sql: Sql, beforeMs: number, deadlineMs: number): Promise<number> {
  const before = new Date(beforeMs);
  const rows = sql`
    WITH letters AS (DELETE FROM dead_letter WHERE delivered_at < ${before} RETURNING id),
      requests AS (DELETE FROM webhook_request WHERE at < ${before} RETURNING request_id)
    SELECT id::text FROM letters UNION ALL SELECT request_id FROM requests`;
  return (await withDeadline(rows, deadlineMs)).length;
}
