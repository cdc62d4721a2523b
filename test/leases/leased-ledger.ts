/** A ledger of several partitions on one real Redis, as several processes use it. */
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { LedgerAdmin } from '../../src/ledger/admin.ts';
import { awaitReady, connectLedger } from '../../src/ledger/connection.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { startRedisServer } from '../../tools/servers/redis-server.ts';

const START_MS = 10_000;

const SETTINGS = {
  commandTimeoutMs: 10_000,
  socketTimeoutMs: 20_000,
  connectTimeoutMs: 5_000,
  queueLimit: 20_000,
  claimBacklogEvents: 10_000_000,
  reservationBacklogEvents: 10_000_000,
  replicas: 0,
  durabilityFallback: 'refuse',
  isFsyncVouchedFor: false,
} as const;

/** What a test works with; close it at the end. */
export interface LeasedLedger {
  readonly ledgers: readonly Ledger[];
  /** A plain connection for looking and for planting faults. */
  readonly redis: Redis;
  close(): Promise<void>;
}

/** Starts a server with this many open partitions, and as many ledgers on it. */
export async function startLeasedLedger(partitions: number, processes: number): Promise<LeasedLedger> {
  const server = await startRedisServer({ appendFsync: 'always' });
  const settings = { ...SETTINGS, partitions, url: server.url };
  const keeper = connectLedger(settings, 'test-keeper');
  await awaitReady(keeper, START_MS);
  const admins = Array.from(
    { length: partitions },
    (_, partition) => new LedgerAdmin(keeper, 1, partition, partitions),
  );
  for (const admin of admins) await admin.open(await admin.serverRunId());
  const ledgers = Array.from(
    { length: processes },
    () =>
      new Ledger({
        settings,
        metrics: createMetrics({ version: 'test', node: process.version }),
        logger: pino({ level: 'silent' }),
        defineMissing: async () => false,
        nowMs: () => Date.now(),
      }),
  );
  for (const ledger of ledgers) await ledger.start(START_MS);
  return {
    ledgers,
    redis: keeper,
    async close() {
      for (const ledger of ledgers) await ledger.close();
      keeper.disconnect();
      await server.stop();
    },
  };
}
