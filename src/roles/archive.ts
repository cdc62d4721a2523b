/**
 * `archive`: brings the ledger's events to Postgres, keeps the gate and runs the jobs. Several may run; one works per
 * partition, and one runs the jobs.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { createArchiveRole } from '../archive/role.ts';
import type { Config } from '../config/config.ts';
import { LedgerAdmin } from '../ledger/admin.ts';
import { connectLedger } from '../ledger/connection.ts';
import { GENERATION, ledgerConnection } from '../ledger-settings.ts';
import { createLogger, LOG_EVENTS } from '../telemetry/logger.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { OpsServer } from '../transport/ops-server.ts';
import { readBuild } from './build.ts';
import { JobWorker } from './job-worker.ts';
import { endOnUncaughtErrors, untilSignal } from './until-signal.ts';

/** Runs until a signal, then finishes the batch under way and gives the partitions back. Exit code 0. */
export async function archive(config: Config): Promise<number> {
  const logger = createLogger({ level: config.service.logLevel, role: 'archive' });
  endOnUncaughtErrors(logger);
  const metrics = createMetrics(readBuild());
  const redis = connectLedger(ledgerConnection(config), 'hongbao-archive');
  redis.on('error', (error) =>
    logger.warn({ event: LOG_EVENTS.ledgerConnection, cause: error.message }, 'no connection'),
  );
  const owner = `${hostname()}:${process.pid}:${randomUUID()}`;
  const jobs = new JobWorker({ config, metrics, logger, redis, owner, nowMs: Date.now });
  const role = createArchiveRole({
    databaseUrl: config.database.url,
    ledgerAdmin: (id) => new LedgerAdmin(redis, id.generation, id.partition),
    metrics,
    logger,
    config: {
      generation: GENERATION,
      partitions: 1,
      owner,
      leaseMs: config.archive.leaseMs,
      flushIntervalMs: config.archive.flushIntervalMs,
      trimMarginMs: config.archive.trimMarginMs,
    },
    nowMs: Date.now,
  });
  const ops = new OpsServer(config.ops, metrics, {
    isReady: () => true,
    details: () => ({ role: 'archive' }),
  });
  const signalled = untilSignal();
  const opsPort = await ops.listen();
  role.start();
  const begun = jobs.start();
  logger.info({ event: LOG_EVENTS.serviceStarted, opsPort }, 'archiving');
  await signalled;
  // Jobs first: what they write still reaches the archive.
  await jobs.stop();
  await begun;
  await role.stop();
  await ops.close();
  redis.disconnect();
  logger.info({ event: LOG_EVENTS.serviceStopped }, 'stopped');
  return 0;
}
