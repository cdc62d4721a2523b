import { always, type Fault } from './fault.ts';
import { someMaster } from './targets.ts';

/** A master is gone for good while its replica is up to date. */
export const masterKilled: Fault = {
  id: 'F12',
  title: 'Master killed, healthy replica',
  topologies: ['replica', 'cluster'],
  parts: ['redis', 'redis_link'],
  lastsMs: [3_000, 6_000],
  does: 'A master gets SIGKILL; its replica is promoted; the old one comes back as a replica.',
  expects: 'An outage of the node time-out and about two seconds; unknown outcomes settle on retry.',
  showed:
    'Outage of 1 to 2 s on a cluster with a node time-out of 1.5 s; other partitions were served all the time.',
  canRun: always,
  async inject(world, random) {
    const node = await someMaster(world, random);
    await node.server.kill();
    return { note: `${node.name} killed`, heal: () => world.redis.repair() };
  },
};
