/** The environment variables of jobs; a section of `variables.ts`. */
import { cronLine, flag, integer, timeZone } from './variable.ts';

/** When jobs run, and what they do at a time. */
export const JOB_VARIABLES = {
  leaseMs: integer(
    'HONGBAO_JOBS_LEASE_MS',
    5_000,
    'Time after which a silent leader of the jobs is replaced.',
    {
      min: 1_000,
    },
  ),
  timeZone: timeZone('HONGBAO_JOBS_TIME_ZONE', 'Asia/Shanghai', 'Time zone of the cron lines of jobs.'),
  expiryEnabled: flag(
    'HONGBAO_JOBS_EXPIRY_ENABLED',
    true,
    'Whether expired coupons are written down by schedule.',
  ),
  expiryCron: cronLine('HONGBAO_JOBS_EXPIRY_CRON', '0 1 * * *', 'When expired coupons are written down.'),
  expiryBatch: integer(
    'HONGBAO_JOBS_EXPIRY_BATCH',
    1_000,
    'Coupons written down as expired in one statement.',
    {
      min: 1,
      max: 10_000,
    },
  ),
  expiryHourlyCheck: flag(
    'HONGBAO_JOBS_EXPIRY_HOURLY_CHECK',
    false,
    'Whether expired coupons are also written down every hour.',
  ),
  reminderDays: integer(
    'HONGBAO_JOBS_REMINDER_DAYS',
    3,
    'Days before its end at which a coupon is announced as about to expire; 0 = never.',
    { max: 90 },
  ),
  retentionDays: integer(
    'HONGBAO_JOBS_RETENTION_DAYS',
    90,
    'Days after which used and expired coupons and closed orders leave Redis; the archive keeps them. 0 = never.',
    { max: 3_650 },
  ),
  logRetentionDays: integer(
    'HONGBAO_ARCHIVE_LOG_RETENTION_DAYS',
    0,
    'Days after which segments of the log of events are detached into the schema `hongbao_detached`, for the operator to dump and drop. 0 = never; otherwise at least 30, and more than `HONGBAO_JOBS_RETENTION_DAYS`.',
    { max: 3_650 },
  ),
} as const;
