/** The job that ends points whose time is over. It looks for them in the archive and ends them in the ledger. */

import type { PartitionId } from '../archive/ledger-port.ts';
import type { ArchivePlaces } from '../archive/places.ts';
import { type Sql, withDeadline } from '../database/client.ts';
import { decodePointsState } from '../domain/points.ts';
import { firstLivingMonth } from '../domain/points-month.ts';
import { CorruptRecordError } from '../domain/record-json.ts';
import type { Job, JobContext, JobCounts } from '../jobs/job.ts';
import { ACCOUNT_FIELDS } from '../ledger/record-fields.ts';
import { expirePoints } from './expire-points.ts';
import * as limits from './limits.ts';
import type { PointsPorts } from './points-ports.ts';

/** What the job works with. */
export interface ExpirePointsPorts extends PointsPorts {
  readonly sql: Sql;
  /** The parts of the archive in which accounts are looked for. */
  readonly places: ArchivePlaces;
  nowMs(): number;
}

/** Early in the day; only the first run of a month finds anything, later ones what it could not end. */
const CRON = '30 0 * * *';

interface AccountRow {
  readonly id: string;
  readonly value: Buffer;
}

/** Makes the job. It is off while points live for ever. */
export function createExpirePointsJob(ports: ExpirePointsPorts): Job {
  const { expiryMonths, timeZone } = ports.settings;
  return {
    name: 'expire-points',
    description: 'Ends points that have lived for as many months as they may.',
    times: { kind: 'cron', cron: CRON, timeZone },
    isEnabled: expiryMonths > 0,
    run: (context) => run(ports, context),
  };
}

/** An account that is ended twice finds nothing the second time, so a run may stop and begin again anywhere. */
async function run(ports: ExpirePointsPorts, context: JobContext): Promise<JobCounts> {
  const counts = { accounts: 0, expired: 0, points: 0 };
  for (const place of ports.places.all) await runAt(place, ports, context, counts);
  return counts;
}

async function runAt(
  place: PartitionId,
  ports: ExpirePointsPorts,
  context: JobContext,
  counts: { accounts: number; expired: number; points: number },
): Promise<void> {
  for (let after = ''; !context.signal.aborted; ) {
    const rows = await readAccounts(ports, place, after);
    const last = rows.at(-1);
    if (last === undefined) break;
    counts.accounts += rows.length;
    for (const ended of await endAll(ports, context, rows)) {
      counts.points += ended;
      if (ended > 0) counts.expired += 1;
    }
    context.progress({ ...counts });
    after = last.id;
  }
}

/** The next accounts with points, by user id; the archive may lag, which only leaves some for the next run. */
async function readAccounts(
  { sql, nowMs }: ExpirePointsPorts,
  { generation, partition }: PartitionId,
  after: string,
): Promise<AccountRow[]> {
  const rows = sql<AccountRow[]>`
    SELECT id, value FROM ledger_field
    WHERE generation = ${generation} AND partition = ${partition}
      AND target = 'account' AND id > ${after} AND field = ${ACCOUNT_FIELDS.points.bytes}
    ORDER BY id LIMIT ${limits.EXPIRY_ACCOUNTS}`;
  return await withDeadline(rows, nowMs() + limits.EXPIRY_STEP_MS);
}

async function endAll(
  ports: ExpirePointsPorts,
  { signal }: JobContext,
  rows: readonly AccountRow[],
): Promise<number[]> {
  const { expiryMonths, timeZone } = ports.settings;
  if (expiryMonths === 0) return [];
  const firstMonth = firstLivingMonth(ports.ledger.nowMs(), expiryMonths, timeZone);
  const due = rows.filter(({ value }) => isDue(value, firstMonth)).map(({ id }) => id);
  const ended: number[] = [];
  for (let start = 0; start < due.length && !signal.aborted; start += limits.EXPIRY_PARALLEL) {
    const deadlineMs = ports.nowMs() + limits.EXPIRY_STEP_MS;
    const batch = due.slice(start, start + limits.EXPIRY_PARALLEL);
    ended.push(...(await Promise.all(batch.map((userId) => expirePoints(ports, userId, deadlineMs)))));
  }
  return ended;
}

/** One account that cannot be read must not keep all others from ending; the audit names it. */
function isDue(value: Buffer, firstMonth: number): boolean {
  try {
    return decodePointsState(value).lots.some(({ month }) => month < firstMonth);
  } catch (error) {
    if (error instanceof CorruptRecordError) return false;
    throw error;
  }
}
