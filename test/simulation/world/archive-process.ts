/** An archive process: the product's archiver with its gatekeeper and lease keeper, on simulated stores. */
import { Archiver } from '../../../src/archive/archiver.ts';
import { LedgerAdmin } from '../../../src/ledger/admin.ts';
import { ArchiveLink, type PostgresSite } from '../archive/archive-link.ts';
import { METRICS, SILENT } from '../shared.ts';
import { type ConnectionPlace, SimulatedConnection } from './connection.ts';
import type { Link } from './link.ts';

/** The partition of all schedules. */
export const PARTITION = { generation: 1, partition: 0 } as const;

const LEASE_MS = 200;
/** Pauses between turns are shorter than in life, as schedules are; never shorter than this, in milliseconds. */
const LEAST_PAUSE_MS = 8;
const LONGEST_PAUSE_MS = 60;

/** What an archive process is made of. */
export interface ArchivePorts {
  readonly place: ConnectionPlace;
  readonly postgres: PostgresSite;
  readonly postgresLink: Link;
  readonly trimMarginMs: number;
  /** Done to the ledger's side before it starts: faults that tests plant. */
  readonly tamper: ((ledger: LedgerAdmin) => void) | undefined;
}

/** Runs until its process dies. */
export async function runArchiveProcess(ports: ArchivePorts): Promise<void> {
  const { place, postgres, postgresLink, trimMarginMs } = ports;
  const { time, owner } = place;
  const connection = new SimulatedConnection(place, { commandTimeoutMs: 60 });
  const ledger = new LedgerAdmin(connection, PARTITION.generation, PARTITION.partition);
  ports.tamper?.(ledger);
  const archiver = new Archiver({
    id: PARTITION,
    client: new ArchiveLink(time, postgres, postgresLink, owner),
    ledger,
    metrics: METRICS,
    logger: SILENT,
    owner,
    nowMs: () => Math.floor(time.nowMs),
    leaseMs: LEASE_MS,
    flushIntervalMs: 10,
    trimMarginMs,
    trimIntervalMs: 20,
  });
  for (;;) {
    const pauseMs = await archiver.turn();
    await time.sleep(Math.min(Math.max(pauseMs, LEAST_PAUSE_MS), LONGEST_PAUSE_MS));
  }
}
