/** The recipients of jobs: found once, taken in batches, each settled once. */
import { plainArray, textArray } from '../../database/array-literal.ts';
import { type Sql, withDeadline } from '../../database/client.ts';
import { LEASE_MS } from '../limits.ts';
import type { GrantJobRow, Segment } from './grant-jobs.ts';

/** Somebody a job is to do something for. */
export interface Recipient {
  readonly position: number;
  readonly user_id: string;
  /** The coupon to take back; null for grants. */
  readonly coupon_id: Buffer | null;
}

/** What was done: the coupon given or taken back, or the name of the reason why not. */
export interface Settled {
  readonly position: number;
  readonly couponId: string | undefined;
  readonly refusal: string | undefined;
}

/** Facts of erased users carry the last revision there is. */
const LAST_REVISION = Number.MAX_SAFE_INTEGER;

const EVERYBODY: Segment = { anyOfTags: [], anyOfLevels: [] };

/** Writes down the users a segment finds now. They are fixed from then on. */
export async function prepareSegment(sql: Sql, job: GrantJobRow, deadlineMs: number): Promise<void> {
  const { anyOfTags, anyOfLevels, ...bounds } = job.segment ?? EVERYBODY;
  const tags = textArray(anyOfTags);
  const levels = textArray(anyOfLevels);
  const { registeredFromMs: fromMs, registeredUntilMs: untilMs } = bounds;
  const [from, until] = [fromMs, untilMs].map((ms) => (ms === undefined ? null : new Date(ms)));
  const { minOrdersCompleted: least = null, maxOrdersCompleted: most = null } = bounds;
  await withDeadline(
    sql`
      with open as (
        select number from grant_job
        where number = ${job.number} and not prepared and state in ('pending', 'running')
        for update
      ),
      found as (
        insert into grant_recipient (job, position, user_id)
        select open.number, row_number() over (order by u.user_id), u.user_id
        from open, user_facts u
        where u.revision < ${LAST_REVISION}
          and (cardinality(${tags}::text[]) = 0 or u.tags && ${tags}::text[])
          and (cardinality(${levels}::text[]) = 0 or u.level = any(${levels}::text[]))
          and (${from ?? null}::timestamptz is null or u.registered_at >= ${from ?? null}::timestamptz)
          and (${until ?? null}::timestamptz is null or u.registered_at < ${until ?? null}::timestamptz)
          and (${least}::bigint is null or u.orders_completed >= ${least}::bigint)
          and (${most}::bigint is null or u.orders_completed <= ${most}::bigint)
        returning 1
      )
      update grant_job j
      set prepared = true, total = (select count(*) from found)
      from open
      where j.number = open.number`,
    deadlineMs,
  );
}

/** Writes down the unused coupons of a promotion, as far as they are archived. */
export async function preparePromotion(
  sql: Sql,
  job: GrantJobRow,
  nowMs: number,
  deadlineMs: number,
): Promise<void> {
  const now = new Date(nowMs);
  await withDeadline(
    sql`
      with open as (
        select number, promotion_ref from grant_job
        where number = ${job.number} and not prepared and state in ('pending', 'running')
        for update
      ),
      found as (
        insert into grant_recipient (job, position, user_id, coupon_id)
        select open.number, row_number() over (order by c.coupon_id), c.user_id, c.coupon_id
        from open join coupon c on c.promotion_ref = open.promotion_ref
        where c.state = 'unused' and not c.retired and (c.expires_at is null or c.expires_at >= ${now}::timestamptz)
        returning 1
      )
      update grant_job j
      set prepared = true, total = (select count(*) from found)
      from open
      where j.number = open.number`,
    deadlineMs,
  );
}

/** Takes on recipients nobody has done anything for; others leave them alone until the lease ends. */
export async function takeRecipients(
  sql: Sql,
  job: GrantJobRow,
  limit: number,
  deadlineMs: number,
): Promise<readonly Recipient[]> {
  const lease = `${LEASE_MS} milliseconds`;
  return await withDeadline(
    sql<Recipient[]>`
      with begun as (
        update grant_job set state = 'running' where number = ${job.number} and state = 'pending'
      ),
      waiting as (
        select r.job, r.position
        from grant_recipient r
        join grant_job j on j.number = r.job and j.state in ('pending', 'running')
        where r.job = ${job.number} and r.state = 'pending' and (r.leased_until is null or r.leased_until < now())
        order by r.position
        limit ${limit}
        for update of r skip locked
      )
      update grant_recipient r
      set leased_until = now() + ${lease}::interval
      from waiting
      where r.job = waiting.job and r.position = waiting.position
      returning r.position, r.user_id, r.coupon_id`,
    deadlineMs,
  );
}

/** Writes down what was done, and counts it, each recipient once. */
export async function settleRecipients(
  sql: Sql,
  jobNumber: string,
  settled: readonly Settled[],
  deadlineMs: number,
): Promise<void> {
  if (settled.length === 0) return;
  const positions = plainArray(settled.map(({ position }) => position));
  const coupons = textArray(settled.map(({ couponId }) => couponId));
  const refusals = textArray(settled.map(({ refusal }) => refusal));
  await withDeadline(
    sql`
      with done as (
        update grant_recipient r
        set state = case when s.refusal is null then 'done' else 'refused' end, refusal = s.refusal,
          coupon_id = coalesce(decode(s.coupon_id, 'hex'), r.coupon_id), leased_until = null
        from unnest(${positions}::integer[], ${coupons}::text[], ${refusals}::text[]) as s (position, coupon_id, refusal)
        where r.job = ${jobNumber} and r.position = s.position and r.state = 'pending'
        returning r.refusal
      )
      update grant_job
      set granted = granted + (select count(*) from done where refusal is null),
        refused = refused + (select count(*) from done where refusal is not null)
      where number = ${jobNumber}`,
    deadlineMs,
  );
}

/** Gives back recipients nothing is known about, so that the next attempt need not wait for the lease. */
export async function releaseRecipients(
  sql: Sql,
  jobNumber: string,
  positions: readonly number[],
  deadlineMs: number,
): Promise<void> {
  if (positions.length === 0) return;
  await withDeadline(
    sql`
      update grant_recipient set leased_until = null
      where job = ${jobNumber} and position = any(${plainArray(positions)}::integer[]) and state = 'pending'`,
    deadlineMs,
  );
}

/** Ends a job whose recipients are all settled; true when it has ended. */
export async function finishIfSettled(sql: Sql, jobNumber: string, deadlineMs: number): Promise<boolean> {
  const rows = await withDeadline(
    sql`
      update grant_job set state = 'done', finished_at = now()
      where number = ${jobNumber} and prepared and state in ('pending', 'running') and granted + refused >= total
      returning number`,
    deadlineMs,
  );
  return rows.length > 0;
}

/** What a job did to one recipient. */
export interface ResultRow {
  readonly position: number;
  readonly user_id: string;
  readonly coupon_id: Buffer | null;
  readonly state: 'done' | 'refused';
  readonly refusal: string | null;
}

/** Results after a position, in order. */
export async function readResults(
  sql: Sql,
  jobNumber: string,
  page: { readonly after: number; readonly limit: number },
  deadlineMs: number,
): Promise<readonly ResultRow[]> {
  return await withDeadline(
    sql<ResultRow[]>`
      select position, user_id, coupon_id, state, refusal
      from grant_recipient
      where job = ${jobNumber} and position > ${page.after} and state <> 'pending'
      order by position
      limit ${page.limit}`,
    deadlineMs,
  );
}
