/**
 * `re-encrypt`: after a change of keys, seals everything anew that an older key keeps, so that the old key can be thrown away.
 * Safe at any time: a value that changes meanwhile is left to its new writer, and a run that was cut off is made again.
 */
import { type Sql, withDeadline } from '../database/client.ts';
import type { Job, JobContext, JobCounts, JobTimes } from '../jobs/job.ts';
import { LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import { RESEALED_AT_ONCE, STEP_MS } from './limits.ts';
import { PHONE_KIND, profilePlace } from './profiles.ts';
import { SealedValueError, type SecretBox } from './secret-box.ts';

/** What sealing anew needs. */
export interface ReEncryptPorts {
  readonly sql: Sql;
  readonly box: SecretBox;
  /** Where the secret of a webhook belongs. */
  readonly webhookPlace: (webhookId: string) => string;
  readonly times: JobTimes;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

interface ProfileRow {
  readonly id: string;
  readonly phone: Buffer | null;
  readonly name: Buffer | null;
}

interface WebhookRow {
  readonly id: string;
  readonly secret: Buffer;
}

/** One kind of row that holds sealed values. */
interface SealedRows<Row extends { readonly id: string }> {
  readonly name: 'profiles' | 'webhooks';
  /** Rows behind `after` that an older key keeps, by id. */
  readonly stale: (after: string, deadlineMs: number) => Promise<readonly Row[]>;
  /** Seals a row anew, unless it changed meanwhile. @throws SealedValueError */
  readonly reseal: (row: Row, deadlineMs: number) => Promise<unknown>;
}

/** Makes the job. */
export function createReEncryptJob(ports: ReEncryptPorts): Job {
  return {
    name: 're-encrypt',
    description: 'Seals phones, names and secrets of webhooks anew that an older key keeps.',
    times: ports.times,
    isEnabled: true,
    run: (context) => reEncrypt(ports, context),
  };
}

async function reEncrypt(ports: ReEncryptPorts, context: JobContext): Promise<JobCounts> {
  const counts = { profiles: 0, webhooks: 0, unreadable: 0 };
  await resealAll(ports, profileRows(ports), context, counts);
  await resealAll(ports, webhookRows(ports), context, counts);
  return counts;
}

async function resealAll<Row extends { readonly id: string }>(
  { nowMs, logger }: ReEncryptPorts,
  { name, stale, reseal }: SealedRows<Row>,
  { signal, progress }: JobContext,
  counts: { profiles: number; webhooks: number; unreadable: number },
): Promise<void> {
  let rows: readonly Row[];
  let after = '';
  do {
    rows = await stale(after, nowMs() + STEP_MS);
    for (const row of rows) {
      if (signal.aborted) return;
      try {
        await reseal(row, nowMs() + STEP_MS);
        counts[name] += 1;
      } catch (error) {
        if (!(error instanceof SealedValueError)) throw error;
        counts.unreadable += 1;
      }
      after = row.id;
    }
    progress(counts);
  } while (rows.length === RESEALED_AT_ONCE);
  if (counts.unreadable > 0) {
    const line = { event: LOG_EVENTS.sealedUnreadable, unreadable: counts.unreadable };
    logger.warn(line, 'Some sealed values open with none of the configured keys');
  }
}

function profileRows({ sql, box }: ReEncryptPorts): SealedRows<ProfileRow> {
  const header = box.newestHeader;
  const renewed = (sealed: Buffer | null, place: string): { text: string; sealed: Buffer } | undefined => {
    const text = sealed === null ? undefined : box.open(sealed, place);
    return text === undefined ? undefined : { text, sealed: box.seal(text, place) };
  };
  return {
    name: 'profiles',
    stale: (after, deadlineMs) =>
      withDeadline(
        sql<ProfileRow[]>`
          SELECT user_id AS id, phone, name FROM user_profile
          WHERE user_id > ${after} AND (substring(phone FROM 1 FOR ${header.length}) <> ${header}
            OR substring(name FROM 1 FOR ${header.length}) <> ${header})
          ORDER BY user_id LIMIT ${RESEALED_AT_ONCE}`,
        deadlineMs,
      ),
    reseal: async ({ id, phone, name }, deadlineMs) => {
      const newPhone = renewed(phone, profilePlace('phone', id));
      const newName = renewed(name, profilePlace('name', id));
      const digest = newPhone === undefined ? null : box.digests(newPhone.text, PHONE_KIND)[0];
      // `updated_at` stays: of several users with one phone the last to give it is found by it.
      const update = sql`
        UPDATE user_profile SET phone = ${newPhone?.sealed ?? null}::bytea, name = ${newName?.sealed ?? null}::bytea,
          phone_digest = ${digest}::bytea
        WHERE user_id = ${id} AND phone IS NOT DISTINCT FROM ${phone}::bytea AND name IS NOT DISTINCT FROM ${name}::bytea`;
      return await withDeadline(update, deadlineMs);
    },
  };
}

function webhookRows({ sql, box, webhookPlace }: ReEncryptPorts): SealedRows<WebhookRow> {
  const header = box.newestHeader;
  return {
    name: 'webhooks',
    stale: (after, deadlineMs) =>
      withDeadline(
        sql<WebhookRow[]>`
          SELECT id, secret FROM webhook
          WHERE id > ${after} AND deleted_at IS NULL AND substring(secret FROM 1 FOR ${header.length}) <> ${header}
          ORDER BY id LIMIT ${RESEALED_AT_ONCE}`,
        deadlineMs,
      ),
    reseal: async ({ id, secret }, deadlineMs) => {
      const sealed = box.seal(box.open(secret, webhookPlace(id)), webhookPlace(id));
      return await withDeadline(
        sql`UPDATE webhook SET secret = ${sealed} WHERE id = ${id} AND secret = ${secret}`,
        deadlineMs,
      );
    },
  };
}
