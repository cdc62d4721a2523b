/**
 * `archive`: brings the ledger's events to Postgres, keeps the gate and runs the jobs. Several may run; one works per
 * partition, and one runs the jobs.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { learnGeneration } from '../archive/learn-generation.ts';
import { ArchivePlaces } from '../archive/places.ts';
import { type ArchiveRole, createArchiveRole } from '../archive/role.ts';
import type { Config } from '../config/config.ts';
import { createDatabase } from '../database/client.ts';
import { LedgerAdmin } from '../ledger/admin.ts';
import { PartitionConnections } from '../ledger/partition-connection.ts';
import { ledgerConnection } from '../ledger-settings.ts';
import { createLogger, LOG_EVENTS, type Logger } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { TRACES_STOP_MS } from '../telemetry/tracing/limits.ts';
import { startTracing } from '../telemetry/tracing/tracer.ts';
import { OpsServer } from '../transport/ops-server.ts';
import { readBuild } from './build.ts';
import { JobWorker } from './job-worker.ts';
import { endOnUncaughtErrors, untilSignal } from './until-signal.ts';

/** How long the start waits for Redis before it goes on without. */
const LEDGER_START_MS = 2_000;

/** Runs until a signal, then finishes the batch under way and gives the partitions back. Exit code 0. */
export async function archive(config: Config): Promise<number> {
  const logger = createLogger({ level: config.service.logLevel, role: 'archive' });
  endOnUncaughtErrors(logger);
  const build = readBuild('archive');
  const metrics = createMetrics(build);
  const tracer = await startTracing(config.tracing, { build, metrics, logger });
  const connections = new PartitionConnections(ledgerConnection(config), 'hongbao-archive', (error) =>
    logger.warn({ event: LOG_EVENTS.ledgerConnection, cause: error.message }, 'no connection'),
  );
  const owner = `${hostname()}:${process.pid}:${randomUUID()}`;
  const { partitions } = config.ledger;
  const places = new ArchivePlaces(undefined, partitions);
  const shared = { metrics, logger, tracer, nowMs: Date.now };
  const jobs = new JobWorker({ ...shared, config, connections, places, owner });
  const createRole = (): ArchiveRole =>
    createArchiveRole({
      databaseUrl: config.database.url,
      ledgerAdmin: ({ generation, partition }) =>
        new LedgerAdmin(connections.of(partition), generation, partition, partitions),
      ...shared,
      config: { generation: places.generation, partitions, owner, ...config.archive },
    });
  const ops = new OpsServer(config.ops, metrics, {
    isReady: () => true,
    details: () => ({ role: 'archive' }),
  });
  const signalled = untilSignal();
  const opsPort = await ops.listen();
  await connections.start(LEDGER_START_MS);
  if (await joinLedger(config, logger, places, signalled)) {
    const role = createRole();
    role.start();
    const begun = jobs.start();
    logger.info({ event: LOG_EVENTS.serviceStarted, opsPort }, 'archiving');
    await signalled;
    // Jobs first: what they write still reaches the archive.
    await jobs.stop();
    await begun;
    await role.stop();
  }
  await ops.close();
  connections.close();
  await tracer?.stop(Math.min(TRACES_STOP_MS, config.drain.graceMs));
  logger.info({ event: LOG_EVENTS.serviceStopped }, 'stopped');
  return 0;
}

/** Nothing can be archived before Postgres has said which generation is in force; false when the process is told to stop. */
async function joinLedger(
  config: Config,
  logger: Logger,
  places: ArchivePlaces,
  signalled: Promise<unknown>,
): Promise<boolean> {
  const { url, statementTimeoutMs, connectTimeoutMs } = config.database;
  const sql = createDatabase(url, {
    applicationName: 'hongbao-archive-start',
    maxConnections: 1,
    statementTimeoutMs,
    connectTimeoutMs,
  });
  const stopping = new AbortController();
  void signalled.then(() => stopping.abort());
  try {
    return await learnGeneration({ sql, logger }, places, stopping.signal);
  } finally {
    await sql.end({ timeout: 1 });
  }
}
