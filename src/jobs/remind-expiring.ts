/** `remind-expiring`: coupons that are about to expire are announced, each once. */
import type { ArchivePlaces } from '../archive/places.ts';
import type { Sql } from '../database/client.ts';
import { MS_PER_DAY } from '../domain/durations.ts';
import type { Job, JobContext, JobCounts } from './job.ts';
import { NOTICE_BATCH_MS } from './limits.ts';
import { type ExpiryPlace, noteCoupons } from './store/notices.ts';

/** What the job needs. */
export interface ReminderPorts {
  readonly sql: Sql;
  readonly places: ArchivePlaces;
  /** Days ahead; 0 switches the job off. */
  readonly days: number;
  /** Coupons in one statement. */
  readonly batch: number;
  readonly cron: string;
  readonly timeZone: string;
  readonly nowMs: () => number;
}

const NO_COUPON = Buffer.alloc(0);

/** Makes the job. */
export function createReminderJob(ports: ReminderPorts): Job {
  return {
    name: 'remind-expiring',
    description: 'Announces coupons that are about to expire, each once.',
    times: { kind: 'cron', cron: ports.cron, timeZone: ports.timeZone },
    isEnabled: ports.days > 0,
    run: (context) => remind(ports, context),
  };
}

async function remind(ports: ReminderPorts, context: JobContext): Promise<JobCounts> {
  const beforeMs = context.nowMs + ports.days * MS_PER_DAY;
  let reminded = 0;
  let after: ExpiryPlace | undefined = { expiresAtMs: context.nowMs, couponId: NO_COUPON };
  while (after !== undefined && !context.signal.aborted) {
    const step = { kind: 'expiring', after, beforeMs, limit: ports.batch } as const;
    const result = await noteCoupons(ports.sql, ports.places, step, ports.nowMs() + NOTICE_BATCH_MS);
    reminded += result.noted;
    after = result.last;
    context.progress({ reminded });
  }
  return { reminded };
}
