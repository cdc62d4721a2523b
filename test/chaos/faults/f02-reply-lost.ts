import { always, type Fault } from './fault.ts';

/** The network loses what Redis answered, not what it was asked. */
export const replyLost: Fault = {
  id: 'F2',
  title: 'Reply of Redis lost after execution',
  topologies: ['single', 'replica', 'cluster'],
  parts: ['redis_link'],
  lastsMs: [500, 2_500],
  does: 'The proxy passes requests on, swallows the next replies (5 to 40 of every node) and resets their connections.',
  expects: 'One effect each; the caller sees OK or an unknown outcome, never a double.',
  showed:
    'Up to 40 replies a node lost at a time; every one settled on retry as the same coupon or order; no outage above 0.5 s from it alone.',
  canRun: always,
  async inject(world, random) {
    const times = random.between(5, 40);
    const undo = world.redis.nodes.map(({ proxy }) => proxy.loseReplies(times));
    return {
      note: `up to ${times} replies of every node swallowed`,
      async heal() {
        for (const end of undo) end();
      },
    };
  },
};
