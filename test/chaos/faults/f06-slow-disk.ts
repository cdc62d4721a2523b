import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './fault.ts';
import { interfere } from './system-calls.ts';
import { someMaster } from './targets.ts';

const SYNC_DELAY_MICROSECONDS = 1_800_000;

/** Redis crashes while writes are on their way to a slow disk: the moment in which everysec loses seconds. */
export const crashOnSlowDisk: Fault = {
  id: 'F6',
  title: 'Crash while the disk is slow',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['redis', 'redis_link'],
  lastsMs: [100, 1_000],
  does: 'strace makes every `fdatasync` of a master take 1.8 s for 3 s under load, then the server gets SIGKILL.',
  expects:
    'What was not synced was not acknowledged: DURABLE loses nothing; the entries are compared before the partition opens.',
  showed:
    'Answers wait as long as the disk does (1.5 s); nothing acknowledged missing after the kill, on one Redis, with a replica and on a cluster.',
  canRun: ({ machine }) => machine.noSystemCallFaults,
  async inject(world, random) {
    const node = await someMaster(world, random);
    const stop = await interfere(node.server.pid, 'fdatasync', `delay_enter=${SYNC_DELAY_MICROSECONDS}`);
    await sleep(random.between(1_500, 3_000));
    await node.server.kill();
    await stop();
    return { note: `${node.name} killed while its disk was slow`, heal: () => world.redis.repair() };
  },
};
