import { always, type Fault } from './fault.ts';
import { someMaster } from './targets.ts';

/** A master believes itself the only one while the others have replaced it. */
export const minorityMaster: Fault = {
  id: 'F14',
  title: 'Master on the small side of a split network',
  topologies: ['replica', 'cluster'],
  parts: ['redis', 'redis_link'],
  lastsMs: [4_000, 7_000],
  does: 'Replica, sentinels and other nodes cannot reach a master (nor it them), while the product can; the others promote its replica. Then the network heals.',
  expects:
    'Nothing DURABLE is acknowledged by the old master, whose writes no replica has; clients move; what it accepted alone is dropped when it comes back.',
  showed:
    'Nothing acknowledged by the old master alone; the product follows the others, and what the old one accepted meanwhile is dropped unacknowledged.',
  canRun: always,
  async inject(world, random) {
    const master = await someMaster(world, random);
    const undo = await world.redis.isolate(master);
    return {
      note: `${master.name} cut off from the others`,
      async heal() {
        undo();
        await world.redis.repair();
      },
    };
  },
};
