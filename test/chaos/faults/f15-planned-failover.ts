import { always, type Fault } from './fault.ts';
import { someMaster } from './targets.ts';

/** Roles change in good order, as for maintenance. */
export const plannedFailover: Fault = {
  id: 'F15',
  title: 'Planned fail-over',
  topologies: ['replica', 'cluster'],
  parts: ['redis', 'redis_link'],
  lastsMs: [1_000, 3_000],
  does: 'A replica takes over on request: `CLUSTER FAILOVER`, or `FAILOVER` of the master that the sentinels watch.',
  expects: 'Redirections are absorbed; no acknowledged write is lost; the partitions open on the new master.',
  showed:
    'Outage 1.5 to 2 s with sentinels, below 0.5 s on a cluster; nothing lost. A `WAIT` refused by a server that had just become a replica was taken for a broken script; it is read for what it is now.',
  canRun: always,
  async inject(world, random) {
    const master = await someMaster(world, random);
    const [replica] = await world.redis.replicasOf(master);
    if (replica === undefined) throw new Error(`${master.name} has no replica`);
    await world.redis.handOver(master, replica);
    return { note: `${replica.name} takes over from ${master.name}`, heal: () => world.redis.repair() };
  },
};
