/** A ledger on a real Redis whose events are archived to a real Postgres by the archive role, for tests of what reads both. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { ArchiveClient } from '../src/archive/archive-client.ts';
import { Archiver, type ArchiverDependencies } from '../src/archive/archiver.ts';
import type { EventFilter } from '../src/archive/find-events.ts';
import { ArchivePlaces } from '../src/archive/places.ts';
import { createArchiveRole } from '../src/archive/role.ts';
import { createDatabase, type Sql } from '../src/database/client.ts';
import type { FeedFilter } from '../src/feed/feed.ts';
import type { Job, JobCounts } from '../src/jobs/job.ts';
import { createMetrics } from '../src/telemetry/metrics.ts';
import { createTestDatabase } from './database.ts';
import { type LedgerFixture, startLedgerFixture } from './ledger-fixture.ts';

/** The partition of the fixture. */
export const PARTITION = { generation: 1, partition: 0 };
/** The partitions of the fixture, as readers of the archive want them. */
export const PLACES = new ArchivePlaces(1, 1);

/** Takes every happening of the feed. */
export const EVERY_HAPPENING: FeedFilter = { kinds: new Set(), userId: undefined };
/** Takes every event of the log. */
export const EVERY_EVENT: EventFilter = {
  promotionRef: undefined,
  userId: undefined,
  kinds: new Set(),
  fromMs: undefined,
  untilMs: undefined,
};

/** An archiver whose turns the test takes itself; of the fixture's partition, silent, unless told. */
export function archiverOf(
  client: ArchiveClient,
  ledger: ArchiverDependencies['ledger'],
  changes: Partial<ArchiverDependencies> = {},
): Archiver {
  return new Archiver({
    id: PARTITION,
    client,
    ledger,
    metrics: createMetrics({ version: 'test', node: process.version }),
    logger: pino({ level: 'silent' }),
    owner: 'test',
    nowMs: Date.now,
    ...changes,
  });
}

/** Ledger, archive, and ways to wait for it. */
export interface ArchivedLedger extends LedgerFixture {
  readonly sql: Sql;
  /** Kept when everything written so far is in Postgres. */
  archived(): Promise<void>;
}

/** Starts everything; close it in `afterAll`. */
export async function startArchivedLedger(): Promise<ArchivedLedger> {
  const [fixture, database] = await Promise.all([startLedgerFixture(), createTestDatabase()]);
  const sql = createDatabase(database.url, {
    applicationName: 'test',
    maxConnections: 4,
    statementTimeoutMs: 10_000,
    connectTimeoutMs: 5_000,
  });
  const role = createArchiveRole({
    databaseUrl: database.url,
    ledgerAdmin: () => fixture.admin,
    metrics: createMetrics({ version: 'test', node: process.version }),
    logger: pino({ level: 'silent' }),
    config: { ...PARTITION, partitions: 1, owner: 'test', flushIntervalMs: 0 },
    nowMs: Date.now,
  });
  role.start();
  const cursor = async (): Promise<number> => {
    const [row] = await sql<{ seq: string }[]>`SELECT seq FROM ledger_cursor`;
    return Number(row?.seq ?? -1);
  };
  return {
    ...fixture,
    sql,
    async archived() {
      const lastSeq = (await fixture.admin.lastSeq()) ?? -1;
      while ((await cursor()) < lastSeq) await sleep(10);
    },
    async close() {
      await role.stop();
      await sql.end({ timeout: 1 });
      await Promise.all([fixture.close(), database.drop()]);
    },
  };
}

/** Writes promotions as far as tests read them: by number and public id. */
export async function addPromotion(sql: Sql, ref: number, id: string): Promise<void> {
  await sql`
    INSERT INTO promotion (ref, id, version, state, category, way, effect, currency, priority, tags, searchable, created_at,
      updated_at, rule_set_version)
    VALUES (${ref}, ${id}, 1, 'active', 1, 1, 1, 'CNY', 0, '{}', '', now(), now(), ${ref})`;
}

/** One run of a job at a moment. */
export async function runOnce(job: Job, nowMs: number): Promise<JobCounts> {
  const { signal } = new AbortController();
  return await job.run({ signal, nowMs, progress: () => {} });
}
