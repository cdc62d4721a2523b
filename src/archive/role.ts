import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { LOG_EVENTS } from '../telemetry/logger.ts';
import type { Tracer } from '../telemetry/tracing/tracer.ts';
import { ArchiveClient } from './archive-client.ts';
import { Archiver } from './archiver.ts';
import type { ArchiveMetrics } from './archiver-report.ts';
import type { LedgerAdmin, PartitionId } from './ledger-port.ts';

/** What the archive role is made of. */
export interface ArchiveRoleDependencies {
  /** Address of Postgres. Every partition gets a connection of its own, shared with nothing. */
  readonly databaseUrl: string;
  /** The ledger's side of a partition, on a connection that serves no claims. */
  readonly ledgerAdmin: (id: PartitionId) => LedgerAdmin;
  readonly metrics: ArchiveMetrics;
  readonly logger: Logger;
  /** Absent: no batch is traced. */
  readonly tracer?: Tracer | undefined;
  readonly config: ArchiveRoleConfig;
  /** Wall clock, ms since the epoch. */
  readonly nowMs: () => number;
}

/** What is archived, and by whom. Times in ms; absent ones have the values of `limits.ts`. */
export interface ArchiveRoleConfig {
  readonly generation: number;
  readonly partitions: number;
  /** Names this process among all archivers; unique for its life. */
  readonly owner: string;
  readonly leaseMs?: number;
  readonly flushIntervalMs?: number;
  readonly trimMarginMs?: number;
}

/** A running archive. */
export interface ArchiveRole {
  /** Begins; returns at once. Stores that are away are waited for. */
  start(): void;
  /** Finishes the batch under way and gives the partitions back, so that the next process need not wait. */
  stop(): Promise<void>;
}

/** The archive role: one archiver per partition, each active in one process at a time. */
export function createArchiveRole(dependencies: ArchiveRoleDependencies): ArchiveRole {
  const { partitions } = dependencies.config;
  const loops = Array.from({ length: partitions }, (_, partition) => createLoop(dependencies, partition));
  return {
    start() {
      for (const loop of loops) loop.start();
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

function createLoop(dependencies: ArchiveRoleDependencies, partition: number): ArchiveRole {
  const { config, logger } = dependencies;
  const id: PartitionId = { generation: config.generation, partition };
  const client = new ArchiveClient(dependencies.databaseUrl);
  const archiver = new Archiver({
    ...dependencies,
    ...config,
    id,
    client,
    ledger: dependencies.ledgerAdmin(id),
    elapsedMs: () => performance.now(),
  });
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  return {
    start() {
      running ??= turnUntil(archiver, stopping.signal);
    },
    async stop() {
      stopping.abort();
      await running;
      await archiver.giveBack().catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        const line = { event: LOG_EVENTS.archiveLost, ...id, reason };
        logger.warn(line, 'the partition could not be given back; its lease will lapse');
      });
      await client.close();
    },
  };
}

async function turnUntil(archiver: Archiver, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const pauseMs = await archiver.turn();
    if (pauseMs > 0) await sleep(pauseMs, undefined, { signal }).catch(() => {});
  }
}
