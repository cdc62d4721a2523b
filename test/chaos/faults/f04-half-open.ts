import { always, type Fault } from './fault.ts';

/** A link is dead and nobody is told: only time-outs find it. */
export const halfOpen: Fault = {
  id: 'F4',
  title: 'Half-open connections to Redis',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['redis_link'],
  lastsMs: [2_500, 6_000],
  does: 'The connections of the moment go silent both ways without either side learning of it; new ones work. Afterwards what was under way is dropped, or delivered seconds late.',
  expects:
    'Calls end at the command time-out and silent sockets are replaced; a write that lands late has no effect beyond its own id.',
  showed:
    'Silent connections were given up after the command time-out: outages of 3.5 to 4.5 s; requests delivered late had no effect of their own.',
  canRun: always,
  async inject(world, random) {
    const late = random.chance(0.5);
    const links = world.redis.nodes.reduce((sum, { proxy }) => sum + proxy.openLinks, 0);
    const undo = world.redis.nodes.map(({ proxy }) => proxy.darken(late));
    return {
      note: `${links} connections silent, ${late ? 'then what was under way arrives late' : 'then it is lost'}`,
      async heal() {
        for (const end of undo) end();
      },
    };
  },
};
