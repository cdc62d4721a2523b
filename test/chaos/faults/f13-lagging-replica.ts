import { setTimeout as sleep } from 'node:timers/promises';
import { always, type Fault } from './fault.ts';
import { someMaster } from './targets.ts';

/** A master is gone while its replica lacks the last second. */
export const laggingReplica: Fault = {
  id: 'F13',
  title: 'Master killed while its replica lags',
  topologies: ['replica', 'cluster'],
  parts: ['redis', 'redis_link'],
  lastsMs: [3_500, 6_000],
  does: 'The replica stands still (SIGSTOP) for 1.0 s under load, the master gets SIGKILL, the replica goes on and is promoted.',
  expects:
    'DURABLE loses nothing, because what the replica lacks was never acknowledged; FAST may lose what it promised to be able to lose.',
  showed: 'Nothing DURABLE lost on either topology; outage 1 to 2 s.',
  canRun: always,
  async inject(world, random) {
    const master = await someMaster(world, random);
    const replicas = await world.redis.replicasOf(master);
    for (const { server } of replicas) process.kill(server.pid, 'SIGSTOP');
    await sleep(1_000);
    await master.server.kill();
    for (const { server } of replicas) process.kill(server.pid, 'SIGCONT');
    return {
      note: `${master.name} killed, ${replicas.map(({ name }) => name).join(', ')} a second behind`,
      heal: () => world.redis.repair(),
    };
  },
};
