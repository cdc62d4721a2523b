/** The job that gives birthday coupons: it finds users by their stored birthday, so many days before as the promotion says. */
import { type Sql, withDeadline } from '../database/client.ts';
import type { Job, JobContext, JobTimes } from '../jobs/job.ts';
import { type BirthdayDay, birthdayDays, localDate } from './birthdays.ts';
import { isDone } from './event-effect.ts';
import type { EventPorts } from './event-ports.ts';
import { grantCoupons } from './grant-coupons.ts';
import * as limits from './limits.ts';
import { daysAhead, type GrantingPromotion, grantingOn } from './occasions.ts';

type BirthdayPorts = Pick<EventPorts, 'sql' | 'ledger' | 'rules' | 'settings' | 'nowMs'>;

interface Run {
  readonly ports: BirthdayPorts;
  readonly context: JobContext;
  readonly counts: Record<'users' | 'issued' | 'refused', number>;
}

/** Makes the job; `times` says when it runs, once a day is enough. */
export function createBirthdayJob(ports: BirthdayPorts, times: JobTimes): Job {
  return {
    name: 'issue-birthday-coupons',
    description: 'Gives users the coupons for their birthday, once a year.',
    times,
    isEnabled: true,
    run: (context) => issueBirthdayCoupons(ports, context),
  };
}

async function issueBirthdayCoupons(ports: BirthdayPorts, context: JobContext): Promise<Run['counts']> {
  const run: Run = { ports, context, counts: { users: 0, issued: 0, refused: 0 } };
  const today = localDate(context.nowMs, ports.settings.timeZone);
  for (const promotion of grantingOn(ports.rules.current, 'birthday', context.nowMs)) {
    for (const day of birthdayDays(today, limits.BIRTHDAY_CATCH_UP_DAYS, daysAhead(promotion))) {
      if (context.signal.aborted) return run.counts;
      await issueForDay(run, promotion, day);
    }
  }
  return run.counts;
}

/** Gives the coupons of one promotion for one day; a day that was done before only to users told of since. */
async function issueForDay(run: Run, promotion: GrantingPromotion, day: BirthdayDay): Promise<void> {
  const { sql } = run.ports;
  const { beganAt, sinceAt } = await beginDay(sql, promotion.ref, day, deadlineOf(run));
  for (const key of day.keys) {
    for (let after = ''; ; ) {
      const userIds = await usersBornOn(sql, { key, after, sinceAt }, deadlineOf(run));
      await issueToAll(run, promotion, day, userIds);
      const last = userIds.at(-1);
      if (run.context.signal.aborted) return;
      if (last === undefined || userIds.length < limits.USERS_PER_PAGE) break;
      after = last;
    }
  }
  await endDay(sql, promotion.ref, day, beganAt, deadlineOf(run));
}

function deadlineOf({ ports }: Run): number {
  return ports.nowMs() + limits.ATTEMPT_MS;
}

async function issueToAll(
  run: Run,
  promotion: GrantingPromotion,
  { year }: BirthdayDay,
  userIds: readonly string[],
): Promise<void> {
  const { ports, counts, context } = run;
  const waiting = userIds.values();
  const issue = async (): Promise<void> => {
    for (const userId of waiting) {
      if (context.signal.aborted) return;
      const occasion = {
        userId,
        promotions: [promotion],
        source: 'system',
        key: ['birthday', year],
      } as const;
      const effects = await grantCoupons(ports, occasion, deadlineOf(run));
      counts.users += 1;
      counts[effects.every(isDone) ? 'issued' : 'refused'] += 1;
    }
  };
  await Promise.all(Array.from({ length: limits.COUPONS_AT_A_TIME }, issue));
  context.progress(counts);
}

/** The database's clock, which also stamps changes of facts, at the beginning of this run and of the last one that ended. */
async function beginDay(
  sql: Sql,
  ref: number,
  { date }: BirthdayDay,
  deadlineMs: number,
): Promise<{ readonly beganAt: string; readonly sinceAt: string | null }> {
  const [row] = await withDeadline(
    sql<{ began_at: string; since_at: string | null }[]>`
      select now()::text as began_at, (
        select issued_until::text from birthday_issue
        where promotion_ref = ${ref} and birthday = ${date}::text::date
      ) as since_at`,
    deadlineMs,
  );
  return { beganAt: row?.began_at ?? '-infinity', sinceAt: row?.since_at ?? null };
}

async function endDay(
  sql: Sql,
  ref: number,
  { date }: BirthdayDay,
  beganAt: string,
  deadlineMs: number,
): Promise<void> {
  await withDeadline(
    sql`
      with old as (
        delete from birthday_issue where birthday < ${date}::text::date - ${limits.BIRTHDAY_KEPT_DAYS}::integer
      )
      insert into birthday_issue as b (promotion_ref, birthday, issued_until)
      values (${ref}, ${date}::text::date, ${beganAt}::text::timestamptz)
      on conflict (promotion_ref, birthday) do update
      set issued_until = greatest(b.issued_until, excluded.issued_until)`,
    deadlineMs,
  );
}

/** Users with a birthday, one page in order of their ids; with `sinceAt` those whose facts changed around it or later. */
async function usersBornOn(
  sql: Sql,
  page: { readonly key: number; readonly after: string; readonly sinceAt: string | null },
  deadlineMs: number,
): Promise<string[]> {
  const rows = await withDeadline(
    sql<{ user_id: string }[]>`
      select user_id from user_facts
      where birthday_key = ${page.key} and user_id > ${page.after}
        and (${page.sinceAt}::text is null
          or updated_at > ${page.sinceAt}::text::timestamptz - ${limits.COPY_LAG_MS} * interval '1 millisecond')
      order by user_id
      limit ${limits.USERS_PER_PAGE}`,
    deadlineMs,
  );
  return rows.map(({ user_id }) => user_id);
}
