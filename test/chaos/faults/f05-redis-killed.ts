import { always, type Fault } from './fault.ts';
import { someMaster } from './targets.ts';

/** Redis crashes; the machine and its disk go on. */
export const redisKilled: Fault = {
  id: 'F5',
  title: 'Redis killed, healthy disk',
  topologies: ['single'],
  parts: ['redis', 'redis_link'],
  lastsMs: [100, 2_000],
  does: 'redis-server gets SIGKILL and starts again on the same append-only file.',
  expects:
    'Everything acknowledged is there; the partition opens when its newest archived entry is the same on both sides.',
  showed: 'Outage of 0.9 s beyond the time Redis was down; nothing acknowledged missing.',
  canRun: always,
  async inject(world, random) {
    const node = await someMaster(world, random);
    await node.server.kill();
    return { note: `${node.name} killed`, heal: () => node.restart() };
  },
};
