import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault.ts';
import { interfere } from './system-calls.ts';
import { someMaster } from './targets.ts';

const POLL_MS = 50;
const EXIT_MS = 5_000;

/** The disk reports an error on sync. */
export const syncError: Fault = {
  id: 'F7',
  title: 'The disk refuses to sync',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['redis', 'redis_link'],
  lastsMs: [100, 1_500],
  does: 'strace answers every `fdatasync` of a master with EIO. With `appendfsync always` the server exits.',
  expects: 'Nothing unsynced was acknowledged; the server is started again, or its replica takes over.',
  showed:
    'The server exits at once, as `appendfsync always` promises; after the restart nothing acknowledged is missing.',
  canRun: ({ machine }) => machine.noSystemCallFaults,
  async inject(world, random) {
    const node = await someMaster(world, random);
    const stop = await interfere(node.server.pid, 'fdatasync', 'error=EIO');
    let isUp = true;
    for (let waitedMs = 0; isUp && waitedMs < EXIT_MS; waitedMs += POLL_MS) {
      await sleep(POLL_MS);
      isUp = await node.answers();
    }
    await stop();
    const note = isUp ? `${node.name} met EIO and wrote nothing` : `${node.name} met EIO and exited`;
    return { note, heal: () => world.redis.repair() };
  },
};
