/**
 * `expire-coupons` and `check-expiry`: write down which coupons are past their date. Every read knows that at once and by
 * itself; nothing is written to Redis. What is written down here feeds the outbound feed, statistics and retention.
 */
import type { ArchivePlaces } from '../archive/places.ts';
import { readArchivedUntil } from '../archive/queries.ts';
import type { Sql } from '../database/client.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Job, JobContext, JobCounts, JobTimes } from './job.ts';
import { EXPIRY_OVERLAP_MS, NOTICE_BATCH_MS } from './limits.ts';
import { readProgressAt, writeProgressAt } from './store/catalogue.ts';
import { type ExpiryPlace, noteCoupons, noteLateReturns } from './store/notices.ts';

/** What the expiry jobs need. */
export interface ExpiryPorts {
  readonly sql: Sql;
  readonly places: ArchivePlaces;
  /** Coupons in one statement. */
  readonly batch: number;
  readonly metrics: Pick<Metrics, 'couponsExpired'>;
  readonly nowMs: () => number;
}

/** When an expiry job runs, and under which name. */
export interface ExpiryTimes {
  readonly name: 'expire-coupons' | 'check-expiry';
  readonly times: JobTimes;
  readonly isEnabled: boolean;
}

const PROGRESS = 'expire-coupons';
const NO_COUPON = Buffer.alloc(0);

/** Makes an expiry job. */
export function createExpiryJob(ports: ExpiryPorts, { name, times, isEnabled }: ExpiryTimes): Job {
  return {
    name,
    description: 'Writes down which coupons are past their date.',
    times,
    isEnabled,
    run: (context) => noteExpired(ports, context),
  };
}

/** Goes on where the last run ended; what the archive does not reach yet is left for the next one. */
async function noteExpired(ports: ExpiryPorts, context: JobContext): Promise<JobCounts> {
  const { sql, places, metrics, nowMs } = ports;
  const within = (): number => nowMs() + NOTICE_BATCH_MS;
  const archivedMs = (await readArchivedUntil(sql, places, within())) ?? 0;
  const reachedMs = (await readProgressAt(sql, PROGRESS, within())) ?? 0;
  const beforeMs = context.nowMs;
  let expired = await walk(ports, context, Math.max(0, reachedMs - EXPIRY_OVERLAP_MS), beforeMs);
  for (let late = ports.batch; late === ports.batch && !context.signal.aborted; expired += late) {
    late = await noteLateReturns(sql, places, ports.batch, within());
    metrics.couponsExpired.value += late;
  }
  if (!context.signal.aborted)
    await writeProgressAt(sql, PROGRESS, Math.max(reachedMs, Math.min(beforeMs, archivedMs)), within());
  return { expired };
}

async function walk(
  { sql, places, batch, metrics, nowMs }: ExpiryPorts,
  { signal, progress }: JobContext,
  fromMs: number,
  beforeMs: number,
): Promise<number> {
  let expired = 0;
  let after: ExpiryPlace | undefined = { expiresAtMs: fromMs, couponId: NO_COUPON };
  while (after !== undefined && !signal.aborted) {
    const step = { kind: 'expired', after, beforeMs, limit: batch } as const;
    const result = await noteCoupons(sql, places, step, nowMs() + NOTICE_BATCH_MS);
    expired += result.noted;
    metrics.couponsExpired.value += result.noted;
    after = result.last;
    progress({ expired });
  }
  return expired;
}
