import { type Sql, withDeadline } from '../../database/client.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { ChangeRecord } from './commit-version.ts';

/** What identifies a write: the id its caller gave, within one method, and a digest of everything else. */
export type WriteIdentity = Pick<ChangeRecord, 'method' | 'requestId' | 'contentDigest'>;

/** The version an accepted write led to. */
export interface RequestOutcome {
  readonly ref: number;
  readonly version: number;
}

/**
 * The outcome of an earlier call with this request id; undefined when there was none. Throws REQUEST_ID_REUSED when that
 * call had other content.
 */
export async function findOutcome(
  sql: Sql,
  write: WriteIdentity,
  deadlineMs: number,
): Promise<RequestOutcome | undefined> {
  const [row] = await withDeadline(
    sql<{ ref: number; version: number; content_digest: Buffer }[]>`
      select ref, version, content_digest
      from request_record
      where method = ${write.method} and request_id = ${write.requestId}`,
    deadlineMs,
  );
  if (row === undefined) return undefined;
  if (!row.content_digest.equals(write.contentDigest)) {
    throw new Refusal('REQUEST_ID_REUSED', 'this request_id was used for a call with other content');
  }
  return { ref: row.ref, version: row.version };
}

/**
 * Remembers a write that found everything as it should be, so that its request id answers the same later. False when the
 * promotion has moved on meanwhile. Throws the driver's unique violation when the request id is taken.
 */
export async function recordUnchanged(
  sql: Sql,
  outcome: RequestOutcome,
  record: ChangeRecord,
  deadlineMs: number,
): Promise<boolean> {
  const rows = await withDeadline(
    sql`
      insert into request_record (method, request_id, content_digest, ref, version, at)
      select ${record.method}::text, ${record.requestId}::text, ${record.contentDigest}::bytea, ref, version,
        ${new Date(record.atMs)}::timestamptz
      from promotion
      where ref = ${outcome.ref} and version = ${outcome.version}
      returning ref`,
    deadlineMs,
  );
  return rows.length > 0;
}
