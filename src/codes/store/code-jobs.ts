/** Jobs that make codes, as rows. */
import { createHash } from 'node:crypto';
import { bytesArray } from '../../database/array-literal.ts';
import { type Sql, withDeadline } from '../../database/client.ts';
import type { WriteIdentity } from '../../definitions/store/request-records.ts';
import { auditOfAct } from '../../definitions/store/staff-audit.ts';
import { Refusal } from '../../domain/refusal.ts';

/** How far a job is. */
export type CodeJobState = 'pending' | 'running' | 'done' | 'cancelled';

/** A job with its promotion's id. Absent times: it has not ended. */
export interface CodeJobRow {
  readonly number: number;
  readonly job_id: string;
  readonly promotion_id: string;
  readonly promotion_ref: number;
  readonly content_digest: Buffer;
  readonly prefix: string;
  readonly length: number;
  readonly total: string;
  readonly made: string;
  readonly state: CodeJobState;
  readonly created_by: string;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  readonly exportable_until: Date | null;
  readonly purged: boolean;
}

/** Who asks for codes, why, and by when. */
export interface CodeWrite {
  readonly identity: WriteIdentity;
  readonly promotionRef: number;
  readonly actor: string;
  readonly reason: string;
  readonly nowMs: number;
  readonly deadlineMs: number;
}

/** A code ready to be kept. */
export interface SealedCode {
  readonly hash: Buffer;
  readonly cipher: Buffer;
}

const ID_CHARACTERS = 32;

/** The public id of the job a write makes: the same write, the same job. */
export function jobIdOf(letter: string, { method, requestId }: WriteIdentity): string {
  const digest = createHash('sha256').update(`${method}:${requestId}`).digest('hex');
  return `${letter}-${digest.slice(0, ID_CHARACTERS)}`;
}

/** Writes a generation down unless it is there, and notes it in the audit log. */
export async function insertGeneration(
  sql: Sql,
  write: CodeWrite,
  codes: { readonly count: number; readonly length: number; readonly prefix: string },
): Promise<void> {
  const { identity, actor, reason, nowMs, promotionRef } = write;
  const act = {
    ref: promotionRef,
    action: 'codes_generated' as const,
    actor,
    reason,
    requestId: identity.requestId,
    atMs: nowMs,
  };
  await withDeadline(
    sql`
      with acted as (
        insert into code_job (job_id, kind, promotion_ref, content_digest, prefix, length, total, state, created_by,
          created_at)
        values (${jobIdOf('c', identity)}, 'generate', ${promotionRef}, ${identity.contentDigest}, ${codes.prefix},
          ${codes.length}, ${codes.count}, 'pending', ${actor}, ${new Date(nowMs)})
        on conflict (job_id) do nothing
        returning number
      )
      ${auditOfAct(sql, act)}`,
    write.deadlineMs,
  );
}

/** Whether an import made its job now, or had made it before. */
export type ImportOutcome = 'imported' | 'before';

/** Keeps the codes of an import in one statement; those that anybody has already are left out. */
export async function insertImport(
  sql: Sql,
  write: CodeWrite,
  codes: readonly SealedCode[],
  exportableUntilMs: number,
): Promise<ImportOutcome> {
  const { identity, actor, reason, nowMs, promotionRef } = write;
  const act = {
    ref: promotionRef,
    action: 'codes_imported' as const,
    actor,
    reason,
    requestId: identity.requestId,
    atMs: nowMs,
  };
  const at = new Date(nowMs);
  const rows = await withDeadline(
    sql`
      with brought as (
        select code.hash, code.cipher, code.place
        from unnest(${bytesArray(codes.map(({ hash }) => hash))}::bytea[],
          ${bytesArray(codes.map(({ cipher }) => cipher))}::bytea[]) with ordinality as code (hash, cipher, place)
        where not exists (select from promo_code c where c.hash = code.hash)
      ),
      acted as (
        insert into code_job (job_id, kind, promotion_ref, content_digest, prefix, length, total, made, state, created_by,
          created_at, finished_at, exportable_until)
        select ${jobIdOf('i', identity)}::text, 'import', ${promotionRef}::integer, ${identity.contentDigest}::bytea, '', 0,
          count(*), count(*), 'done', ${actor}::text, ${at}::timestamptz, ${at}::timestamptz,
          ${new Date(exportableUntilMs)}::timestamptz
        from brought
        on conflict (job_id) do nothing
        returning number
      ),
      kept as (
        insert into promo_code (hash, promotion_ref, job, number, cipher)
        select brought.hash, ${promotionRef}::integer, acted.number, brought.place, brought.cipher
        from acted, brought
        order by brought.hash
        on conflict (hash) do nothing
      ),
      audited as (${auditOfAct(sql, act)})
      select number from acted`,
    write.deadlineMs,
  );
  return rows.length > 0 ? 'imported' : 'before';
}

/** A job by its id; undefined when there is none. */
export async function readCodeJob(
  sql: Sql,
  jobId: string,
  deadlineMs: number,
): Promise<CodeJobRow | undefined> {
  const [row] = await withDeadline(
    sql<CodeJobRow[]>`
      select j.*, p.id as promotion_id
      from code_job j join promotion p on p.ref = j.promotion_ref
      where j.job_id = ${jobId}`,
    deadlineMs,
  );
  return row;
}

/** The job of a write. Throws REQUEST_ID_REUSED when it was made by a call with other content. */
export async function jobOfWrite(
  sql: Sql,
  letter: string,
  { identity, deadlineMs }: Pick<CodeWrite, 'identity' | 'deadlineMs'>,
): Promise<CodeJobRow | undefined> {
  const job = await readCodeJob(sql, jobIdOf(letter, identity), deadlineMs);
  if (job !== undefined && !job.content_digest.equals(identity.contentDigest))
    throw new Refusal('REQUEST_ID_REUSED', 'this request_id was used for a call with other content');
  return job;
}

/** The oldest generation that is not done; undefined when there is none. */
export async function nextGeneration(sql: Sql, deadlineMs: number): Promise<CodeJobRow | undefined> {
  const [row] = await withDeadline(
    sql<CodeJobRow[]>`
      select j.*, p.id as promotion_id
      from code_job j join promotion p on p.ref = j.promotion_ref
      where j.state in ('pending', 'running')
      order by j.number
      limit 1`,
    deadlineMs,
  );
  return row;
}

/** How far a job is after a batch. */
export interface BatchOutcome {
  readonly made: number;
  readonly state: CodeJobState;
}

/**
 * Keeps one batch of a generation and moves the job on, in one statement, provided the job stands where the caller believes;
 * undefined when it does not. A code that exists by chance is left out and made up for by the next batch.
 */
export async function insertBatch(
  sql: Sql,
  job: { readonly number: number; readonly made: number; readonly exportableUntilMs: number },
  codes: readonly SealedCode[],
  deadlineMs: number,
): Promise<BatchOutcome | undefined> {
  const [row] = await withDeadline(
    sql<{ made: string; state: CodeJobState }[]>`
      with open as (
        select number, promotion_ref from code_job
        where number = ${job.number} and made = ${job.made} and state in ('pending', 'running')
        for update
      ),
      kept as (
        insert into promo_code (hash, promotion_ref, job, number, cipher)
        select code.hash, open.promotion_ref, open.number, ${job.made}::bigint + code.place, code.cipher
        from open, unnest(${bytesArray(codes.map(({ hash }) => hash))}::bytea[],
          ${bytesArray(codes.map(({ cipher }) => cipher))}::bytea[]) with ordinality as code (hash, cipher, place)
        on conflict (hash) do nothing
        returning 1
      ),
      counted as (select count(*) as count from kept)
      update code_job j
      set made = j.made + counted.count,
        state = case when j.made + counted.count >= j.total then 'done' else 'running' end,
        finished_at = case when j.made + counted.count >= j.total then now() end,
        exportable_until = case when j.made + counted.count >= j.total
          then ${new Date(job.exportableUntilMs)}::timestamptz end
      from open, counted
      where j.number = open.number
      returning j.made, j.state`,
    deadlineMs,
  );
  return row && { made: Number(row.made), state: row.state };
}

/** Removes some ciphertexts of a job past its time; true when something may be left to do. */
export async function purgeCiphers(sql: Sql, limit: number, deadlineMs: number): Promise<boolean> {
  const [row] = await withDeadline(
    sql<{ left: boolean }[]>`
      with over as (
        select number from code_job where not purged and exportable_until < now() order by exportable_until limit 1
      ),
      ripe as (
        select c.hash from promo_code c join over on c.job = over.number where c.cipher is not null limit ${limit}
      ),
      emptied as (
        update promo_code c set cipher = null from ripe where c.hash = ripe.hash returning 1
      ),
      finished as (
        update code_job j set purged = true from over
        where j.number = over.number and (select count(*) from ripe) < ${limit}
      )
      select exists (select from over) as left, (select count(*) from emptied)`,
    deadlineMs,
  );
  return row?.left ?? false;
}
