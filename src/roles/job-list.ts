/** Every job of the product, bound to what it works with. A job that is not here never runs. */

import type { ArchivePlaces } from '../archive/places.ts';
import type { Codes } from '../codes/codes.ts';
import { createCompleteCodeClaimsJob } from '../codes/complete-claims-job.ts';
import { createGenerateCodesJob } from '../codes/generate-codes-job.ts';
import type { Config } from '../config/config.ts';
import type { Sql } from '../database/client.ts';
import type { DefinitionPorts } from '../definitions/definition-ports.ts';
import { createActivateJob } from '../events/activate-job.ts';
import { createBirthdayJob } from '../events/birthday-job.ts';
import type { EventPorts } from '../events/event-ports.ts';
import { createRetryEventsJob } from '../events/retry-events-job.ts';
import { createDeliveryJob, createWebhookPurgeJob } from '../feed/deliver-webhooks.ts';
import { createMessageJob, logMessages } from '../feed/send-messages.ts';
import { secretPlace } from '../feed/webhooks.ts';
import { createRunGrantsJob } from '../grants/run-grants-job.ts';
import { createDetachJob } from '../jobs/detach-log.ts';
import type { Job, JobTimes } from '../jobs/job.ts';
import { createExpiryJob } from '../jobs/note-expiry.ts';
import { createPurgeRunsJob } from '../jobs/purge-runs.ts';
import { createReminderJob } from '../jobs/remind-expiring.ts';
import { createRetireJob } from '../jobs/retire-ledger.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Outbound } from '../outbound.ts';
import { createExpirePointsJob } from '../points/expire-job.ts';
import { createEraseUsersJob } from '../privacy/erasures.ts';
import { createReEncryptJob } from '../privacy/re-encrypt-job.ts';
import { createSweepJob } from '../redemption/sweep-job.ts';
import type { PromotionBook } from '../ruleset/promotion-book.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** What jobs work with. */
export interface JobParts {
  readonly config: Config;
  readonly sql: Sql;
  readonly places: ArchivePlaces;
  readonly ledger: Ledger;
  readonly definitions: DefinitionPorts;
  readonly book: PromotionBook;
  readonly codes: Codes;
  readonly events: EventPorts;
  readonly outbound: Outbound;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

const HOURLY = '0 * * * *';
/** Every hour, so that one in which a backup reads all tables, and no lock can be had, costs little. */
const DETACH_LOG_CRON = '50 * * * *';
/** Hours of little traffic, each job apart from the others. */
const RETIRE_CRON = '0 3 * * *';
const PURGE_RUNS_CRON = '30 3 * * *';
const PURGE_WEBHOOKS_CRON = '45 3 * * *';
const RE_ENCRYPT_CRON = '15 4 * * *';

/** All jobs. */
export function allJobs(parts: JobParts): Job[] {
  return [...lifeJobs(parts), ...issueJobs(parts), ...outwardJobs(parts), ...upkeepJobs(parts)];
}

function cronIn(timeZone: string, cron: string): JobTimes {
  return { kind: 'cron', cron, timeZone };
}

/** What time does to reservations, coupons and points. */
function lifeJobs({ config, sql, places, ledger, book, codes, metrics, nowMs }: JobParts): Job[] {
  const { timeZone, expiryBatch, expiryCron, expiryEnabled, expiryHourlyCheck, reminderDays } = config.jobs;
  const expiry = { sql, places, batch: expiryBatch, metrics, nowMs };
  return [
    createSweepJob({ ledger, codes: codes.book, promotions: book, nowMs }),
    createExpiryJob(expiry, {
      name: 'expire-coupons',
      times: cronIn(timeZone, expiryCron),
      isEnabled: expiryEnabled,
    }),
    createExpiryJob(expiry, {
      name: 'check-expiry',
      times: cronIn(timeZone, HOURLY),
      isEnabled: expiryHourlyCheck,
    }),
    createReminderJob({ ...expiry, days: reminderDays, cron: HOURLY, timeZone }),
    createExpirePointsJob({ ledger, settings: config.points, metrics, sql, places, nowMs }),
  ];
}

/** What brings coupons into being without anybody waiting. */
function issueJobs({ config, sql, places, ledger, definitions, codes, events, nowMs }: JobParts): Job[] {
  const { timeZone, birthdayCron } = config.events;
  return [
    createActivateJob({ definitions, rules: events.rules, nowMs }),
    createBirthdayJob(events, cronIn(timeZone, birthdayCron)),
    createRetryEventsJob(events),
    createGenerateCodesJob({ sql, secrets: codes.secrets, exportDays: codes.exportDays, nowMs }),
    createCompleteCodeClaimsJob({ sql, claims: codes.claims, nowMs }),
    createRunGrantsJob({ sql, ledger, places, nowMs }),
  ];
}

/** What tells others. */
function outwardJobs({ sql, outbound, metrics, logger, nowMs }: JobParts): Job[] {
  const { feed, box, reach } = outbound;
  return [
    createDeliveryJob({ sql, feed, box, reach, metrics, logger, nowMs, random: Math.random }),
    createMessageJob({ sql, feed, adapter: logMessages(logger), nowMs }),
  ];
}

/** What keeps the stores small, and promises about persons. */
function upkeepJobs({ config, sql, places, ledger, outbound, metrics, logger, nowMs }: JobParts): Job[] {
  const { timeZone, retentionDays, logRetentionDays } = config.jobs;
  const archived = { sql, places, ledger, timeZone, nowMs };
  return [
    createRetireJob({ ...archived, days: retentionDays, cron: RETIRE_CRON }),
    createDetachJob({ ...archived, days: logRetentionDays, cron: DETACH_LOG_CRON, metrics, logger }),
    createEraseUsersJob({ sql, ledger, logger, nowMs }),
    createReEncryptJob({
      sql,
      box: outbound.box,
      webhookPlace: secretPlace,
      times: cronIn(timeZone, RE_ENCRYPT_CRON),
      logger,
      nowMs,
    }),
    createPurgeRunsJob({ sql, cron: PURGE_RUNS_CRON, timeZone, nowMs }),
    createWebhookPurgeJob({ sql, cron: PURGE_WEBHOOKS_CRON, timeZone, nowMs }),
  ];
}
