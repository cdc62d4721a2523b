/** Jobs that give or take back many coupons, as rows. */
import type postgres from 'postgres';
import { plainArray, textArray } from '../../database/array-literal.ts';
import { type Sql, withDeadline } from '../../database/client.ts';
import { auditOfAct, type StaffAct } from '../../definitions/store/staff-audit.ts';

/** How far a job is. */
export type GrantJobState = 'pending' | 'running' | 'done' | 'cancelled';

/** A job with its promotion's id. Times are null until they come. */
export interface GrantJobRow {
  readonly number: string;
  readonly job_id: string;
  readonly kind: 'grant' | 'revoke';
  /** Null when coupons of any promotions were named. */
  readonly promotion_ref: number | null;
  readonly promotion_id: string | null;
  readonly content_digest: Buffer;
  readonly state: GrantJobState;
  readonly segment: Segment | null;
  readonly prepared: boolean;
  readonly total: string;
  readonly granted: string;
  readonly refused: string;
  readonly reason: string;
  readonly return_stock: boolean;
  readonly created_by: string;
  readonly created_at: Date;
  readonly start_at: Date | null;
  readonly finished_at: Date | null;
  readonly cancel_digest: Buffer | null;
}

/** A filter over facts about users; every part given must hold. Times in ms since the epoch, absent = any. */
export interface Segment {
  readonly anyOfTags: readonly string[];
  readonly anyOfLevels: readonly string[];
  readonly registeredFromMs?: number;
  readonly registeredUntilMs?: number;
  readonly minOrdersCompleted?: number;
  readonly maxOrdersCompleted?: number;
}

/** A job as it is written down. */
export interface NewGrantJob {
  readonly jobId: string;
  readonly kind: 'grant' | 'revoke';
  readonly promotionRef: number | undefined;
  readonly contentDigest: Uint8Array;
  readonly reason: string;
  readonly notify: boolean;
  readonly returnStock: boolean;
  readonly actor: string;
  readonly nowMs: number;
  readonly startAtMs: number | undefined;
  readonly requestId: string;
  /** Known recipients, with the coupon where one is to be taken back; undefined: they are found when the job begins. */
  readonly recipients: readonly { readonly userId: string; readonly couponId?: string }[] | undefined;
  readonly segment: Segment | undefined;
  /** Every promotion it is about, for the audit log. */
  readonly refs: readonly number[];
}

/** Writes a job, its recipients and its audit lines down in one statement, unless the job is there. */
export async function insertGrantJob(sql: Sql, job: NewGrantJob, deadlineMs: number): Promise<void> {
  const { recipients = [] } = job;
  const users = textArray(recipients.map(({ userId }) => userId));
  const coupons = textArray(recipients.map(({ couponId }) => couponId));
  const at = new Date(job.nowMs);
  const startAt = job.startAtMs === undefined ? null : new Date(job.startAtMs);
  const segment = job.segment === undefined ? null : JSON.stringify(job.segment);
  const action = job.kind === 'grant' ? 'coupons_granted' : 'coupons_revoked';
  await withDeadline(
    sql`
      with acted as (
        insert into grant_job (job_id, kind, promotion_ref, content_digest, state, segment, prepared, total, reason, notify,
          return_stock, created_by, created_at, start_at)
        values (${job.jobId}, ${job.kind}, ${job.promotionRef ?? null}, ${job.contentDigest}, 'pending',
          ${segment}::text::jsonb, ${job.recipients !== undefined}, ${recipients.length}, ${job.reason}, ${job.notify},
          ${job.returnStock}, ${job.actor}, ${at}, ${startAt})
        on conflict (job_id) do nothing
        returning number
      ),
      named as (
        insert into grant_recipient (job, position, user_id, coupon_id)
        select acted.number, r.position, r.user_id, decode(r.coupon_id, 'hex')
        from acted, unnest(${users}::text[], ${coupons}::text[]) with ordinality as r (user_id, coupon_id, position)
      )
      insert into audit_entry (ref, at, actor, action, from_version, to_version, reason, changed_fields, also_issued,
        request_id)
      select ref, ${at}::timestamptz, ${job.actor}::text, ${action}::text, version, version, ${job.reason}::text, '{}',
        false, ${job.requestId}::text
      from promotion
      where ref = any(${plainArray(job.refs)}::integer[]) and exists (select from acted)`,
    deadlineMs,
  );
}

/** A job by its id; undefined when there is none. */
export async function readGrantJob(
  sql: Sql,
  jobId: string,
  deadlineMs: number,
): Promise<GrantJobRow | undefined> {
  return await readJob(sql, sql`j.job_id = ${jobId}`, deadlineMs);
}

/** Filters of the list of jobs; an empty text or list does not filter. */
export interface GrantJobFilter {
  readonly promotionId: string;
  readonly states: readonly GrantJobState[];
}

/** Jobs below a number (all when undefined), newest first. */
export async function listGrantJobs(
  sql: Sql,
  filter: GrantJobFilter,
  page: { readonly below: number | undefined; readonly limit: number },
  deadlineMs: number,
): Promise<readonly GrantJobRow[]> {
  const states = textArray(filter.states);
  const below = page.below ?? null;
  return await withDeadline(
    sql<GrantJobRow[]>`
      select j.*, p.id as promotion_id
      from grant_job j left join promotion p on p.ref = j.promotion_ref
      where (${filter.promotionId}::text = '' or p.id = ${filter.promotionId}::text)
        and (cardinality(${states}::text[]) = 0 or j.state = any(${states}::text[]))
        and (${below}::bigint is null or j.number < ${below}::bigint)
      order by j.number desc
      limit ${page.limit}`,
    deadlineMs,
  );
}

/** The oldest job that is to be worked on now and is none of those passed over; undefined when there is none. */
export async function nextGrantJob(
  sql: Sql,
  nowMs: number,
  passedOver: readonly number[],
  deadlineMs: number,
): Promise<GrantJobRow | undefined> {
  const [row] = await withDeadline(
    sql<GrantJobRow[]>`
      select j.*, p.id as promotion_id
      from grant_job j left join promotion p on p.ref = j.promotion_ref
      where j.state in ('pending', 'running') and (j.start_at is null or j.start_at <= ${new Date(nowMs)}::timestamptz)
        and j.number <> all(${plainArray(passedOver)}::bigint[])
      order by j.number
      limit 1`,
    deadlineMs,
  );
  return row;
}

/** Stops a job that has not ended; what it did stays. The act is noted where it stopped something. */
export async function cancelGrantJob(
  sql: Sql,
  jobId: string,
  cancel: { readonly requestId: string; readonly digest: Uint8Array },
  act: Omit<StaffAct, 'ref'> & { readonly ref: number | null },
  deadlineMs: number,
): Promise<void> {
  await withDeadline(
    sql`
      with acted as (
        update grant_job
        set state = 'cancelled', finished_at = ${new Date(act.atMs)}::timestamptz,
          cancel_request_id = ${cancel.requestId}, cancel_digest = ${cancel.digest}
        where job_id = ${jobId} and state in ('pending', 'running')
        returning number
      )
      ${auditOfAct(sql, { ...act, ref: act.ref ?? 0 })}`,
    deadlineMs,
  );
}

/** The job a cancel call with this id has stopped; undefined when there was none. */
export async function readCancelled(
  sql: Sql,
  requestId: string,
  deadlineMs: number,
): Promise<GrantJobRow | undefined> {
  return await readJob(sql, sql`j.cancel_request_id = ${requestId}`, deadlineMs);
}

async function readJob(
  sql: Sql,
  which: postgres.PendingQuery<postgres.Row[]>,
  deadlineMs: number,
): Promise<GrantJobRow | undefined> {
  const rows = sql<GrantJobRow[]>`
    select j.*, p.id as promotion_id
    from grant_job j left join promotion p on p.ref = j.promotion_ref
    where ${which}`;
  return (await withDeadline(rows, deadlineMs))[0];
}
