/** Sentinels: they watch the master through its proxy, as the product sees it, and promote a replica when it is gone. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { awaitReady, connectLedger } from '../../../src/ledger/connection.ts';
import { freePort } from '../../../tools/servers/free-port.ts';
import { ServerProcess } from '../../../tools/servers/server-process.ts';

const ASK = { commandTimeoutMs: 2_000, connectTimeoutMs: 2_000, socketTimeoutMs: 5_000 };
const SENTINELS = 3;
const QUORUM = 2;
/** Short, so that a run sees many fail-overs; a deployment has 5 s and more. */
const DOWN_AFTER_MS = 1_500;
const FAILOVER_TIMEOUT_MS = 6_000;
/**
 * How often they look at the servers and tell each other, in milliseconds; as built, 10 s and 2 s. An old master that comes back is
 * left alone for four times the latter before it is made a replica, and until then nothing DURABLE is acknowledged.
 */
const LOOK_PERIOD_MS = 1_000;
const TELL_PERIOD_MS = 400;

/** The name the sentinels know the master by. */
export const MASTER_NAME = 'ledger';

/** Sentinels that run. */
export interface Sentinels {
  readonly ports: readonly number[];
  /** Asks for an orderly change of roles. */
  failOver(): Promise<void>;
  close(): Promise<void>;
}

/** Starts three of them; `masterPort` is where the product finds the master, which they replace when it is silent for so long. */
export async function startSentinels(
  directory: string,
  masterPort: number,
  downAfterMs = DOWN_AFTER_MS,
): Promise<Sentinels> {
  const started: { port: number; process: ServerProcess }[] = [];
  for (let number = 1; number <= SENTINELS; number += 1) {
    const port = await freePort();
    const folder = join(directory, `sentinel-${number}`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'sentinel.conf'), configuration(port, folder, masterPort, downAfterMs));
    const process = await ServerProcess.start({
      name: `sentinel-${number}`,
      command: 'redis-server',
      arguments: [join(folder, 'sentinel.conf'), '--sentinel'],
      directory: folder,
      readyText: '+monitor master',
      stopSignal: 'SIGTERM',
    });
    await ask(port, 'DEBUG', 'INFO-PERIOD', String(LOOK_PERIOD_MS), 'PUBLISH-PERIOD', String(TELL_PERIOD_MS));
    started.push({ port, process });
  }
  return {
    ports: started.map(({ port }) => port),
    failOver: () => ask(started[0]?.port ?? 0, 'FAILOVER', MASTER_NAME),
    async close() {
      await Promise.all(started.map(({ process }) => process.stop()));
    },
  };
}

async function ask(port: number, ...command: readonly string[]): Promise<void> {
  const redis = connectLedger({ ...ASK, url: `redis://127.0.0.1:${port}` }, 'chaos-admin');
  redis.on('error', () => undefined);
  try {
    await awaitReady(redis, ASK.connectTimeoutMs);
    await redis.call('SENTINEL', ...command);
  } finally {
    redis.disconnect();
  }
}

function configuration(port: number, folder: string, masterPort: number, downAfterMs: number): string {
  return [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${masterPort} ${QUORUM}`,
    `sentinel down-after-milliseconds ${MASTER_NAME} ${downAfterMs}`,
    `sentinel failover-timeout ${MASTER_NAME} ${FAILOVER_TIMEOUT_MS}`,
    `sentinel parallel-syncs ${MASTER_NAME} 1`,
    '',
  ].join('\n');
}
